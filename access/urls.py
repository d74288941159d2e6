"""Below ADMIN_URL, with EMAIL_URL. The names are those that Django's templates look for."""

from django.urls import path

from access import password_reset as reset

urlpatterns = [
    path("password_reset/", reset.AskView.as_view(), name="admin_password_reset"),
    path("password_reset/sent/", reset.SentView.as_view(), name="password_reset_done"),
    path(
        "password_reset/<uidb64>/<token>/",
        reset.ChooseView.as_view(),
        name="password_reset_confirm",
    ),
    path("password_reset/done/", reset.DoneView.as_view(), name="password_reset_complete"),
]

"""Below ADMIN_URL, with EMAIL_URL. The names are those that Django's templates look for."""

from django.contrib.auth import views
from django.urls import path

from access.password_reset import AskView

urlpatterns = [
    path("password_reset/", AskView.as_view(), name="admin_password_reset"),
    path("password_reset/sent/", views.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path(
        "password_reset/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    path(
        "password_reset/done/",
        views.PasswordResetCompleteView.as_view(),
        name="password_reset_complete",
    ),
]

from django.urls import path, re_path

from live.callbacks import CallbackView
from live.join import JoinView

urlpatterns = [
    re_path(r"^callbacks/?\Z", CallbackView.as_view()),
    re_path(r"^join/?\Z", JoinView.as_view()),
    path("join/<room:name>", JoinView.as_view(), name="join"),
    path("join/<room:name>/", JoinView.as_view()),
]

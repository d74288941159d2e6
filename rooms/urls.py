from django.urls import re_path

from rooms.views import RoomViewSet

# A name is anything, slashes and line breaks included: %2F arrives here as a slash already.
urlpatterns = [
    re_path(r"^session/?\Z", RoomViewSet.as_view({"get": "session"})),
    re_path(
        r"^room/(?P<name>[\s\S]+?)/?\Z", RoomViewSet.as_view({"get": "retrieve", "head": "peek"})
    ),
]

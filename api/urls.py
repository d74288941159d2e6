from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, re_path

from api.archive_views import ArchiveViewSet
from api.room_views import RoomViewSet
from api.session_views import ConnectionViewSet, EverybodyViewSet, StreamViewSet

ARCHIVE = r"^archives/(?P<archive_id>[^/]+)"

room = RoomViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})
session = RoomViewSet.as_view({"post": "new_session"})
tokens = RoomViewSet.as_view({"post": "new_token"})
streams = StreamViewSet.as_view({"get": "list_all", "put": "lay_out"})
mute = EverybodyViewSet.as_view({"post": "mute", "delete": "unmute"})


def in_room(below: str, view: Callable[..., Any]) -> list[URLPattern]:
    """What is below a room, with a slash at the end or without."""
    return [path(f"rooms/<room:name>/{below}{end}", view) for end in ("", "/")]


urlpatterns = [
    re_path(r"^rooms/?\Z", RoomViewSet.as_view({"get": "list", "post": "create"})),
    path("rooms/<room:name>", room, name="api-room"),
    path("rooms/<room:name>/", room),
    *in_room("session", session),
    *in_room("tokens", tokens),
    *in_room("connections", ConnectionViewSet.as_view({"get": "list_all"})),
    *in_room("connections/<connection_id>", ConnectionViewSet.as_view({"delete": "destroy"})),
    *in_room("streams", streams),
    *in_room("streams/<stream_id>", StreamViewSet.as_view({"get": "retrieve"})),
    *in_room("streams/<stream_id>/mute", StreamViewSet.as_view({"post": "mute"})),
    *in_room("mute", mute),
    *in_room("signals", EverybodyViewSet.as_view({"post": "signal"})),
    re_path(r"^archives/?\Z", ArchiveViewSet.as_view({"get": "list", "post": "create"})),
    re_path(ARCHIVE + r"/stop/?\Z", ArchiveViewSet.as_view({"post": "stop"})),
    re_path(ARCHIVE + r"/layout/?\Z", ArchiveViewSet.as_view({"put": "lay_out"})),
    re_path(ARCHIVE + r"/streams/?\Z", ArchiveViewSet.as_view({"post": "add_stream"})),
    re_path(
        ARCHIVE + r"/streams/(?P<stream_id>[^/]+)/?\Z",
        ArchiveViewSet.as_view({"delete": "remove_stream"}),
    ),
    re_path(ARCHIVE + r"/?\Z", ArchiveViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]

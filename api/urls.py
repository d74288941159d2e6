from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from api.archive_views import ArchiveViewSet
from api.room_views import RoomViewSet

View = Callable[..., HttpResponse]

# A name is anything, slashes and line breaks included: %2F arrives here as a slash already.
ROOM = r"^rooms/(?P<name>[\s\S]+?)"
ARCHIVE = r"^archives/(?P<archive_id>[^/]+)"

room = RoomViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})


def of_room(noun: str, view: View) -> View:
    """What a room has under this noun; unless it is a room whose name ends so, as in "a/session".

    The methods tell: nothing is ever posted to a room.
    """

    @wraps(view)
    def choose(request: HttpRequest, name: str) -> HttpResponse:
        if request.method == "POST":
            return view(request, name=name)
        return room(request, name=f"{name}/{noun}")

    return choose


urlpatterns = [
    re_path(r"^rooms/?\Z", RoomViewSet.as_view({"get": "list", "post": "create"})),
    re_path(
        ROOM + r"/session/?\Z", of_room("session", RoomViewSet.as_view({"post": "new_session"}))
    ),
    re_path(ROOM + r"/tokens/?\Z", of_room("tokens", RoomViewSet.as_view({"post": "new_token"}))),
    re_path(ROOM + r"/?\Z", room),
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

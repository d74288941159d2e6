from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from api.room_views import RoomViewSet

View = Callable[..., HttpResponse]

# A name is anything, slashes and line breaks included: %2F arrives here as a slash already.
ROOM = r"^rooms/(?P<name>[\s\S]+?)"

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
]

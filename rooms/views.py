from django.http import HttpResponseRedirect
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from access.limits import Throttle, client_ident
from rooms.coverage import check_key_covers
from rooms.credentials import credentials_for
from rooms.models import Room
from rooms.paths import path_to
from rooms.policy import Visitor


class RoomViewSet(ViewSet):
    """The credentials to join a room."""

    needs = Capability.JOIN

    def get_throttles(self) -> list[BaseThrottle]:
        return [Throttle("other" if self.action == "session" else "join")]

    def session(self, request: Request) -> HttpResponseRedirect:
        """To the room called "session", by a path alone: a scheme or a host could only be wrong."""
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(path_to("room", "session") + (f"?{query}" if query else ""))

    def retrieve(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        e2ee = request.query_params.get("e2ee", "").lower() == "true"
        return Response(
            credentials_for(Room.objects.open(name, e2ee=e2ee, visitor=visitor(request)))
        )

    def peek(self, request: Request, name: str) -> Response:
        """HEAD: whether the room is there. Asking makes no room."""
        check_key_covers(key_of(request), name)
        Room.objects.find(name)
        return Response()


def visitor(request: Request) -> Visitor:
    """The access code comes in a header, or in the query, which `/session` passes on."""
    code = request.META.get("HTTP_X_ACCESS_CODE") or request.query_params.get("code", "")
    return Visitor(key=key_of(request), code=code, client=client_ident(request))

"""Rooms with roles for a broadcast: hosts publish, viewers watch."""

from dataclasses import replace

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.authentication import key_of
from access.capabilities import Capability
from rooms.coverage import check_key_covers
from rooms.credentials import credentials_for
from rooms.models import Role, Room
from rooms.serializers import CredentialsSerializer
from rooms.views import KEPT_OUT, visitor
from video.errors import ANY_CALL

CODES = {"x-codes": {"room_name_invalid", "room_not_covered", *KEPT_OUT, *ANY_CALL}}


def room_name(name: str) -> str:
    """The name of a broadcast's room, as Vonage's sample server forms it."""
    return f"{name}-broadcast"


@extend_schema(tags=["Broadcasts"])
class BroadcastRoomViewSet(ViewSet):
    """The credentials to join the room of a broadcast, in one session for all roles."""

    needs = {
        "host": Capability.BROADCAST,
        "viewer": Capability.JOIN,
        "guest": Capability.JOIN,
        "peek": Capability.JOIN,
    }
    limit = "join"

    @extend_schema(
        operation_id="join_broadcast_as_host",
        summary="The credentials of a broadcast's host",
        description="A moderator's token for the room `<name>-broadcast`, which the first visit "
        "makes. All others who join that room may only watch, unless staff change its token role.",
        responses={200: CredentialsSerializer},
        extensions=CODES,
    )
    def host(self, request: Request, name: str) -> Response:
        return _join(request, name, role=Role.MODERATOR)

    @extend_schema(
        operation_id="join_broadcast_as_viewer",
        summary="The credentials of a broadcast's viewer",
        description="A subscriber's token for the room `<name>-broadcast`.",
        responses={200: CredentialsSerializer},
        extensions=CODES,
    )
    def viewer(self, request: Request, name: str) -> Response:
        return _join(request, name, role=Role.SUBSCRIBER)

    @extend_schema(
        operation_id="join_broadcast_as_guest",
        summary="The credentials of a broadcast's guest",
        description="The same as a viewer's.",
        responses={200: CredentialsSerializer},
        extensions=CODES,
    )
    def guest(self, request: Request, name: str) -> Response:
        return _join(request, name, role=Role.SUBSCRIBER)

    @extend_schema(exclude=True)
    def peek(self, request: Request, name: str) -> Response:
        """HEAD: whether the room exists. It makes none."""
        check_key_covers(key_of(request), room_name(name))
        Room.objects.find(room_name(name))
        return Response()


def _join(request: Request, name: str, *, role: Role) -> Response:
    check_key_covers(key_of(request), room_name(name))
    # `token_role`, or viewers would get a publisher's token from /room/<name>-broadcast.
    who = replace(visitor(request), role=role)
    room = Room.objects.open(room_name(name), visitor=who, token_role=Role.SUBSCRIBER)
    return Response(credentials_for(room, role=role, data=room.connection_data(who)))

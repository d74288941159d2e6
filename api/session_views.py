"""Presence and moderation in a room's present session."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from access.capabilities import Capability
from api.serializers import NothingSerializer
from api.session_serializers import (
    ConnectionListSerializer,
    ConnectionSerializer,
    LayoutClassesSerializer,
    MuteSerializer,
    PublishedStreamListSerializer,
    PublishedStreamSerializer,
    SignalSerializer,
)
from api.viewsets import DONE, ManagingViewSet, done, example
from rooms import moderating
from rooms.coverage import check_client_covers_session, check_key_covers
from rooms.models import Room
from rooms.presence import look
from rooms.views import AT_A_ROOM
from video import streams
from video.errors import ANY_CALL

IN_A_SESSION = AT_A_ROOM | ANY_CALL | {"session_invalid"}
A_STREAM = "0a1b2c3d-0000-4000-8000-000000000000"


def room_of(request: Request, name: str) -> Room:
    """A room that the request's key covers, or whose present session is that of its client token.

    Errors: room_name_invalid, room_not_covered, room_not_found, session_not_covered.
    """
    check_key_covers(key_of(request), name)
    room = Room.objects.find(name)
    check_client_covers_session(request, room.session_id)
    return room


def session_of(request: Request, name: str) -> str:
    """The present session of that room."""
    return room_of(request, name).session_id


class ModeratingViewSet(ManagingViewSet):
    """For moderators: with a key that has `moderate`, or their client token of the session."""

    needs = Capability.MODERATE
    limit = "moderate"


@extend_schema(tags=["Moderating rooms"])
class ConnectionViewSet(ModeratingViewSet):
    """Clients, phones and bots in a room's session."""

    takes_client_tokens = {"list_all", "destroy"}
    serializer_class = ConnectionSerializer

    @extend_schema(
        operation_id="list_connections",
        summary="Who is in a room",
        description="The oldest first. An empty room has an empty list.",
        responses={200: ConnectionListSerializer},
        extensions={"x-codes": IN_A_SESSION},
    )
    def list_all(self, request: Request, name: str) -> Response:
        return Response({"items": look(session_of(request, name), room_name=name)})

    @extend_schema(
        operation_id="disconnect",
        summary="Disconnect somebody",
        description="They can come back while their token is valid: close the room to prevent "
        "that. The ticket of a guest who was let in from the waiting room ends.",
        responses={204: DONE},
        extensions={"x-codes": IN_A_SESSION | {"connection_not_found"}},
    )
    def destroy(self, request: Request, name: str, connection_id: str) -> Response:
        room = room_of(request, name)
        moderating.remove(room, connection_id)
        return done()


@extend_schema(tags=["Moderating rooms"])
class StreamViewSet(ModeratingViewSet):
    """What is published in a room's session."""

    takes_client_tokens = {"list_all", "retrieve", "lay_out", "mute"}
    serializer_class = PublishedStreamSerializer

    @extend_schema(
        operation_id="list_streams",
        summary="What is published in a room",
        description="An empty room has an empty list.",
        responses={200: PublishedStreamListSerializer},
        extensions={"x-codes": IN_A_SESSION},
    )
    def list_all(self, request: Request, name: str) -> Response:
        return Response({"items": streams.list_streams(session_of(request, name))})

    @extend_schema(
        operation_id="get_stream",
        summary="A stream as it is now",
        responses={200: PublishedStreamSerializer},
        extensions={"x-codes": IN_A_SESSION | {"stream_not_found"}},
    )
    def retrieve(self, request: Request, name: str, stream_id: str) -> Response:
        return Response(streams.get_stream(session_of(request, name), stream_id))

    @extend_schema(
        operation_id="set_layout_classes",
        summary="Change the layout classes of streams",
        description="Recordings and broadcasts with a layout arrange streams by them.",
        request=LayoutClassesSerializer,
        examples=example(items=[{"id": A_STREAM, "layoutClassList": ["focus"]}]),
        responses={204: DONE},
        extensions={
            "x-codes": IN_A_SESSION | {"invalid", "layout_classes_refused", "stream_not_found"}
        },
    )
    def lay_out(self, request: Request, name: str) -> Response:
        room = room_of(request, name)
        moderating.lay_out(room, **LayoutClassesSerializer.read(request.data))
        return done()

    @extend_schema(
        operation_id="mute_stream",
        summary="Mute a stream",
        description="Its publisher can unmute it.",
        request=None,
        responses={204: DONE},
        extensions={"x-codes": IN_A_SESSION | {"stream_not_found"}},
    )
    def mute(self, request: Request, name: str, stream_id: str) -> Response:
        room = room_of(request, name)
        NothingSerializer.read(request.data)
        moderating.mute(room, stream_id)
        return done()


@extend_schema(tags=["Moderating rooms"])
class EverybodyViewSet(ModeratingViewSet):
    """What reaches all who are in a room's session."""

    takes_client_tokens = {"mute", "unmute", "signal"}
    serializer_class = NothingSerializer

    @extend_schema(
        operation_id="mute_all",
        summary="Mute all streams of a room",
        description="Streams that are published later are muted as well. Publishers can unmute "
        "themselves.",
        request=MuteSerializer,
        examples=example(excludedStreamIds=[A_STREAM]),
        responses={204: DONE},
        extensions={"x-codes": IN_A_SESSION | {"nobody_connected"}},
    )
    def mute(self, request: Request, name: str) -> Response:
        room = room_of(request, name)
        moderating.mute_all(room, **MuteSerializer.read(request.data))
        return done()

    @extend_schema(
        operation_id="unmute_all",
        summary="Stop muting new streams",
        description="Muted streams stay muted until their publishers unmute them.",
        responses={204: DONE},
        extensions={"x-codes": IN_A_SESSION | {"nobody_connected"}},
    )
    def unmute(self, request: Request, name: str) -> Response:
        moderating.unmute_all(room_of(request, name))
        return done()

    @extend_schema(
        operation_id="send_signal",
        summary="Send a signal to everybody in a room, or to one of them",
        description="Clients get it as a signal without a sender.",
        request=SignalSerializer,
        examples=example(type="announcement", data="Five minutes left."),
        responses={204: DONE},
        extensions={
            "x-codes": IN_A_SESSION | {"nobody_connected", "connection_not_found", "signal_refused"}
        },
    )
    def signal(self, request: Request, name: str) -> Response:
        room = room_of(request, name)
        moderating.signal(room, **SignalSerializer.read(request.data))
        return done()

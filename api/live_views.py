"""Activities in a room's session: broadcasts, captions, renders, calls, audio connectors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from access.authentication import key_of
from access.capabilities import Capability
from api.archive_serializers import LayoutSerializer, StreamSerializer
from api.live_serializers import (
    ActivityQuerySerializer,
    ActivitySerializer,
    DigitsSerializer,
    NewAudioConnectorSerializer,
    NewBroadcastSerializer,
    NewCallSerializer,
    NewCaptionsSerializer,
    NewRenderSerializer,
    StopReportSerializer,
)
from api.serializers import NothingSerializer, StrictSerializer
from api.session_views import ModeratingViewSet
from api.viewsets import DONE, ManagingViewSet, done, example
from audit.models import Entry
from live.models import Activity, Kind
from live.stopping import stop_all
from rooms.coverage import check_key_covers, check_key_covers_session
from rooms.models import Room
from rooms.views import AT_A_ROOM, LOCATION
from video import broadcasts, sip
from video.errors import ANY_CALL
from web.errors import CODES

OTHERS = "Bringing pages, phones and bots in"
IN_A_SESSION = AT_A_ROOM | ANY_CALL | {"session_invalid", "nobody_connected"}


class ActivityViewSet(ManagingViewSet):
    """Activities of one `kind`, below `path`. `begin` starts one; `new` reads its body."""

    serializer_class = ActivitySerializer
    kind: ClassVar[Kind]
    path: ClassVar[str]
    new: ClassVar[type[StrictSerializer]]
    begin: ClassVar[Callable[..., Activity]]
    limit = "record"
    limits = dict.fromkeys(["list_in_room", "list", "retrieve"], "archive")

    def list_in_room(self, request: Request, name: str) -> Response:
        return self._listed(request, room=name)

    def list(self, request: Request) -> Response:
        return self._listed(request)

    def create(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        session_id = Room.objects.find(name).session_id
        activity = self.begin(session_id, **self.new.read(request.data))
        headers = {"Location": f"/api/v1/{self.path}/{activity.pk}"}
        shown = ActivitySerializer(activity).data
        return Response(shown, status.HTTP_201_CREATED, headers=headers)

    def retrieve(self, request: Request, activity_id: str) -> Response:
        activity = self._activity(request, activity_id)
        return Response(ActivitySerializer(Activity.objects.fetch(activity)).data)

    def stop(self, request: Request, activity_id: str) -> Response:
        activity = self._activity(request, activity_id)
        NothingSerializer.read(request.data)
        return Response(ActivitySerializer(Activity.objects.stop(activity)).data)

    def _listed(self, request: Request, **of_room: str) -> Response:
        chosen = ActivityQuerySerializer.read(request.query_params.dict()) | of_room
        key = key_of(request)
        if room := chosen.get("room"):
            check_key_covers(key, room)
        prefix = key.room_prefix if key else ""
        found = Activity.objects.matching(kind=self.kind, prefix=prefix, **chosen)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(ActivitySerializer(page, many=True).data)

    def _activity(self, request: Request, activity_id: str) -> Activity:
        activity = Activity.objects.find(self.kind, activity_id)
        check_key_covers_session(key_of(request), activity.session_id)
        return activity


Viewed = TypeVar("Viewed", bound=ActivityViewSet)


def described(tag: str, *, start: str, **body: Any) -> Callable[[type[Viewed]], type[Viewed]]:
    """Documents the operations that all kinds have. `start` is the summary of `create`, and `body`
    its example.
    """

    def describe(view: type[Viewed]) -> type[Viewed]:
        for name, told in _operations(view, start, body).items():
            setattr(view, name, extend_schema(tags=[tag], **told)(_copy(getattr(view, name))))
        return view

    return describe


def _operations(
    view: type[ActivityViewSet], start: str, body: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    kind, path = view.kind.value, view.path.replace("-", "_")
    plural = view.path.replace("-", " ")
    refused = {f"{kind}_refused", f"{kind}_conflict", f"{kind}_running"} & CODES.keys()
    listed: dict[str, Any] = {
        "description": "As OpenTok last reported them.",
        "parameters": [ActivityQuerySerializer],
        "responses": {200: ActivitySerializer(many=True)},
        "extensions": {"x-codes": {"invalid", "cursor_invalid", *AT_A_ROOM}},
    }
    one: dict[str, Any] = {
        "responses": {200: ActivitySerializer},
        "extensions": {"x-codes": {f"{kind}_not_found", "room_not_covered", *ANY_CALL}},
    }
    return {
        "list": {"operation_id": f"find_{path}", "summary": f"All {plural}, the newest first"}
        | listed,
        "list_in_room": {
            "operation_id": f"find_{path}_of_room",
            "summary": f"The {plural} of a room, the newest first",
        }
        | listed,
        "create": {
            "operation_id": f"start_{kind}_in_room",
            "summary": start,
            "parameters": [LOCATION],
            "request": view.new,
            "examples": example(**body),
            "responses": {201: ActivitySerializer},
            "extensions": {"x-codes": {"invalid", *IN_A_SESSION, *refused}},
        },
        "retrieve": {
            "operation_id": f"look_at_{path}",
            "summary": f"One of the {plural} as it is now",
        }
        | one,
        "stop": {
            "operation_id": f"stop_{path}",
            "summary": f"Stop one of the {plural}",
            "description": "It may be repeated.",
            "request": None,
        }
        | one,
    }


def _copy(method: Callable[..., Response]) -> Callable[..., Response]:
    """A copy of a method of the base class, which can have its own documentation."""

    @wraps(method)
    def copy(*args: Any, **named: Any) -> Response:
        return method(*args, **named)

    return copy


@described("Broadcasting rooms", start="Broadcast a room", outputs={"hls": {}})
class BroadcastViewSet(ActivityViewSet):
    needs = Capability.BROADCAST
    kind, path, new = Kind.BROADCAST, "broadcasts", NewBroadcastSerializer
    begin = staticmethod(Activity.objects.start_broadcast)

    @extend_schema(
        tags=["Broadcasting rooms"],
        operation_id="lay_out_broadcast",
        summary="Change the layout of a broadcast",
        request=LayoutSerializer,
        examples=example(type="pip"),
        responses={204: DONE},
        extensions={
            "x-codes": {
                "invalid",
                "layout_refused",
                "broadcast_not_found",
                "room_not_covered",
                *ANY_CALL,
            }
        },
    )
    def lay_out(self, request: Request, activity_id: str) -> Response:
        activity = self._activity(request, activity_id)
        layout = LayoutSerializer.read(request.data)
        broadcasts.set_layout(str(activity.pk), layout)
        Entry.objects.note("broadcast.laid_out", activity, layout=layout["type"])
        return done()

    @extend_schema(
        tags=["Broadcasting rooms"],
        operation_id="add_stream_to_broadcast",
        summary="Add a stream to a broadcast",
        description="Only with the `streamMode` manual.",
        request=StreamSerializer,
        examples=example(streamId="0a1b2c3d-0000-4000-8000-000000000000"),
        responses={204: DONE},
        extensions={
            "x-codes": {
                "invalid",
                "streams_not_manual",
                "stream_not_found",
                "broadcast_not_found",
                "room_not_covered",
                *ANY_CALL,
            }
        },
    )
    def add_stream(self, request: Request, activity_id: str) -> Response:
        activity = self._activity(request, activity_id)
        stream = StreamSerializer.read(request.data)
        broadcasts.add_stream(str(activity.pk), **stream)
        Entry.objects.note("broadcast.stream_added", activity, stream=stream["stream_id"])
        return done()

    @extend_schema(
        tags=["Broadcasting rooms"],
        operation_id="remove_stream_from_broadcast",
        summary="Remove a stream from a broadcast",
        description="Only with the `streamMode` manual.",
        responses={204: DONE},
        extensions={
            "x-codes": {
                "streams_not_manual",
                "stream_not_found",
                "broadcast_not_found",
                "room_not_covered",
                *ANY_CALL,
            }
        },
    )
    def remove_stream(self, request: Request, activity_id: str, stream_id: str) -> Response:
        activity = self._activity(request, activity_id)
        broadcasts.remove_stream(str(activity.pk), stream_id)
        Entry.objects.note("broadcast.stream_removed", activity, stream=stream_id)
        return done()


@described("Captioning rooms", start="Caption a room", languageCode="en-US")
class CaptionsViewSet(ActivityViewSet):
    needs = Capability.CAPTION
    kind, path, new = Kind.CAPTIONS, "captions", NewCaptionsSerializer
    begin = staticmethod(Activity.objects.start_captions)


@described(OTHERS, start="Show a web page in a room", url="https://app.example/scoreboard")
class RenderViewSet(ActivityViewSet):
    needs = Capability.CALL
    kind, path, new = Kind.RENDER, "renders", NewRenderSerializer
    begin = staticmethod(Activity.objects.start_render)


@described(
    OTHERS, start="Call a phone into a room", uri="sip:+14155550100@sip.example;transport=tls"
)
class CallViewSet(ActivityViewSet):
    needs = Capability.CALL
    kind, path, new = Kind.CALL, "calls", NewCallSerializer
    begin = staticmethod(Activity.objects.dial)

    @extend_schema(
        tags=[OTHERS],
        operation_id="play_digits",
        summary="Send DTMF digits",
        request=DigitsSerializer,
        examples=example(digits="1234#"),
        responses={204: DONE},
        extensions={
            "x-codes": {
                "invalid",
                "call_refused",
                "call_not_found",
                "connection_not_found",
                "room_not_covered",
                *ANY_CALL,
            }
        },
    )
    def digits(self, request: Request, activity_id: str) -> Response:
        call = self._activity(request, activity_id)
        digits = DigitsSerializer.read(request.data)["digits"]
        sip.play_dtmf(call.session_id, digits, connection_id=call.connection_id)
        Entry.objects.note("call.digits_played", call)
        return done()


@described(
    OTHERS, start="Connect the audio of a room to a WebSocket", uri="wss://bot.example/audio"
)
class AudioConnectorViewSet(ActivityViewSet):
    needs = Capability.CALL
    kind, path, new = Kind.AUDIO_CONNECTOR, "audio-connectors", NewAudioConnectorSerializer
    begin = staticmethod(Activity.objects.connect_audio)


class StopViewSet(ModeratingViewSet):
    serializer_class = StopReportSerializer

    @extend_schema(
        tags=["Moderating rooms"],
        operation_id="stop_everything",
        summary="Stop everything in a room",
        description="Recordings, broadcasts, captions, rendered pages, calls and audio connectors "
        "end, and then all clients are disconnected. The answer says what ended and what did not.",
        request=None,
        responses={200: StopReportSerializer},
        extensions={"x-codes": AT_A_ROOM},
    )
    def stop(self, request: Request, name: str) -> Response:
        check_key_covers(key_of(request), name)
        room = Room.objects.find(name)
        NothingSerializer.read(request.data)
        return Response(stop_all(room))

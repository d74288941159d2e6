from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.capabilities import Capability
from live.models import Activity, Kind
from live.samples.bodies import AT_A_SESSION, read_about_session
from live.samples.serializers import (
    BroadcastSerializer,
    SessionSerializer,
    StartBroadcastSerializer,
)
from video.answers import Remote

IN_PATH = "The session alone counts, not the name in the address."


@extend_schema(tags=["Broadcasts"])
class BroadcastViewSet(ViewSet):
    """The broadcast of a session, as OpenTok has it at the moment."""

    needs = Capability.BROADCAST
    limit = "record"
    limits = {"status": "archive"}

    @extend_schema(
        operation_id="start_broadcast_of_session",
        summary="Start the broadcast of a session",
        description=f"Other broadcasts of the session are stopped first. {IN_PATH}",
        request=StartBroadcastSerializer,
        responses={200: BroadcastSerializer},
        extensions={
            "x-codes": {
                "broadcast_refused",
                "broadcast_conflict",
                "nobody_connected",
                *AT_A_SESSION,
            }
        },
    )
    def start(self, request: Request, name: str) -> Response:
        body = read_about_session(StartBroadcastSerializer, request)
        session_id = body["session_id"]
        for running in Activity.objects.running(session_id, Kind.BROADCAST):
            Activity.objects.stop(running)
        started = Activity.objects.start_broadcast(session_id, **_options(body))
        return Response(started.answer)

    @extend_schema(
        operation_id="stop_broadcast_of_session",
        summary="Stop the broadcast of a session",
        description=f"It may be repeated. {IN_PATH}",
        request=SessionSerializer,
        responses={200: BroadcastSerializer},
        extensions={"x-codes": {"broadcast_not_found", *AT_A_SESSION}},
    )
    def stop(self, request: Request, name: str) -> Response:
        return Response(_as_told(Activity.objects.stop(_latest(request))))

    @extend_schema(
        operation_id="get_broadcast_of_session",
        summary="The broadcast of a session as it is now",
        description=f"The one that was started last. {IN_PATH}",
        request=SessionSerializer,
        responses={200: BroadcastSerializer},
        extensions={"x-codes": {"broadcast_not_found", *AT_A_SESSION}},
    )
    def status(self, request: Request, name: str) -> Response:
        return Response(_as_told(Activity.objects.fetch(_latest(request))))


def _options(body: dict[str, Any]) -> dict[str, Any]:
    """Those of video.broadcasts.start_broadcast."""
    return {
        "outputs": {
            "hls": {"lowLatency": body["low_latency"], "dvr": body["dvr"]},
            "rtmp": body["rtmp"],
        },
        "stream_mode": body["stream_mode"],
        "resolution": "1920x1080" if body["fhd"] else None,
    }


def _latest(request: Request) -> Activity:
    session_id = read_about_session(SessionSerializer, request)["session_id"]
    return Activity.objects.latest_of(session_id, Kind.BROADCAST)


def _as_told(broadcast: Activity) -> Remote:
    """OpenTok's own object, or what is known of one that has ended."""
    over = {
        "id": str(broadcast.pk),
        "sessionId": broadcast.session_id,
        "status": broadcast.status,
        "broadcastUrls": None,
    }
    return broadcast.answer or broadcast.details | over

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import ViewSet

from access.capabilities import Capability
from access.limits import Throttle
from live.models import Activity, Kind
from live.samples.serializers import (
    AudioConnectionSerializer,
    ConnectAudioSerializer,
    DisconnectAudioSerializer,
)
from rooms.coverage import check_client_covers_session
from video.errors import ANY_CALL

AT_A_SESSION = {"invalid", "session_invalid", "room_not_covered", *ANY_CALL}
# What the sample's bots expect, in Hz.
AUDIO_RATE = 16_000


@extend_schema(tags=["Audio connectors"])
class AudioConnectorViewSet(ViewSet):
    """The audio of a session to a bot and back, by one of its participants."""

    needs = Capability.CALL
    takes_client_tokens = {"connect", "disconnect"}

    def get_throttles(self) -> list[BaseThrottle]:
        return [Throttle("record")]

    @extend_schema(
        operation_id="connect_audio",
        summary="Connect the audio of a session to a WebSocket",
        description="In both directions, with 16,000 samples a second.",
        request=ConnectAudioSerializer,
        responses={200: AudioConnectionSerializer},
        extensions={"x-codes": {"audio_connector_refused", "nobody_connected", *AT_A_SESSION}},
    )
    def connect(self, request: Request) -> Response:
        body = ConnectAudioSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        session_id = body.validated_data["session_id"]
        check_client_covers_session(request, session_id)
        connector = Activity.objects.connect_audio(
            session_id,
            uri=f"wss://{body.validated_data['host']}",
            audio_rate=AUDIO_RATE,
            bidirectional=True,
        )
        return Response({"id": str(connector.pk), "connectionId": connector.connection_id})

    @extend_schema(
        operation_id="disconnect_audio",
        summary="End an audio connection",
        description="Again is fine.",
        request=DisconnectAudioSerializer,
        responses={204: OpenApiResponse(description="It has ended.")},
        extensions={"x-codes": {"audio_connector_not_found", *AT_A_SESSION}},
    )
    def disconnect(self, request: Request) -> HttpResponse:
        body = DisconnectAudioSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        session_id = body.validated_data["session_id"]
        check_client_covers_session(request, session_id)
        # No other connection: with a publisher's token, this removes bots and not people.
        connector = Activity.objects.latest_of(
            session_id,
            Kind.AUDIO_CONNECTOR,
            connection_id=str(body.validated_data["connection_id"]),
        )
        Activity.objects.stop(connector)
        return Response(status=204)

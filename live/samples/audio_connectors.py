from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from access.capabilities import Capability
from live.models import Activity, Kind
from live.samples.bodies import AT_A_SESSION, read_about_session
from live.samples.serializers import (
    AudioConnectionSerializer,
    ConnectAudioSerializer,
    DisconnectAudioSerializer,
)

# What the sample's bots expect, in Hz.
AUDIO_RATE = 16_000


@extend_schema(tags=["Audio connectors"])
class AudioConnectorViewSet(ViewSet):
    """The audio of a session to a bot and back, by one of its participants."""

    needs = Capability.CALL
    takes_client_tokens = {"connect", "disconnect"}
    limit = "record"

    @extend_schema(
        operation_id="connect_audio",
        summary="Connect the audio of a session to a WebSocket",
        description="In both directions, with 16,000 samples a second.",
        request=ConnectAudioSerializer,
        responses={200: AudioConnectionSerializer},
        extensions={"x-codes": {"audio_connector_refused", "nobody_connected", *AT_A_SESSION}},
    )
    def connect(self, request: Request) -> Response:
        body = read_about_session(ConnectAudioSerializer, request)
        connector = Activity.objects.connect_audio(
            body["session_id"],
            uri=f"wss://{body['host']}",
            audio_rate=AUDIO_RATE,
            bidirectional=True,
        )
        return Response({"id": str(connector.pk), "connectionId": connector.connection_id})

    @extend_schema(
        operation_id="disconnect_audio",
        summary="End an audio connection",
        description="It may be repeated.",
        request=DisconnectAudioSerializer,
        responses={204: OpenApiResponse(description="It has ended.")},
        extensions={"x-codes": {"audio_connector_not_found", *AT_A_SESSION}},
    )
    def disconnect(self, request: Request) -> HttpResponse:
        body = read_about_session(DisconnectAudioSerializer, request)
        # No other connection: with a publisher's token, this removes bots and not people.
        connector = Activity.objects.latest_of(
            body["session_id"],
            Kind.AUDIO_CONNECTOR,
            connection_id=str(body["connection_id"]),
        )
        Activity.objects.stop(connector)
        return Response(status=204)

"""What the clients of the sample servers send. Anything else in a body is ignored, as there."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from archives.serializers import SESSION
from web.serializers import BodySerializer

# A host, with an optional port and path. A user, query or fragment could disguise the address.
HOST = (
    r"\A(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?\Z"
)
PHONE_NUMBER = r"\A\+?[1-9][0-9]{3,14}\Z"


def with_example(**body: Any) -> Any:
    shown = OpenApiExample("Such as", body, request_only=True)
    return extend_schema_serializer(examples=[shown])


@with_example(**SESSION)
class SessionSerializer(BodySerializer):
    sessionId = serializers.CharField(source="session_id", max_length=255)  # noqa: N815  the wire's spelling


@with_example(**SESSION, token="T1==…")  # noqa: S106
class StartCaptionsSerializer(SessionSerializer):
    token = serializers.CharField(
        required=False,
        allow_blank=True,
        write_only=True,
        max_length=8192,
        help_text="A client token of this session: the proof, unless there is an `Authorization`.",
    )


class RtmpTargetSerializer(serializers.Serializer):
    id = serializers.CharField(required=False, max_length=255)
    serverUrl = serializers.RegexField(r"\Artmps?://\S+\Z", max_length=2048)  # noqa: N815
    streamName = serializers.CharField(max_length=2048)  # noqa: N815


@with_example(**SESSION, rtmp=[], lowLatency=False, dvr=True, streamMode="auto")
class StartBroadcastSerializer(SessionSerializer):
    rtmp = serializers.ListField(child=RtmpTargetSerializer(), default=list, max_length=5)
    lowLatency = serializers.BooleanField(source="low_latency", default=False)  # noqa: N815
    dvr = serializers.BooleanField(default=False)
    fhd = serializers.BooleanField(default=False, help_text="In 1920x1080.")
    streamMode = serializers.ChoiceField(  # noqa: N815
        ["auto", "manual"], source="stream_mode", default="auto"
    )


@with_example(msisdn="14155550100")
class DialSerializer(BodySerializer):
    msisdn = serializers.RegexField(
        PHONE_NUMBER, required=False, allow_blank=True, help_text="A phone to call, in E.164."
    )

    def validate_msisdn(self, number: str) -> str:
        return number.removeprefix("+")


@with_example(**SESSION, webSocketHost="bot.example.com:8443/audio")
class ConnectAudioSerializer(SessionSerializer):
    webSocketHost = serializers.RegexField(  # noqa: N815
        HOST,
        source="host",
        max_length=2000,
        help_text="A host, with a port and a path if need be, and without `wss://`.",
    )


@with_example(**SESSION, connectionId="c053fcc8-c681-41d5-8ec2-7a9e1434a21f")
class DisconnectAudioSerializer(SessionSerializer):
    connectionId = serializers.UUIDField(source="connection_id")  # noqa: N815


@with_example(**SESSION, url="https://example.com/whiteboard")
class StartRenderSerializer(SessionSerializer):
    url = serializers.RegexField(
        r"\Ahttps?://\S+\Z",
        min_length=15,
        max_length=2048,
        error_messages={"required": "Name the page to compose in this field."},
    )


class RenderIdSerializer(BodySerializer):
    id = serializers.CharField(max_length=100, help_text="In the query or in the body.")


class RenderListSerializer(BodySerializer):
    count = serializers.IntegerField(min_value=0, max_value=1000, default=50)
    offset = serializers.IntegerField(min_value=0, max_value=10**9 - 1, default=0)


# What they are answered


class IdSerializer(serializers.Serializer):
    id = serializers.UUIDField()


class BroadcastSerializer(serializers.Serializer):
    """A broadcast as OpenTok has it at the moment. It may have more members than these."""

    id = serializers.UUIDField()
    sessionId = serializers.CharField()  # noqa: N815
    status = serializers.CharField(help_text="`started` or `stopped`.")
    broadcastUrls = serializers.DictField(  # noqa: N815
        allow_null=True, help_text="`hls` is the address to watch; null once it has stopped."
    )


class ConferenceSerializer(serializers.Serializer):
    pin = serializers.CharField(help_text="What callers key in.")
    conversationName = serializers.CharField()  # noqa: N815
    sessionId = serializers.CharField()  # noqa: N815
    conferenceNumber = serializers.CharField(  # noqa: N815
        allow_null=True, help_text="What callers dial; null if this server has no number."
    )


class CallSerializer(serializers.Serializer):
    """A SIP call as OpenTok has it. It may have more members than these."""

    id = serializers.CharField()
    connectionId = serializers.CharField()  # noqa: N815
    streamId = serializers.CharField()  # noqa: N815


class AudioConnectionSerializer(serializers.Serializer):
    id = serializers.CharField()
    connectionId = serializers.CharField()  # noqa: N815


class RenderSerializer(serializers.Serializer):
    """An Experience Composer as OpenTok has it. It may have more members than these."""

    id = serializers.UUIDField()
    sessionId = serializers.CharField()  # noqa: N815
    status = serializers.CharField()
    url = serializers.CharField(required=False)


class RendersSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    items = RenderSerializer(many=True)

import re
from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers

from api.archive_serializers import RESOLUTIONS, LayoutSerializer
from api.serializers import (
    IdField,
    MillisecondsField,
    NullIfEmptyField,
    PageSerializer,
    StrictSerializer,
)

LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\Z"
DIGITS = r"^[0-9*#p]{1,100}\Z"
HEADER = re.compile(r"X-[A-Za-z0-9-]{1,100}")
MAX_STREAMS = 100
MAX_RTMP = 5


class AddressField(serializers.CharField):
    """A URL of one of these schemes, with a host and no white space."""

    def __init__(self, *schemes: str, **options: Any) -> None:
        super().__init__(max_length=2048, **options)
        self.schemes = schemes

    def to_internal_value(self, data: Any) -> str:
        text = str(super().to_internal_value(data))
        try:
            url = urlsplit(text)
            is_good = url.scheme in self.schemes and bool(url.hostname) and url.port != 0
        except ValueError:
            is_good = False
        if not (is_good and re.fullmatch(r"[!-~]+", text)):
            starts = " or ".join(f"{scheme}://" for scheme in self.schemes)
            raise serializers.ValidationError(f"This must be a URL that starts with {starts}.")
        return text


class ActivitySerializer(serializers.Serializer):
    """What runs, or ran, in a room's session. Times are milliseconds since 1970, as OpenTok's."""

    id = serializers.UUIDField()
    room = serializers.CharField(source="room_name", help_text="Its name; empty for none.")
    sessionId = serializers.CharField(source="session_id")  # noqa: N815  the wire's, here and below
    status = serializers.CharField(help_text="started, stopped, failed and others of OpenTok's.")
    reason = serializers.CharField(help_text="Why it ended or failed, if OpenTok says so.")
    connectionId = NullIfEmptyField(  # noqa: N815
        source="connection_id",
        allow_null=True,
        help_text="Of a call or an audio connector, in the session.",
    )
    streamId = NullIfEmptyField(source="stream_id", allow_null=True)  # noqa: N815
    createdAt = MillisecondsField(source="created_at")  # noqa: N815
    updatedAt = MillisecondsField(source="updated_at")  # noqa: N815
    endsAt = MillisecondsField(  # noqa: N815
        source="ends_at", help_text="When it is stopped if nothing stops it before."
    )
    endedAt = MillisecondsField(source="ended_at", allow_null=True)  # noqa: N815
    details = serializers.DictField(
        help_text="The rest of OpenTok's own object, such as `broadcastUrls`, without secrets."
    )


class ActivityQuerySerializer(PageSerializer):
    room = serializers.CharField(
        required=False, trim_whitespace=False, help_text="A room's name, deleted ones as well."
    )
    running = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those that run, or do not."
    )


class HlsSerializer(StrictSerializer):
    dvr = serializers.BooleanField(required=False, help_text="Viewers can go back in time.")
    lowLatency = serializers.BooleanField(required=False)  # noqa: N815

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("dvr") and attrs.get("lowLatency"):
            raise serializers.ValidationError({"lowLatency": "This and dvr exclude each other."})
        return attrs


class RtmpSerializer(StrictSerializer):
    id = serializers.CharField(required=False, max_length=100)
    serverUrl = AddressField("rtmp", "rtmps")  # noqa: N815
    streamName = serializers.CharField(  # noqa: N815
        max_length=1000, help_text="The stream's key. It is kept nowhere."
    )


class OutputsSerializer(StrictSerializer):
    """Where it goes to: HLS, RTMP servers, or both."""

    hls = HlsSerializer(required=False)
    rtmp = RtmpSerializer(many=True, required=False, help_text="At most five.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "hls" not in attrs and not attrs.get("rtmp"):
            raise serializers.ValidationError({"hls": "Name hls, rtmp, or both."})
        if len(attrs.get("rtmp", [])) > MAX_RTMP:
            raise serializers.ValidationError({"rtmp": f"At most {MAX_RTMP} of them."})
        return attrs


class NewBroadcastSerializer(StrictSerializer):
    outputs = OutputsSerializer()
    layout = LayoutSerializer(required=False)
    maxDuration = serializers.IntegerField(  # noqa: N815
        source="max_duration",
        required=False,
        min_value=60,
        max_value=36_000,
        help_text="Seconds. Else LIVE_MAX_DURATION.",
    )
    maxBitrate = serializers.IntegerField(  # noqa: N815
        source="max_bitrate", required=False, min_value=100_000, max_value=6_000_000
    )
    resolution = serializers.ChoiceField(RESOLUTIONS, required=False)
    streamMode = serializers.ChoiceField(  # noqa: N815
        ["auto", "manual"], source="stream_mode", required=False
    )
    multiBroadcastTag = serializers.CharField(  # noqa: N815
        source="multi_broadcast_tag", required=False, max_length=1000
    )
    hasAudio = serializers.BooleanField(source="has_audio", required=False)  # noqa: N815
    hasVideo = serializers.BooleanField(source="has_video", required=False)  # noqa: N815


class NewCaptionsSerializer(StrictSerializer):
    languageCode = serializers.RegexField(  # noqa: N815
        LANGUAGE, source="language_code", required=False, help_text="Such as de-DE. Else en-US."
    )
    partialCaptions = serializers.BooleanField(  # noqa: N815
        source="partial_captions", required=False, help_text="While a sentence is spoken as well."
    )
    maxDuration = serializers.IntegerField(  # noqa: N815
        source="max_duration", required=False, min_value=300, max_value=14_400
    )


class NewRenderSerializer(StrictSerializer):
    url = AddressField("http", "https", min_length=15)
    name = serializers.CharField(required=False, min_length=1, max_length=200)
    resolution = serializers.ChoiceField(RESOLUTIONS, required=False)
    maxDuration = serializers.IntegerField(  # noqa: N815
        source="max_duration", required=False, min_value=60, max_value=36_000
    )


class NewCallSerializer(StrictSerializer):
    uri = serializers.RegexField(
        r"^sips?:[!-~]{1,2000}\Z", help_text="A SIP address: sip:user@host;transport=tls."
    )
    sender = serializers.RegexField(
        r"^[!-~]{1,128}\Z", required=False, help_text="`from`: the number or address it shows."
    )
    headers = serializers.DictField(
        child=serializers.CharField(max_length=1000),
        required=False,
        help_text="Own headers; each name starts with X-.",
    )
    username = serializers.CharField(required=False, max_length=200)
    password = serializers.CharField(required=False, max_length=200, help_text="Kept nowhere.")
    secure = serializers.BooleanField(required=False, help_text="Encrypted by TLS.")
    video = serializers.BooleanField(required=False)
    observeForceMute = serializers.BooleanField(  # noqa: N815
        source="observe_force_mute", required=False
    )
    streams = serializers.ListField(child=IdField(), required=False, max_length=MAX_STREAMS)

    def validate_headers(self, headers: dict[str, str]) -> dict[str, str]:
        if not all(HEADER.fullmatch(name) for name in headers):
            raise serializers.ValidationError("The name of each header starts with X-.")
        return headers


class DigitsSerializer(StrictSerializer):
    digits = serializers.RegexField(DIGITS, help_text="0 to 9, * and #; p is a pause of 500 ms.")


class NewAudioConnectorSerializer(StrictSerializer):
    uri = AddressField("ws", "wss")
    streams = serializers.ListField(child=IdField(), required=False, max_length=MAX_STREAMS)
    headers = serializers.DictField(
        child=serializers.CharField(max_length=500), required=False, help_text="512 bytes in all."
    )
    audioRate = serializers.ChoiceField(  # noqa: N815
        [8000, 16000, 24000], source="audio_rate", required=False
    )
    bidirectional = serializers.BooleanField(required=False, help_text="Hear the bot as well.")


class StopReportSerializer(serializers.Serializer):
    """What a stop of everything did."""

    class PartSerializer(serializers.Serializer):
        kind = serializers.CharField(help_text="recording, broadcast, captions, render, call, …")
        id = serializers.CharField(allow_null=True)

    class FailureSerializer(PartSerializer):
        code = serializers.CharField(help_text="Of the problem, as in an error.")
        detail = serializers.CharField()

    ended = PartSerializer(many=True)
    failed = FailureSerializer(many=True)

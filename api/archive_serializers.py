from typing import Any

from rest_framework import serializers

from api.serializers import IdField, PageSerializer, StrictSerializer
from api.times import MomentField
from archives.states import Status

DAY = 86_400
RESOLUTIONS = ["640x480", "480x640", "1280x720", "720x1280", "1920x1080", "1080x1920"]
LAYOUTS = ["bestFit", "custom", "horizontalPresentation", "pip", "verticalPresentation"]
COMPOSED_ONLY = ["resolution", "layout", "max_bitrate", "quantization_parameter"]


class ArchiveQuerySerializer(PageSerializer):
    search = serializers.CharField(
        required=False,
        trim_whitespace=False,
        help_text="Part of the name of a recording or of its room, in any case and with or without "
        "accents; the recording's id; or a whole session id.",
    )
    room = serializers.CharField(
        required=False, trim_whitespace=False, help_text="A room's name: recordings of all its "
        "sessions, past ones as well; and of deleted rooms of this name, unless the key is for "
        "some rooms only."
    )  # fmt: skip
    sessionId = serializers.CharField(  # noqa: N815  the wire's spelling, here and below
        source="session_id", required=False, help_text="Also one whose room was deleted."
    )
    status = serializers.ChoiceField(Status.choices, required=False)
    createdAfter = MomentField(  # noqa: N815
        source="created_at__gte", required=False, help_text="This moment included."
    )
    createdBefore = MomentField(  # noqa: N815
        source="created_at__lt", required=False, help_text="This moment not included."
    )


class LayoutSerializer(StrictSerializer):
    """How the streams of a composed recording are arranged."""

    type = serializers.ChoiceField(LAYOUTS)
    stylesheet = serializers.CharField(
        required=False, help_text="CSS, which the type custom needs, and no other type has."
    )
    screenshareType = serializers.ChoiceField(  # noqa: N815
        [name for name in LAYOUTS if name != "custom"],
        required=False,
        help_text="The type while a screen is shared; only with the type bestFit.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("stylesheet" in attrs) != (attrs["type"] == "custom"):
            _refuse("stylesheet", "The type custom needs one, and no other type has one.")
        if "screenshareType" in attrs and attrs["type"] != "bestFit":
            _refuse("screenshareType", "This goes with the type bestFit alone.")
        return attrs


class TranscriptionSerializer(StrictSerializer):
    primaryLanguageCode = serializers.RegexField(  # noqa: N815
        r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z", required=False, help_text="Such as en-US."
    )
    hasSummary = serializers.BooleanField(required=False)  # noqa: N815


class NewArchiveSerializer(StrictSerializer):
    """What to record, named by its room or by its session, and how."""

    room = serializers.CharField(
        required=False, trim_whitespace=False, help_text="A room's name; or else sessionId."
    )
    sessionId = serializers.CharField(  # noqa: N815
        source="session_id", required=False, help_text="A session; or else room."
    )
    name = serializers.CharField(required=False, help_text="Else the room's name.")
    hasAudio = serializers.BooleanField(source="has_audio", default=True)  # noqa: N815
    hasVideo = serializers.BooleanField(source="has_video", default=True)  # noqa: N815
    outputMode = serializers.ChoiceField(  # noqa: N815
        ["composed", "individual"],
        source="output_mode",
        default="composed",
        help_text="One file of all streams, or one of each stream.",
    )
    resolution = serializers.ChoiceField(
        RESOLUTIONS, required=False, help_text="Of a composed recording. Else 640x480."
    )
    layout = LayoutSerializer(required=False, help_text="Of a composed recording. Else bestFit.")
    streamMode = serializers.ChoiceField(  # noqa: N815
        ["auto", "manual"],
        source="stream_mode",
        default="auto",
        help_text="Whether all streams are recorded, or those that are added.",
    )
    multiArchiveTag = serializers.CharField(  # noqa: N815
        source="multi_archive_tag",
        required=False,
        help_text="Tells recordings of one session at the same time apart.",
    )
    maxBitrate = serializers.IntegerField(  # noqa: N815
        source="max_bitrate",
        min_value=100_000,
        max_value=6_000_000,
        required=False,
        help_text="Of a composed recording, in bits per second.",
    )
    quantizationParameter = serializers.IntegerField(  # noqa: N815
        source="quantization_parameter",
        min_value=15,
        max_value=40,
        required=False,
        help_text="Of a composed recording, in the place of maxBitrate; less is better.",
    )
    hasTranscription = serializers.BooleanField(  # noqa: N815
        source="has_transcription", default=False
    )
    transcriptionProperties = TranscriptionSerializer(  # noqa: N815
        source="transcription_properties", required=False, help_text="With hasTranscription."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("room" in attrs) == ("session_id" in attrs):
            _refuse("room", "Name either a room or a sessionId.")
        if not (attrs["has_audio"] or attrs["has_video"]):
            _refuse("hasVideo", "A recording has audio, video or both.")
        if attrs["output_mode"] != "composed":
            for name, field in self.fields.items():
                if field.source in COMPOSED_ONLY and field.source in attrs:
                    _refuse(name, "This goes with the outputMode composed alone.")
        if {"max_bitrate", "quantization_parameter"} <= attrs.keys():
            _refuse("quantizationParameter", "This and maxBitrate exclude each other.")
        if "transcription_properties" in attrs and not attrs["has_transcription"]:
            _refuse("transcriptionProperties", "This goes with hasTranscription alone.")
        return attrs


class StreamSerializer(StrictSerializer):
    """A stream to record."""

    streamId = IdField(source="stream_id")  # noqa: N815
    hasAudio = serializers.BooleanField(source="has_audio", default=True)  # noqa: N815
    hasVideo = serializers.BooleanField(source="has_video", default=True)  # noqa: N815


class NewShareSerializer(StrictSerializer):
    lifetime = serializers.IntegerField(
        default=7 * DAY,
        min_value=60,
        max_value=365 * DAY,
        help_text="Seconds until the link ends. The recording's file may be gone before.",
    )


class ShareSerializer(serializers.Serializer):
    url = serializers.URLField(help_text="Whoever has it may watch the recording.")
    expiresAt = serializers.DateTimeField()  # noqa: N815


class ArchiveSerializer(serializers.Serializer):
    """OpenTok's own object, with the name of the room and the hold. It may have fields that are not
    named here.

    Its times are OpenTok's: milliseconds since 1970.
    """

    id = serializers.UUIDField()
    room = serializers.CharField(
        allow_null=True,
        help_text="Of the room that it was made in, also when that was deleted; null for none.",
    )
    sessionId = serializers.CharField()  # noqa: N815
    status = serializers.CharField(help_text=", ".join(Status.values))
    name = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    duration = serializers.IntegerField(help_text="Seconds; 0 until it is known.")
    size = serializers.IntegerField(help_text="Bytes; 0 until it is known.")
    createdAt = serializers.IntegerField()  # noqa: N815
    updatedAt = serializers.IntegerField(allow_null=True)  # noqa: N815
    heldAt = serializers.IntegerField(  # noqa: N815
        allow_null=True, help_text="Since when it is on hold; null for not at all."
    )
    url = serializers.CharField(
        allow_null=True,
        help_text="Of the file, for ten minutes: while OpenTok or the server's storage has it, and "
        "not in a list.",
    )

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance


def _refuse(name: str, reason: str) -> None:
    raise serializers.ValidationError({name: reason})

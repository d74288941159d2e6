from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from video.archives import MAX_ARCHIVES
from web.serializers import BodySerializer

SESSION = {"sessionId": "1_MX40NTk5OTk5OX5-MTcwMDAwMDAwMDAwMH5hYmN-UH5-"}


@extend_schema_serializer(examples=[OpenApiExample("Such as", SESSION, request_only=True)])
class StartSerializer(BodySerializer):
    """The body of POST /archive/start; like the sample server it ignores anything else in it."""

    sessionId = serializers.CharField(  # noqa: N815  the wire's spelling
        source="session_id",
        max_length=255,
        error_messages={"required": "Name the session to record in this field."},
    )
    outputMode = serializers.ChoiceField(  # noqa: N815
        ["composed", "individual"], source="output_mode", default="composed"
    )
    hasTranscription = serializers.BooleanField(source="has_transcription", default=False)  # noqa: N815


class ListQuerySerializer(BodySerializer):
    """The query of GET /archive; what is empty counts as absent."""

    count = serializers.IntegerField(min_value=0, max_value=MAX_ARCHIVES, default=MAX_ARCHIVES)
    offset = serializers.IntegerField(min_value=0, max_value=10**9 - 1, default=0)
    sessionId = serializers.CharField(source="session_id", max_length=255, default=None)  # noqa: N815

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({name: data[name] for name in data if data[name]})


class RecordingSerializer(serializers.Serializer):
    """A recording as OpenTok has it at the moment. It may have more members than these."""

    id = serializers.UUIDField()
    status = serializers.CharField(
        help_text="`started`, `paused`, `stopped`, `uploaded`, `available`, `failed`, `expired` or "
        "`deleted`."
    )
    sessionId = serializers.CharField()  # noqa: N815
    name = serializers.CharField(allow_null=True, required=False, help_text="The room's name.")
    createdAt = serializers.IntegerField(  # noqa: N815
        required=False, help_text="Milliseconds since 1970."
    )
    duration = serializers.IntegerField(required=False, help_text="Seconds.")
    size = serializers.IntegerField(required=False, help_text="Bytes.")
    url = serializers.CharField(
        allow_null=True, required=False, help_text="Once available: a link for ten minutes."
    )

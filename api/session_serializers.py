"""Who is in a room's session: the words of OpenTok, whose times are milliseconds since 1970."""

from typing import Any

from rest_framework import serializers

from api.serializers import IdField, StrictSerializer, at_most_bytes

# OpenTok's limits.
MAX_TYPE_BYTES = 128
MAX_DATA_BYTES = 8 * 1024


class ConnectionSerializer(serializers.Serializer):
    """OpenTok's own object. It may have fields that are not named here."""

    connectionId = serializers.CharField()  # noqa: N815  the wire's spelling, here and below
    connectionState = serializers.CharField(required=False)  # noqa: N815
    createdAt = serializers.IntegerField(required=False)  # noqa: N815

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance


class ConnectionListSerializer(serializers.Serializer):
    items = ConnectionSerializer(many=True)


class PublishedStreamSerializer(serializers.Serializer):
    """OpenTok's own object. It may have fields that are not named here."""

    id = serializers.UUIDField()
    videoType = serializers.CharField(  # noqa: N815
        required=False, allow_null=True, help_text="camera, screen or custom."
    )
    name = serializers.CharField(required=False, allow_null=True)
    layoutClassList = serializers.ListField(  # noqa: N815
        child=serializers.CharField(), required=False, allow_null=True
    )

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance


class PublishedStreamListSerializer(serializers.Serializer):
    items = PublishedStreamSerializer(many=True)


class ClassesSerializer(StrictSerializer):
    """The classes of one stream, in the place of those that it had."""

    id = serializers.UUIDField()
    layoutClassList = serializers.ListField(  # noqa: N815
        child=serializers.RegexField(r"^\S+\Z", trim_whitespace=False)
    )


class LayoutClassesSerializer(StrictSerializer):
    """The streams that get other classes. The others keep theirs."""

    items = ClassesSerializer(many=True, allow_empty=False)

    def validate_items(self, items: list[dict[str, Any]]) -> dict[str, list[str]]:
        return {str(item["id"]): item["layoutClassList"] for item in items}


class MuteSerializer(StrictSerializer):
    excludedStreamIds = serializers.ListField(  # noqa: N815
        source="except_streams",
        child=IdField(),
        required=False,
        help_text="The streams that are not muted.",
    )


class SignalSerializer(StrictSerializer):
    """What clients are told, by nobody among them."""

    data = serializers.CharField(  # type: ignore[assignment]  # a field is no attribute in the end
        allow_blank=True,
        trim_whitespace=False,
        validators=[at_most_bytes(MAX_DATA_BYTES)],
        help_text="At most 8 kB of UTF-8.",
    )
    type = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        validators=[at_most_bytes(MAX_TYPE_BYTES)],
        help_text="What clients listen for; at most 128 bytes of UTF-8.",
    )
    connectionId = IdField(  # noqa: N815
        source="connection_id", required=False, help_text="Whom it is for. Else for all."
    )

from datetime import datetime

from rest_framework import serializers

from api.serializers import StrictSerializer, at_most_bytes
from rooms.models import Role
from rooms.policy import MAX_TOKEN_SECONDS, MIN_TOKEN_SECONDS
from video import tokens

# OpenTok's limits.
MAX_DATA_BYTES = 1000
MAX_CLASSES_CHARACTERS = 1000


class NewTokenSerializer(StrictSerializer):
    """What is left out is as for any visitor of the room."""

    role = serializers.ChoiceField(Role.choices, required=False, help_text="What the token allows.")
    lifetime = serializers.IntegerField(
        required=False,
        min_value=MIN_TOKEN_SECONDS,
        max_value=MAX_TOKEN_SECONDS,
        help_text="Seconds for which it is valid; fewer if the room closes before.",
    )
    data = serializers.CharField(  # type: ignore[assignment]  # a field is no attribute in the end
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        validators=[at_most_bytes(MAX_DATA_BYTES)],
        help_text="Connection data: the others in the room receive it. Up to 1000 bytes of UTF-8.",
    )
    layoutClasses = serializers.ListField(  # noqa: N815  the wire's spelling
        source="layout_classes",
        child=serializers.RegexField(r"^\S+\Z", trim_whitespace=False),
        required=False,
        help_text="Layout classes of the person's streams; up to 1000 characters in all.",
    )

    def validate_layoutClasses(self, classes: list[str]) -> list[str]:  # noqa: N802
        if len(" ".join(classes)) > MAX_CLASSES_CHARACTERS:
            raise serializers.ValidationError(f"At most {MAX_CLASSES_CHARACTERS} characters.")
        return classes


class TokenSerializer(serializers.Serializer):
    """What a client needs to join the room."""

    apiKey = serializers.CharField(help_text="For OpenTok's clients.")  # noqa: N815
    applicationId = serializers.CharField(help_text="The same, for Vonage's.")  # noqa: N815
    sessionId = serializers.CharField()  # noqa: N815
    token = serializers.CharField()
    expiresAt = serializers.SerializerMethodField()  # noqa: N815

    def get_expiresAt(self, credentials: dict[str, str]) -> datetime:  # noqa: N802
        return tokens.expires_at(credentials["token"])

from rest_framework import serializers


class CredentialsSerializer(serializers.Serializer):
    """What OpenTok's and Vonage's clients need to join a room."""

    apiKey = serializers.CharField(help_text="For OpenTok's clients.")  # noqa: N815
    applicationId = serializers.CharField(help_text="The same, for Vonage's clients.")  # noqa: N815
    sessionId = serializers.CharField()  # noqa: N815
    token = serializers.CharField(
        help_text="A new one in each answer, good for the room's tokenLifetime or `TOKEN_TTL`, and "
        "not longer than the room is open."
    )

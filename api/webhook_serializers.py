"""Webhooks and their deliveries."""

from fnmatch import fnmatchcase
from typing import Any

from rest_framework import serializers

from api.serializers import PageSerializer, StrictSerializer
from api.times import MomentField
from webhooks.addresses import place_of
from webhooks.deliveries import State
from webhooks.endpoints import MAX_URL
from webhooks.events import EVENTS

MAX_PATTERNS = 50


class NewWebhookSerializer(StrictSerializer):
    url = serializers.CharField(
        max_length=MAX_URL,
        help_text="Where events are sent: https://, and no address inside the server's network.",
    )
    events = serializers.ListField(
        child=serializers.CharField(max_length=40),
        min_length=1,
        max_length=MAX_PATTERNS,
        help_text="Names of events, in which `*` stands for anything, such as `recording.*`.",
    )
    roomPrefix = serializers.CharField(  # noqa: N815  the wire's spelling, here and below
        source="room_prefix",
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=200,
        help_text="Only events of rooms whose names begin with this; empty for all rooms.",
    )
    active = serializers.BooleanField(
        source="is_active", required=False, help_text="Whether events are recorded and sent."
    )

    def validate_url(self, url: str) -> str:
        place_of(url)
        return url

    def validate_events(self, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not any(fnmatchcase(event, pattern) for event in EVENTS):
                raise serializers.ValidationError(
                    f"No event matches {pattern}. The events are: {', '.join(EVENTS)}."
                )
        return patterns


class WebhookSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    roomPrefix = serializers.CharField(source="room_prefix")  # noqa: N815
    active = serializers.BooleanField(source="is_active")
    failingSince = serializers.DateTimeField(  # noqa: N815
        source="failing_since",
        allow_null=True,
        help_text="Since when no delivery has succeeded. After a day it is switched off.",
    )
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815


class WebhookSecretSerializer(WebhookSerializer):
    secret = serializers.CharField(
        source="shown_secret", help_text="Signs its events. It is shown only once."
    )


class DeliverySerializer(serializers.Serializer):
    id = serializers.CharField(source="pk", help_text="Its `webhook-id` header begins with it.")
    event = serializers.CharField()
    room = serializers.CharField(source="room_name")
    state = serializers.ChoiceField(State.choices)
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    deliveredAt = serializers.DateTimeField(source="delivered_at", allow_null=True)  # noqa: N815
    nextAttemptAt = serializers.DateTimeField(source="next_try_at", allow_null=True)  # noqa: N815
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(
        allow_null=True, help_text="HTTP status of the last answer; null if there was none."
    )
    answer = serializers.CharField(help_text="Beginning of the last answer, or why there was none.")
    milliseconds = serializers.IntegerField(
        allow_null=True, help_text="How long the last attempt took."
    )


class DeliveryQuerySerializer(PageSerializer):
    state = serializers.ChoiceField(State.choices, required=False)


class RedeliverySerializer(StrictSerializer):
    """Some by their ids, or all since a moment that are over."""

    deliveries = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        min_length=1,
        max_length=1000,
    )
    since = MomentField(required=False, help_text="Events recorded from then on.")
    until = MomentField(required=False, help_text="Events recorded before then.")
    state = serializers.ChoiceField(
        [State.FAILED, State.DELIVERED], required=False, help_text="Only those in this state."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("deliveries" in attrs) == ("since" in attrs):
            raise serializers.ValidationError("Send either `deliveries` or `since`.")
        return attrs


class RedeliveredSerializer(serializers.Serializer):
    count = serializers.IntegerField(
        source="sent", help_text="How many are sent again, 10,000 at most."
    )
    next = serializers.DateTimeField(
        source="more_since",
        allow_null=True,
        help_text="The `since` with which the next ones are sent again; null if there are none.",
    )

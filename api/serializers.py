"""Bodies and queries of several views."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from video import values
from web.serializers import StrictSerializer as StrictSerializer  # what views here import


class IdField(serializers.UUIDField):
    """One of OpenTok's ids, which are texts here."""

    def to_internal_value(self, data: Any) -> Any:
        return str(super().to_internal_value(data))


class MillisecondsField(serializers.IntegerField):
    """A moment as OpenTok writes it: milliseconds since 1970."""

    def to_representation(self, value: Any) -> Any:
        return values.milliseconds(value)


class NullIfEmptyField(serializers.CharField):
    """Null where the column is empty."""

    def to_representation(self, value: Any) -> Any:
        return value or None


def at_most_bytes(limit: int) -> Callable[[str], None]:
    """A validator. It also sees lone surrogates, which another one refuses."""

    def check(text: str) -> None:
        if len(text.encode(errors="replace")) > limit:
            raise serializers.ValidationError(f"At most {limit} bytes of UTF-8.")

    return check


class NothingSerializer(StrictSerializer):
    """The body of what takes none; an empty object is none as well."""


class PageSerializer(StrictSerializer):
    """The query of a list; what is left after the check is the filter."""

    cursor = serializers.CharField(
        required=False, help_text="`nextCursor` or `previousCursor` of an earlier answer."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=100, required=False, help_text="How many at most. Else 50."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # These two are read by the paginator.
        return {name: value for name, value in attrs.items() if name not in {"cursor", "limit"}}

"""What is common to all bodies and queries: what they name is known, or they are refused."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer):
    """Refuses what it does not know, so that a slip of the pen does not pass in silence."""

    @classmethod
    def read(cls, data: Any, instance: Any = None) -> dict[str, Any]:
        """What was sent, checked, in our words; of an `instance`, what is to change."""
        serializer = cls(instance, data=data, partial=instance is not None)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name in data:
                if name not in self.fields:
                    known = ", ".join(self.fields) or "nothing"
                    raise serializers.ValidationError({name: f"Not known here. There is: {known}."})
        return super().to_internal_value(data)


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

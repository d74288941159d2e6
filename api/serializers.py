"""Bodies and queries of several views."""

from typing import Any

from rest_framework import serializers

from web.serializers import StrictSerializer as StrictSerializer  # what views here import


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

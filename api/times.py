import re
from datetime import datetime
from typing import Any

from rest_framework import serializers

# With what section 5.6 leaves open: t and z in lower case, or a space.
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


class MomentField(serializers.DateTimeField):
    """A moment as RFC 3339 writes it: a time without its offset is none."""

    default_error_messages = {
        "not_rfc_3339": "Write it as RFC 3339 does, with its offset: 2026-01-31T12:00:00Z."
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not (isinstance(value, str) and RFC_3339.fullmatch(value)):
            self.fail("not_rfc_3339")
        moment: datetime = super().to_internal_value(value.upper())
        return moment

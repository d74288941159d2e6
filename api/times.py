import re
from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

# With everything that section 5.6 leaves open: t and z in lower case, a space, a leap second.
RFC_3339 = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<minute>(?:[01]\d|2[0-3]):[0-5]\d):(?P<second>[0-5]\d|60)"
    r"(?P<fraction>\.\d+)?(?P<offset>[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


class MomentField(serializers.DateTimeField):
    """A moment as RFC 3339 writes it, and in no other way: a time without its offset is none.

    A leap second, which Python does not have, is the first second after it.
    """

    default_error_messages = {
        "not_rfc_3339": "Write it as RFC 3339 does, with its offset: 2026-01-31T12:00:00Z."
    }

    def to_internal_value(self, value: Any) -> datetime:
        shape = RFC_3339.fullmatch(value) if isinstance(value, str) else None
        if shape is None:
            self.fail("not_rfc_3339")
        day, minute, second, fraction, offset = shape.groups(default="")
        is_leap = second == "60"
        text = f"{day}T{minute}:{'59' if is_leap else second}{fraction}{offset.upper()}"
        moment: datetime = super().to_internal_value(text)
        if not is_leap:
            return moment
        if (moment.hour, moment.minute) != (23, 59):
            self.fail("not_rfc_3339")
        try:
            return moment + timedelta(seconds=1)
        except OverflowError:
            self.fail("overflow")

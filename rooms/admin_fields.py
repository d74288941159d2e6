"""Fields of the forms about rooms in the admin."""

import re
from typing import Any

from django import forms
from django.contrib.auth.models import User

UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
SPAN = re.compile(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*min)?\s*(?:(\d+)\s*s)?")
CLOCK = re.compile(r"(\d+):([0-5]\d)")


class OwnerField(forms.ModelChoiceField):
    """A user name to type: a list of all users would be long, and only superusers may see it."""

    widget = forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})
    default_error_messages = {"invalid_choice": "There is no user of this name."}

    def __init__(self, **named: Any) -> None:
        super().__init__(
            User.objects.all(), to_field_name="username", empty_label=None, required=False, **named
        )

    def prepare_value(self, value: Any) -> Any:
        """The name, also for an id, which Django's model forms have."""
        if isinstance(value, int):
            value = User.objects.filter(pk=value).first()
        return super().prepare_value(value)


class TimeSpanField(forms.Field):
    """Seconds, which people write as hours and minutes."""

    widget = forms.TextInput(attrs={"maxlength": 50, "autocomplete": "off"})
    default_error_messages = {
        "invalid": "Write hours and minutes, such as “1 h 30 min”, or “2 d” for days.",
        "bounds": "Between %(least)s and %(most)s.",
    }

    def __init__(self, *, least: int, most: int, **named: Any) -> None:
        super().__init__(required=False, **named)
        self.least, self.most = least, most

    def prepare_value(self, value: Any) -> Any:
        return as_span(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        if clock := CLOCK.fullmatch(text):
            counts = ["0", *clock.groups(), "0"]
        elif span := SPAN.fullmatch(text):
            counts = list(span.groups(default="0"))
        else:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid")
        seconds = sum(
            int(count) * length for count, length in zip(counts, UNITS.values(), strict=True)
        )
        if not self.least <= seconds <= self.most:
            bounds = {"least": as_span(self.least), "most": as_span(self.most)}
            raise forms.ValidationError(self.error_messages["bounds"], "bounds", bounds)
        return seconds


def as_span(seconds: int) -> str:
    """Such as “1 h 30 min”."""
    parts = []
    for unit, length in UNITS.items():
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)

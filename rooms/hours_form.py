"""Weekly hours in the form of a room in the admin."""

from typing import Any

from django import forms
from django.utils import timezone

from rooms import hours_text
from rooms.hours import as_column
from web import zones


class HoursForm(forms.ModelForm):
    """Base of a form for rooms, whose `cleaned_data` has `weekly_hours`, the column, as well."""

    hours = forms.CharField(
        label="Weekly hours",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="A line for days of the week, such as “Mon-Fri 08:00-10:00, 13:00-17:00”, or for "
        "a date with other hours, such as “2026-12-24 closed”. Empty: open at all times.",
    )
    hours_zone = forms.ChoiceField(
        label="Time zone of these hours", required=False, choices=zones.choices
    )
    hours_fields = {"hours", "hours_zone"}

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        room = self.instance
        own = str(timezone.get_current_timezone())
        self.initial["hours"] = str(room.hours or "")
        self.initial["hours_zone"] = room.hours_zone or own

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        zone = cleaned.get("hours_zone") or "UTC"
        try:
            cleaned["weekly_hours"] = as_column(hours_text.read(cleaned.get("hours", ""), zone))
        except ValueError as error:
            self.add_error("hours", f"{error}.")
        return cleaned

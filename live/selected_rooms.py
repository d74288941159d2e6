"""Actions of staff on several rooms of the list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException

from live.stopping import stop_all, summary
from meetings.models import Meeting
from meetings.presence import people_of, there_are
from rooms.hours_form import HoursForm
from rooms.models import Room
from staff.selected import SelectedActions

# In one request. New sessions each take a call to OpenTok.
MAX_CHANGED = 50
MAX_ROTATED = 10


class ClosingForm(forms.Form):
    disconnect = forms.BooleanField(
        required=False,
        initial=True,
        label="Disconnect all people in them, and stop recordings and all else that runs there",
    )


class OpeningTimesForm(HoursForm):
    class Meta:
        model = Room
        fields = ("opens_at", "closes_at")
        widgets = dict.fromkeys(
            fields, forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        )


class SelectedRooms(SelectedActions):
    actions: Any = [
        "close_selected",
        "open_selected",
        "set_hours",
        "new_session",
        "delete_selected",
    ]

    @admin.action(description="Close", permissions=["change"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        form = ClosingForm(_answer(request))
        sessions = queryset.order_by().values("session_id")
        people = people_of(Meeting.objects.filter(session_id__in=sessions, ended_at=None)).count()
        closed = "Nobody can join the rooms below until they are opened again."
        asks = f"{closed} {there_are(people)}"

        def close(room: Room) -> str:
            change(room, closed=True)
            if not form.cleaned_data["disconnect"]:
                return "Closed."
            report = stop_all(room)
            done = f"Closed. {summary(report)}"
            if report["failed"]:
                self.log_change(request, room, done)
                raise APIException(" ".join([done, *(part["detail"] for part in report["failed"])]))
            return done

        return self.do_selected(
            request, queryset, "close_selected", close, asks=asks, most=MAX_CHANGED, form=form
        )

    @admin.action(description="Open", permissions=["change"])
    def open_selected(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        def open_again(room: Room) -> str:
            change(room, closed=False)
            return "Opened."

        asks = "The rooms below are no longer closed. Their hours still count."
        return self.do_selected(
            request, queryset, "open_selected", open_again, asks=asks, most=MAX_CHANGED
        )

    @admin.action(description="Set hours", permissions=["change"])
    def set_hours(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        form = OpeningTimesForm(_answer(request), instance=queryset.first())
        asks = "What you write here takes the place of the hours of each of the rooms below."

        def set_hours_of(room: Room) -> str:
            names = "opens_at", "closes_at", "weekly_hours"
            change(room, **{name: form.cleaned_data[name] for name in names})
            return "Hours set."

        return self.do_selected(
            request, queryset, "set_hours", set_hours_of, asks=asks, most=MAX_CHANGED, form=form
        )

    @admin.action(description="Give a new session", permissions=["change"])
    def new_session(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        def renew(room: Room) -> str:
            room.rotate_session()
            return "Gave the room a new session."

        asks = (
            "The rooms below will each get a new session. People in a room stay behind in the old "
            "one until they join again; recordings of the old session still belong to the room."
        )
        return self.do_selected(
            request, queryset, "new_session", renew, asks=asks, most=MAX_ROTATED
        )


def change(room: Room, **policy: Any) -> None:
    """Change a room's policy. Error: room_not_found."""
    with transaction.atomic():
        Room.objects.lock(room.name).change_policy(**policy)


def _answer(request: HttpRequest) -> Any:
    """The POST of the page that asks for confirmation; None for that of the list."""
    return request.POST if "confirmed" in request.POST else None

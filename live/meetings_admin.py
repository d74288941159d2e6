"""Meetings in the admin."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from archives.columns import moment
from meetings import attendance
from meetings.models import Meeting
from meetings.presence import people
from rooms import related
from rooms.admin import link_to
from rooms.models import Room
from rooms.names import composed
from rooms.own_rooms import OwnRoomsOnly
from rooms.search import beginning_with
from staff.exports import ExportedAdmin
from staff.filters import PeriodFilter, RunningFilter
from staff.large_tables import ReadOnly
from web.spreadsheets import csv_response


@admin.display(description="Room")
def room_link(meeting: Meeting) -> str:
    room = Room.objects.of_session(meeting.session_id)
    return link_to(room) if room else meeting.room_name or "–"


@admin.display(description="Room")
def room_name(row: Any) -> str:
    return row.room_name or "–"


@admin.display(description="Ended")
def ended(meeting: Meeting) -> Any:
    if meeting.ended_at:
        return moment(meeting.ended_at)
    return format_html('<span class="state started">{}</span>', "running")


@admin.display(description="People")
def people_in(meeting: Meeting) -> Any:
    return meeting.people if meeting.ended_at else people(meeting.session_id).count()


@admin.display(description="Minutes")
def minutes(meeting: Meeting) -> Any:
    lasted = (meeting.ended_at or timezone.now()) - meeting.started_at
    return round(lasted.total_seconds() / 60)


class Started(PeriodFilter):
    title, parameter_name = "started", "started_at"


@admin.register(Meeting)
class MeetingAdmin(OwnRoomsOnly, ReadOnly, ExportedAdmin):
    change_form_template = "admin/meetings/meeting/change_form.html"
    list_display = ["started_at", room_name, ended, people_in, minutes]
    list_filter = [RunningFilter, Started]
    search_fields = ["room_name"]
    search_help_text = "The beginning of a room's name (case counts)."
    searched = "at the beginning of its room's name"
    sortable_by = ["started_at"]
    csv_columns: ClassVar[list[str]] = ["Started", "Ended", "Room", "People",
        "Minutes of all people", "Session"]  # fmt: skip
    fieldsets: ClassVar[Any] = [
        (None, {"fields": [room_link, "started_at", ended, people_in, minutes, "session_id"]})
    ]
    readonly_fields: ClassVar[Any] = [room_link, ended, people_in, minutes]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.attendance)
        name = "meetings_meeting_attendance"
        return [path("<int:pk>/attendance.csv", view, name=name), *super().get_urls()]

    def of_rooms(self, rows: QuerySet[Meeting], own: QuerySet[Room]) -> QuerySet[Meeting]:
        """By session, since a deleted room may have had the name of an own one."""
        return related.of_sessions(rows, own)

    def csv_row(self, row: Meeting) -> list[object]:
        return [row.started_at, row.ended_at, row.room_name, row.people,
                round(row.person_seconds / 60), row.session_id]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Meeting], search_term: str
    ) -> tuple[QuerySet[Meeting], bool]:
        if not search_term:
            return queryset, False
        return beginning_with(queryset, composed(search_term), column="room_name"), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        meeting = self.get_object(request, object_id)
        if isinstance(meeting, Meeting) and self.has_view_permission(request):
            context |= attendance.shown(attendance.attendees(meeting))
            context["csv"] = reverse("admin:meetings_meeting_attendance", args=[meeting.pk])
            if request.user.has_perm("archives.view_archive"):
                found = urlencode({SEARCH_VAR: meeting.session_id})
                context["recordings"] = f"{reverse('admin:archives_archive_changelist')}?{found}"
        return super().change_view(request, object_id, form_url, context)

    def attendance(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The attendance as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        meeting = self.get_queryset(request).filter(pk=pk).first() if pk < 1 << 63 else None
        if meeting is None:
            raise Http404
        return csv_response(
            f"meeting-{meeting.pk}.csv",
            attendance.COLUMNS,
            attendance.rows(meeting),
            zone=timezone.get_current_timezone(),
        )

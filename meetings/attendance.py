"""Attendance: who was in a meeting, as a table, and how it is forgotten."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from meetings.models import Connection, Meeting
from meetings.presence import NO_PERSON

AT_ONCE = 100
MOST_SHOWN = 200
COLUMNS = ["Name", "Connected", "Left", "Minutes", "Reason", "Data", "Connection"]


def attendees(meeting: Meeting) -> models.QuerySet[Connection]:
    """The clients of a meeting who are people, with their streams, which may have their names."""
    return _people(meeting.connections.all())


def rows(meeting: Meeting) -> Iterator[list[object]]:
    """The values of COLUMNS for each of the people."""
    for connection in attendees(meeting):
        left_at = connection.left_at
        stayed = (left_at or timezone.now()) - connection.connected_at
        yield [
            connection.name,
            connection.connected_at,
            left_at,
            round(max(stayed.total_seconds(), 0) / 60, 1),
            connection.reason,
            connection.data,
            connection.pk,
        ]


def during(session_id: str, start: datetime, end: datetime | None) -> models.QuerySet[Connection]:
    """The people who were in a session between two moments, or until now, with their streams, which
    may have their names.
    """
    end = end or timezone.now()
    meetings = Meeting.objects.filter(session_id=session_id, started_at__lte=end)
    left_later = Q(left_at=None) | Q(left_at__gte=start)
    there = Connection.objects.filter(
        left_later,
        meeting__in=meetings.filter(Q(ended_at=None) | Q(ended_at__gte=start)).order_by(),
        connected_at__lte=end,
    )
    return _people(there)


def _people(there: models.QuerySet[Connection]) -> models.QuerySet[Connection]:
    return there.exclude(data__in=NO_PERSON).prefetch_related("streams")


def shown(there: models.QuerySet[Connection]) -> dict[str, Any]:
    """The context of templates/admin/attendance.html: the first MOST_SHOWN."""
    first = list(there[: MOST_SHOWN + 1])
    return {"attendance": first[:MOST_SHOWN], "is_cut_off": len(first) > MOST_SHOWN}


def forget_attendance() -> int:
    """Delete the attendance of meetings that ended more than ATTENDANCE_DAYS ago. Returns how many
    meetings these are. They stay, with the number of people and their time.
    """
    ended = timezone.now() - timedelta(days=settings.ATTENDANCE_DAYS)
    old = Meeting.objects.filter(ended_at__lt=ended, connections__isnull=False).order_by()
    forgotten = 0
    while pks := list(old.values_list("pk", flat=True).distinct()[:AT_ONCE]):
        Connection.objects.filter(meeting__in=pks).delete()
        forgotten += len(pks)
    return forgotten

"""Who was in a meeting: as a table, and for how long that is known."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from meetings.models import Connection, Meeting

AT_ONCE = 100
COLUMNS = ["Name", "Connected", "Left", "Minutes", "Reason", "Data", "Connection"]


def rows(meeting: Meeting) -> Iterator[list[object]]:
    """A row of COLUMNS for each client."""
    for connection in meeting.connections.prefetch_related("streams"):
        left_at = connection.left_at
        stayed = (left_at or timezone.now()) - connection.connected_at
        yield [
            connection.name,
            connection.connected_at.isoformat(timespec="seconds"),
            left_at.isoformat(timespec="seconds") if left_at else "",
            round(max(stayed.total_seconds(), 0) / 60, 1),
            connection.reason,
            connection.data,
            connection.pk,
        ]


def forget_attendance() -> int:
    """Delete who was in meetings that ended more than ATTENDANCE_DAYS ago; returns in how many.

    The meetings stay, with how many people they had and for how long.
    """
    ended = timezone.now() - timedelta(days=settings.ATTENDANCE_DAYS)
    old = Meeting.objects.filter(ended_at__lt=ended, connections__isnull=False).order_by()
    forgotten = 0
    while pks := list(old.values_list("pk", flat=True).distinct()[:AT_ONCE]):
        Connection.objects.filter(meeting__in=pks).delete()
        forgotten += len(pks)
    return forgotten

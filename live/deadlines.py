"""Time limits: warnings before a meeting ends, and the ends of meetings and activities."""

import json
import logging
from datetime import timedelta

from django.utils import timezone

from audit.models import Entry
from live.models import Activity
from live.operations import failure_logged
from live.stopping import stop_all
from meetings.models import Meeting
from rooms.models import Room
from rooms.presence import look
from video import signals

# Seconds before the end of a meeting at which people are warned, by a signal of this type.
WARNINGS = (300, 60)
SIGNAL = "meetingEnds"

logger = logging.getLogger(__name__)


def meet_deadlines() -> None:
    """Called every few seconds in each process; idempotent."""
    Activity.objects.end_overdue()
    running = {meeting.session_id: meeting for meeting in Meeting.objects.filter(ended_at=None)}
    limited = Room.objects.filter(session_id__in=running, max_meeting_minutes__isnull=False)
    for room in limited.order_by():
        limit = timedelta(minutes=room.max_meeting_minutes or 0)
        with failure_logged("end a meeting at its time"):
            _meet_deadline(room, running[room.session_id], limit=limit)


def _meet_deadline(room: Room, meeting: Meeting, *, limit: timedelta) -> None:
    """Warn people before the end of their meeting, or end it."""
    ends_at = (meeting.limited_from or meeting.started_at) + limit
    left = (ends_at - timezone.now()).total_seconds()
    if left <= 0:
        report = stop_all(room, is_retried=True)
        look(room.session_id, room_name=room.name)
        if report["ended"]:
            Entry.objects.note("meeting.ended", meeting, limit=room.max_meeting_minutes)
            logger.info(
                "A meeting ended at its limit; disconnected and stopped: %d", len(report["ended"])
            )
        return
    due = [seconds for seconds in WARNINGS if left <= seconds < limit.total_seconds()]
    if due and _claim(meeting, min(due)):
        told = {"secondsLeft": round(left), "endsAt": ends_at.isoformat()}
        signals.send_signal(room.session_id, type=SIGNAL, data=json.dumps(told))


def _claim(meeting: Meeting, seconds: int) -> bool:
    """Whether this process is the one to send this warning."""
    unsent = Meeting.objects.filter(pk=meeting.pk).exclude(warned__lte=seconds)
    return bool(unsent.update(warned=seconds))

"""Ends meetings, activities and recordings of an earlier OpenTok project, which OpenTok reports no
longer.

Activities and recordings wait until OpenTok must have ended them by itself, so that a wrong key for
an hour does no harm. Meetings do not wait: nobody reports who is still in them.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from archives.entries import record_states
from archives.models import Archive
from archives.states import Status
from live.models import Activity
from live.recording import GIVEN_UP, UNFINISHED
from meetings.models import Meeting
from meetings.news import empty
from video import sessions

# The longest assumed stay after the last person came.
LONGEST_STAY = timedelta(days=1)
REASON = "The recording was made in another OpenTok project."


def end_in_other_projects() -> None:
    _end_meetings()
    Activity.objects.end_in_other_projects()
    _give_up_recordings()


def _end_meetings() -> None:
    running = Meeting.objects.filter(ended_at=None).order_by()
    last_came = Coalesce(Max("connections__connected_at"), "started_at")
    for meeting in running.annotate(last_came=last_came):
        if not sessions.owns(meeting.session_id):
            empty(meeting.session_id, min(meeting.last_came + LONGEST_STAY, timezone.now()))


def _give_up_recordings() -> None:
    """After the time for which OpenTok keeps files."""
    old = timezone.now() - GIVEN_UP
    for archive in Archive.objects.filter(status__in=UNFINISHED, created_at__lt=old):
        if not sessions.owns(archive.session_id):
            _give_up(archive)


def _give_up(archive: Archive) -> None:
    archive.known_status = archive.status
    archive.status, archive.reason = Status.FAILED, REASON
    with transaction.atomic():
        same = Archive.objects.filter(pk=archive.pk, status=archive.known_status)
        if same.update(status=archive.status, reason=archive.reason):
            record_states([archive])

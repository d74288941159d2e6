"""Records all meetings of rooms with `record_meetings`.

OpenTok makes one recording of a session at a time, so that of concurrent starts one succeeds and
the others are refused.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from archives.catalogue import ROUNDING
from archives.models import Archive
from archives.states import Status
from audit.actors import SERVER, ActorKind, acting_as
from audit.models import Entry
from live.operations import failure_logged
from live.stopping import OVER
from meetings.models import Meeting
from meetings.presence import people, running_meeting
from rooms.models import Room
from rooms.presence import is_reported, look
from video import sessions, streams
from video.archives import RUNNING
from video.errors import VideoError
from web.errors import Problem

# OpenTok cannot record what is end-to-end encrypted.
RECORDED = Q(record_meetings=True, e2ee=False)
MINUTE = timedelta(minutes=1)
# The ages of recordings between which OpenTok is asked about them.
PATIENCE = timedelta(minutes=10)
GIVEN_UP = timedelta(days=4)
UNFINISHED = [*RUNNING, Status.STOPPED]
# OpenTok's reason for the end of a recording that was stopped by a call.
STOPPED_BY_CALL = "user initiated"
# How many rooms and recordings OpenTok is asked about at a time.
MAX_LOOKS, MAX_QUESTIONS = 50, 200


def record_meeting(room: Room) -> None:
    """Start recording if the room is to be recorded and people are in it."""
    if room.record_meetings and not room.e2ee:
        with acting_as(SERVER), failure_logged("record a meeting"):
            _record(room)


def keep_recordings() -> None:
    """Called every few seconds in each process; idempotent."""
    if not is_reported():
        _find_meetings(_recorded_rooms(), used_within=timedelta(hours=1))
    running = Archive.objects.filter(status__in=RUNNING, room__record_meetings=True)
    for archive in running.select_related("room").order_by():
        if sessions.owns(archive.session_id):  # OpenTok reports no others
            with acting_as(SERVER), failure_logged("end a recording"):
                _end_if_due(archive, now=timezone.now())
    in_use = Meeting.objects.filter(ended_at=None).order_by().values("session_id")
    for room in _recorded_rooms().filter(session_id__in=in_use):
        with acting_as(SERVER), failure_logged("record a meeting"):
            _record(room)


def find_meetings(*, used_within: timedelta) -> None:
    """Ask OpenTok who is in rooms that are recorded or limited, in case callbacks are missing."""
    limited = Q(max_meeting_minutes__isnull=False) | Q(max_participants__isnull=False)
    _find_meetings(Room.objects.filter(RECORDED | limited), used_within=used_within)


def _find_meetings(rooms: QuerySet[Room], *, used_within: timedelta) -> None:
    used = rooms.filter(last_used_at__gte=timezone.now() - used_within)
    for room in used.order_by("-last_used_at")[:MAX_LOOKS]:
        with failure_logged("look who is in a room"):
            look(room.session_id, room_name=room.name)


def ask_about_recordings() -> None:
    """Ask OpenTok about recordings that run or have no file yet, in case a callback was lost.

    In random order, so that all are asked about in the end.
    """
    now = timezone.now()
    unfinished = Archive.objects.filter(
        status__in=UNFINISHED,
        created_at__gt=now - GIVEN_UP,
        created_at__lte=now - PATIENCE,
    )
    for archive in unfinished.order_by("?")[:MAX_QUESTIONS]:
        if sessions.owns(archive.session_id):
            with failure_logged("ask about a recording"):
                _ask_about(archive)


def _recorded_rooms() -> QuerySet[Room]:
    return Room.objects.filter(RECORDED).order_by()


def _record(room: Room) -> None:
    meeting = running_meeting(room.session_id)
    if meeting is None or not _is_to_be_recorded(meeting, now=timezone.now()):
        return
    try:
        Archive.objects.start(room.session_id)
    except VideoError as error:
        # Another process or person has started it, or all have left.
        if "archiveId" not in error.members and error.code != "nobody_connected":
            raise


def _is_to_be_recorded(meeting: Meeting, *, now: datetime) -> bool:
    """Whether people are there and nothing records them. After a recording that OpenTok has ended
    there must be a stream as well, since OpenTok ends empty recordings within a minute.
    """
    if not people(meeting.session_id).exists():
        return False
    of_this = Q(created_at__gte=meeting.started_at - ROUNDING) | Q(status__in=RUNNING)
    made = Archive.objects.filter(of_this, session_id=meeting.session_id)
    latest = made.order_by("-created_at").first()
    if latest is None:
        return True
    if latest.status in RUNNING or latest.created_at > now - MINUTE or _was_stopped(latest):
        return False
    return bool(streams.list_streams(meeting.session_id))


def _was_stopped(archive: Archive) -> bool:
    """Whether a person has stopped it, and not this server at the maximum length, so that the
    meeting is not recorded again.
    """
    by_server = Entry.objects.filter(
        subject_id=str(archive.pk), what="recording.stopped", actor_kind=ActorKind.SERVER
    )
    return archive.reason == STOPPED_BY_CALL and not by_server.exists()


def _end_if_due(archive: Archive, *, now: datetime) -> None:
    """Stop a recording of the maximum length, after which another one starts, or of a room that has
    been empty for a minute. OpenTok does so as well, but its callback may be lost.
    """
    latest = Meeting.objects.filter(session_id=archive.session_id).order_by("-started_at").first()
    is_over = latest and latest.ended_at and latest.ended_at <= now - MINUTE
    is_long = archive.created_at <= now - _longest()
    if is_over or is_long:
        _stop(archive)


def _stop(archive: Archive) -> None:
    try:
        Archive.objects.stop(str(archive.pk))
    except Problem as error:
        if error.code not in OVER:
            raise


def _ask_about(archive: Archive) -> None:
    try:
        Archive.objects.fetch(str(archive.pk))
    except Problem as error:
        if error.code != "archive_deleted":
            raise


def _longest() -> timedelta:
    return timedelta(minutes=settings.MAX_RECORDING_MINUTES)

"""The data of the admin's first page, about all or some of the meetings and recordings. All queries
are bounded and use indexes.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, islice
from operator import attrgetter
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from archives.models import Archive
from archives.states import KEPT_BY_OPENTOK, Status
from live.models import Activity
from meetings.models import Meeting
from meetings.presence import people_of
from rooms.models import Room
from video.archives import RUNNING

SHOWN = 10
MOST_COUNTED = 1000
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Some:
    """The first rows, and the total, as text."""

    rows: list[Any]
    total: str = "0"


@dataclass
class LiveRoom:
    """`room` is None once it is deleted."""

    meeting: Meeting
    room: Room | None
    people: int = 0
    running: list[str] = field(default_factory=list)


def live_rooms(of: QuerySet[Meeting]) -> Some:
    """Running meetings by callbacks, the newest first."""
    running = of.filter(ended_at=None)
    meetings = list(running[:SHOWN])
    sessions = [meeting.session_id for meeting in meetings]
    rooms, runs = Room.objects.by_session(sessions), _running(sessions)
    present = people_of([meeting.pk for meeting in meetings])
    people = dict(present.values_list("meeting").annotate(Count("pk")))
    live = [
        LiveRoom(each, rooms.get(each.session_id), people.get(each.pk, 0), runs[each.session_id])
        for each in meetings
    ]
    return Some(live, counted(running))


def people_now(of: QuerySet[Meeting]) -> str:
    """The number of people in the newest MOST_COUNTED running meetings."""
    newest = of.filter(ended_at=None).values("pk")[:MOST_COUNTED]
    return counted(people_of(newest))


def running_recordings(of: QuerySet[Archive]) -> Some:
    found = [of.filter(status=status) for status in RUNNING]
    return _newest(found)


def failed_today(of: QuerySet[Archive]) -> Some:
    """Recordings that failed since midnight, and began at most a day before that."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    begun = of.filter(status=Status.FAILED, created_at__gte=today - DAY)
    failed = Q(updated_at__gte=today) | Q(updated_at=None, created_at__gte=today)
    return _newest([begun.filter(failed)])


def going_soon(of: QuerySet[Archive]) -> Some:
    """Recordings whose file is only at OpenTok, which deletes it within a day, each with the time
    and the state of its copy; the next one first.

    No recording is longer than a day.
    """
    now = timezone.now()
    first, last = now - KEPT_BY_OPENTOK, now - KEPT_BY_OPENTOK + DAY
    found = of.filter(
        status=Status.AVAILABLE,
        stored_at=None,
        created_at__gte=first - DAY,
        created_at__lt=last,
        updated_at__gte=first,
        updated_at__lt=last,
    ).select_related("room")
    rows = [
        (each, each.updated_at + KEPT_BY_OPENTOK, each.storage_state)
        for each in found.order_by("updated_at")[:SHOWN]
        if each.updated_at
    ]
    return Some(rows, counted(found))


def counted(rows: QuerySet[Any]) -> str:
    """The number of rows, counted no further than MOST_COUNTED."""
    return _told(rows.order_by()[: MOST_COUNTED + 1].count())


def _told(count: int) -> str:
    return f"more than {MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"


def _newest(found: Iterable[QuerySet[Archive]]) -> Some:
    """The newest of several lists. A list of a single status is sorted by an index."""
    lists = [rows.select_related("room") for rows in found]
    newest = chain.from_iterable(rows[:SHOWN] for rows in lists)
    rows = sorted(newest, key=attrgetter("created_at"), reverse=True)
    pks = [rows.order_by().values("pk")[: MOST_COUNTED + 1] for rows in lists]
    return Some(list(islice(rows, SHOWN)), _told(sum(each.count() for each in pks)))


def _running(sessions: list[str]) -> defaultdict[str, list[str]]:
    """The kinds that run, by session."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    recordings = Archive.objects.filter(session_id__in=sessions, status__in=RUNNING).order_by()
    for session_id in set(recordings.values_list("session_id", flat=True)):
        found[session_id].append("recording")
    activities = Activity.objects.filter(session_id__in=sessions, ended_at=None).order_by()
    for session_id, kind in sorted(set(activities.values_list("session_id", "kind"))):
        found[session_id].append(kind.replace("_", " "))
    return found

"""The use of rooms: meetings by the hour or day of their start, with their people and time."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum, Value
from django.utils import timezone

from meetings.models import Connection, Meeting, person_in
from meetings.presence import NO_PERSON

HOURS, DAYS = 24, 30
# Running meetings whose people are counted; the newest ones.
MOST_RUNNING = 1000


@dataclass
class Use:
    """The meetings that began between `start` and the next period."""

    start: datetime
    meetings: int = 0
    people: int = 0
    seconds: float = 0

    @property
    def minutes(self) -> int:
        """Of all people together."""
        return round(self.seconds / 60)


def by_hour() -> list[Use]:
    """The last 24 hours, the current one last, in the active time zone."""
    hour = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    # In UTC no hour is skipped or repeated.
    this = hour.astimezone(UTC)
    starts = [this - timedelta(hours=ago) for ago in reversed(range(HOURS))]
    return _use([timezone.localtime(start) for start in starts])


def by_day() -> list[Use]:
    """The last 30 days, today last."""
    zone, today = timezone.get_current_timezone(), timezone.localdate()
    dates = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return _use([datetime.combine(date, time.min, tzinfo=zone) for date in dates])


def _use(starts: list[datetime]) -> list[Use]:
    """One statement for all periods, each of which is a range of a covering index."""
    found = [Use(start) for start in starts]
    first, *others = [_summed(number, starts) for number in range(len(starts))]
    for number, meetings, people, seconds in first.union(*others, all=True):
        use = found[number]
        use.meetings, use.people, use.seconds = meetings, people or 0, seconds or 0
    seen = set()
    for began, person, seconds in _running(starts[0]):
        use = found[bisect_right(starts, began) - 1]
        use.people += person not in seen
        use.seconds += seconds
        seen.add(person)
    return found


def _summed(number: int, starts: list[datetime]) -> QuerySet[Meeting, Any]:
    began = Meeting.objects.filter(started_at__gte=starts[number]).order_by()
    if number + 1 < len(starts):
        began = began.filter(started_at__lt=starts[number + 1])
    sums = [Count("*"), Sum("people"), Sum("person_seconds")]
    named = dict(zip(["meetings", "of_people", "of_seconds"], sums, strict=True))
    return began.values(number=Value(number)).annotate(**named).values_list("number", *named)


def _running(since: datetime) -> Iterator[tuple[datetime, tuple[int, str], float]]:
    """For each client of a running meeting: the start of the meeting, who they are in it, and their
    seconds so far.
    """
    now = timezone.now()
    running = Meeting.objects.filter(ended_at=None, started_at__gte=since)
    began = dict(running.values_list("pk", "started_at")[:MOST_RUNNING])
    people = Connection.objects.filter(meeting__in=began).exclude(data__in=NO_PERSON).order_by()
    columns = people.values_list("meeting", "pk", "data", "connected_at", "left_at")
    for meeting, pk, data, came, left in columns:
        person = meeting, person_in(data) or pk
        yield began[meeting], person, max(((left or now) - came).total_seconds(), 0)

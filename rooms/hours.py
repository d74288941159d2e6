"""Weekly hours of a room, in a named time zone, with other hours on some dates.

In JSON: {"timeZone": "Asia/Tokyo", "week": {"mon": ["08:00-10:00"]}, "dates": {"2026-12-24": []}}
As people write them: rooms/hours_text.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from web import zones

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"
FIELDS = {"timeZone", "week", "dates"}
MAX_DATES = 100
MAX_SPANS = 10  # of one day
SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
DAY_MINUTES = 24 * 60
LOOKS_AHEAD = 366  # days
# No token lasts longer: see MAX_TOKEN_SECONDS.
FAR = timedelta(days=31)
SECOND = timedelta(seconds=1)

Spans = tuple[str, ...]  # each such as "08:00-10:00"


@dataclass(frozen=True)
class Hours:
    zone: ZoneInfo
    week: Mapping[str, Spans]
    dates: Mapping[date, Spans]

    @classmethod
    def read(cls, value: Any) -> Hours:
        """From its JSON object. ValueError says what is wrong with it."""
        if not isinstance(value, dict) or not {"timeZone", "week"} <= value.keys() <= FIELDS:
            raise ValueError("Name timeZone, week and, if need be, dates; and nothing else")
        named, week, dates = value["timeZone"], value["week"], value.get("dates", {})
        if not isinstance(named, str):
            raise ValueError("timeZone is a name such as Europe/Berlin")
        if not isinstance(week, dict) or not week.keys() <= set(DAYS):
            raise ValueError(f"week has only {', '.join(DAYS)}")
        if not isinstance(dates, dict) or len(dates) > MAX_DATES:
            raise ValueError(f"dates has at most {MAX_DATES} dates")
        hours = cls(
            zones.zone_of(named),
            {day: _spans(day, week[day]) for day in DAYS if day in week},
            {_date(day): _spans(day, spans) for day, spans in sorted(dates.items())},
        )
        if not any([*hours.week.values(), *hours.dates.values()]):
            raise ValueError("It is never open; close the room instead")
        return hours

    def __str__(self) -> str:
        lines = []
        for spans, group in groupby(DAYS, key=lambda day: self.week.get(day, ())):
            days = [day.capitalize() for day in group]
            named = days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"
            lines += [f"{named} {', '.join(spans)}"] if spans else []
        lines += [f"{day} {', '.join(spans) or CLOSED}" for day, spans in self.dates.items()]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return {
            "timeZone": self.zone.key,
            "week": {day: list(spans) for day, spans in self.week.items()},
            "dates": {day.isoformat(): list(spans) for day, spans in self.dates.items()},
        }

    def opening(self, moment: datetime) -> datetime | None:
        """The first moment from this one on at which it is open for at least a second; None if that
        is more than a year away.
        """
        for opens, closes in self._from(moment):
            if closes - max(opens, moment) >= SECOND:
                return max(opens, moment)
        return None

    def closing(self, moment: datetime) -> datetime:
        """The next closing time, if it is open at this moment; at most FAR away."""
        closing = moment
        for opens, closes in self._from(moment):
            if opens > closing or closing - moment > FAR:
                break
            closing = max(closing, closes)
        return closing

    def _from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Openings and closings that are not over at this moment, in UTC and in order."""
        try:
            first = moment.astimezone(self.zone).date() - timedelta(days=1)
            for number in range(LOOKS_AHEAD + 1):
                day = first + timedelta(days=number)
                spans = self.dates.get(day, self.week.get(DAYS[day.weekday()], ()))
                for opens, closes in map(minutes, spans):
                    ends = max(self._moment(day, closes, fold) for fold in (0, 1))
                    if ends > moment:
                        yield self._moment(day, opens, 0), ends
        except OverflowError:  # after the year 9999
            return

    def _moment(self, day: date, minute: int, fold: int) -> datetime:
        """The moment in UTC. `fold` is 0 or 1 for a time that occurs twice because clocks are set
        back; a time that clocks skip is shifted by the gap.
        """
        days, rest = divmod(minute, DAY_MINUTES)
        clock = time(*divmod(rest, 60), fold=fold)
        local = datetime.combine(day + timedelta(days=days), clock, tzinfo=self.zone)
        return local.astimezone(UTC)


def column_as_json(text: str) -> Any:
    """The JSON object in a column that `as_column` has written; None for no hours."""
    return json.loads(text) if text else None


@lru_cache(maxsize=1024)
def from_column(text: str) -> Hours | None:
    return Hours.read(column_as_json(text)) if text else None


def as_column(hours: Hours | None) -> str:
    return json.dumps(hours.as_json()) if hours else ""


def minutes(span: str) -> tuple[int, int]:
    opens, closes = (clock.split(":") for clock in span.split("-"))
    return int(opens[0]) * 60 + int(opens[1]), int(closes[0]) * 60 + int(closes[1])


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise ValueError(f"{text!r:.40} is no date such as 2026-12-24")
    return found


def _spans(day: str, spans: Any) -> Spans:
    if not isinstance(spans, list) or len(spans) > MAX_SPANS:
        raise ValueError(f"{day} has a list of at most {MAX_SPANS} times")
    end = 0
    for span in spans:
        if not isinstance(span, str) or not SPAN.fullmatch(span):
            raise ValueError(f"{day}: {span!r:.40} is no time such as 08:00-10:00")
        opens, closes = minutes(span)
        if opens >= closes:
            raise ValueError(f"{day}: {span} ends before it begins; split it at 24:00")
        if opens < end:
            raise ValueError(f"{day}: {span} begins before the one before it ends")
        end = closes
    return tuple(spans)

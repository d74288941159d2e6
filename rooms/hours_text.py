"""Weekly hours as people write them: a line for days of the week, or for a date.

Mon-Fri 08:00-10:00, 13:00-17:00
2026-12-24 closed
"""

import re
from typing import Any

from rooms.hours import CLOSED, DAYS, Hours

LINE = re.compile(
    r"(?P<days>[A-Za-z][A-Za-z, -]*[A-Za-z]|\d[\d-]*)\s+(?P<times>\d[\d:, -]*|closed)"
)


def read(text: str, zone: str) -> Hours | None:
    """None for an empty text. ValueError quotes the line that is wrong."""
    week: dict[str, Any] = {}
    dates: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.replace("–", "-").splitlines())):
        found = LINE.fullmatch(line)
        if not found:
            raise ValueError(f"“{line:.60}” is no line such as “Mon-Fri 08:00-10:00”")
        times = [] if found["times"] == CLOSED else _times(found["times"])
        named = found["days"]
        target = dates if named[0].isdigit() else week
        for day in [named] if target is dates else _days(named):
            if day in target:
                raise ValueError(f"{day.capitalize()} is in two lines")
            target[day] = times
    return Hours.read({"timeZone": zone, "week": week, "dates": dates}) if week or dates else None


def _times(text: str) -> list[str]:
    return [re.sub(r"\s", "", part) for part in text.split(",")]


def _days(text: str) -> list[str]:
    """`Mon-Wed, Sat` as days; a range may go over the end of the week."""
    days: list[str] = []
    for part in text.split(","):
        ends = [_day(name) for name in part.split("-")]
        if len(ends) > 2:
            raise ValueError(f"“{part.strip()}” is no range of days such as Mon-Fri")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        days += [DAYS[(first + number) % 7] for number in range((last - first) % 7 + 1)]
    return days


def _day(name: str) -> str:
    day = name.strip().lower()
    if day not in DAYS:
        raise ValueError(f"“{name.strip()}” is no day: write Mon, Tue, Wed, Thu, Fri, Sat or Sun")
    return day

"""Time zones by the names of the IANA database."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Prefixes of names that are not places, or that are kept for old programs.
NO_PLACES = (
    "Etc/",
    "SystemV/",
    "posix/",
    "right/",
    "US/",
    "Brazil/",
    "Canada/",
    "Chile/",
    "Mexico/",
)


def zone_of(name: str) -> ZoneInfo:
    """ValueError for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # a folder is an OSError, `../x` a ValueError
        raise ValueError(f"{name!r} is no time zone such as Europe/Berlin") from None


@cache
def choices() -> list[tuple[str, str]]:
    """Names, each with its label, for a form."""
    places = (name for name in available_timezones() if "/" in name)
    names = ["UTC", *sorted(name for name in places if not name.startswith(NO_PLACES))]
    return [(name, name.replace("_", " ")) for name in names]

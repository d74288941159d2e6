"""Calls to OpenTok in the last hour, for the dashboard."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from telemetry import recent

# Kinds of failures in telemetry/recent.py, in words.
REASONS = {
    "opentok_unavailable": "no connection",
    "opentok_timeout": "no answer in time",
    "opentok_failed": "an error at OpenTok, or no proper answer",
    "opentok_rate_limited": "more calls than OpenTok takes",
    "opentok_refused_credentials": "refused credentials",
}


@dataclass(frozen=True)
class Calls:
    """Of this machine, since the server started; `pauses` are those of the circuit breaker."""

    made: int
    failed: int
    not_made: int
    reasons: list[str]
    pauses: int
    paused_until: datetime
    is_paused: bool
    failures_in_a_row: int


def recent_calls() -> Calls | None:
    """None if the numbers cannot be read."""
    try:
        counts, until = recent.last_hour(), datetime.fromtimestamp(recent.paused_until(), UTC)
    except OSError:
        return None
    failed = sum(counts[kind] for kind in REASONS)
    return Calls(
        made=failed + counts["answered"],
        failed=failed,
        not_made=counts["not_asked"],
        reasons=[f"{counts[kind]:,} × {words}" for kind, words in REASONS.items() if counts[kind]],
        pauses=counts["paused"],
        paused_until=until,
        is_paused=until > timezone.now(),
        failures_in_a_row=settings.OPENTOK_FAILURES,
    )

"""Failed log-ins and refused keys in the audit log, bounded, so that attackers cannot fill it."""

from typing import Any

from django.db import models
from limits import RateLimitItemPerMinute

from access.limits import MemoryWindows
from audit.models import Entry

# Limits on entries of one kind, in each process.
OF_AN_ADDRESS = RateLimitItemPerMinute(1)
OF_ALL_ADDRESSES = RateLimitItemPerMinute(60)

_windows = MemoryWindows()


def note_failure(
    what: str, address: str, subject: models.Model | None = None, **details: Any
) -> None:
    is_one_too_many = _windows.count(OF_AN_ADDRESS, (what, address)) or _windows.count(
        OF_ALL_ADDRESSES, (what,)
    )
    if not is_one_too_many:
        Entry.objects.note(what, subject, **details)

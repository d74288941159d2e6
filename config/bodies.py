"""How many bodies of requests a process waits for at a time.

Whoever reads a body waits until all of it is there or its client has gone: nothing in granian ends
that, and to answer meanwhile would stop the whole worker. So few threads may wait so, and fewer
still for one address. All others go on answering what comes without a body.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest

from access.addresses import address_of
from config.errors import TooManySlowBodies

# Of other methods nobody reads it.
METHODS = {"POST", "PUT", "PATCH"}
# Of a process's threads video/gate.py and api/idempotency.py leave sixteen.
PLACES = 12
PLACES_OF_ONE = 3
# A body that came along with its headers holds a place for less than a millisecond.
PATIENCE_SECONDS = 0.25

_taken: Counter[str] = Counter()
_changed = threading.Condition()


def receive(request: HttpRequest) -> None:
    """Have all of `request.body`. TooManySlowBodies if there is no place to wait for it."""
    if request.method in METHODS and request.META.get("CONTENT_LENGTH"):
        with _place(address_of(request)):
            request.body  # noqa: B018  which keeps it


@contextmanager
def _place(address: str) -> Iterator[None]:
    def is_free() -> bool:
        return _taken.total() < PLACES and _taken[address] < PLACES_OF_ONE

    with _changed:
        if not _changed.wait_for(is_free, timeout=PATIENCE_SECONDS):
            raise TooManySlowBodies()
        _taken[address] += 1
    try:
        yield
    finally:
        with _changed:
            _taken[address] -= 1
            if not _taken[address]:
                del _taken[address]
            _changed.notify_all()

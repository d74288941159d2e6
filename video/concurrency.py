"""A concurrency limit on callers that wait for OpenTok, in each process.

A waiting caller holds a thread. Once all slots are taken, calls are refused at once, so that a slow
OpenTok never takes the threads of requests that do not need it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connections
from django.dispatch import Signal

from video.errors import OpenTokNotAsked

# Half of the threads that the server has: config/threads.py.
SLOTS = 32

# Sent in a thread that is about to wait, for OpenTok or for another thread.
about_to_wait = Signal()

_slots = threading.BoundedSemaphore(SLOTS)
_has_slot: ContextVar[bool] = ContextVar("has_slot", default=False)


@contextmanager
def waiting() -> Iterator[None]:
    """Hold a slot, and no connection to the database. OpenTokNotAsked if all slots are taken.

    Nested blocks share one slot.
    """
    if _has_slot.get():
        step_aside()
        yield
        return
    if not _slots.acquire(blocking=False):
        raise OpenTokNotAsked(f"{SLOTS} callers are waiting for OpenTok already", wait=5)
    token = _has_slot.set(True)
    try:
        step_aside()
        yield
    finally:
        _has_slot.reset(token)
        _slots.release()


def step_aside() -> None:
    """Give back what other threads need while this one waits: connections to the database."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    about_to_wait.send(None)

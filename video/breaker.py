"""A circuit breaker: leaves an OpenTok alone that keeps failing.

After OPENTOK_FAILURES failures in a row, callers are told at once to come back, for some seconds;
then one of them goes first, and its success lets all callers ask again. Each process finds out for
itself.
"""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from telemetry import recent
from video.errors import OpenTokNotAsked, VideoError

PAUSE_SECONDS = 3.0


class Breaker:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._paused_until = 0.0
        self._is_probing = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A call inside this block is counted by how it ends. OpenTokNotAsked during a pause."""
        trying = self._enter()
        try:
            yield
        except VideoError as error:
            self._note(failed=error.is_outage)
            raise
        else:
            self._note(failed=False)
        finally:
            if trying:
                self._is_probing = False

    def _enter(self) -> bool:
        """Whether this caller is the one that goes first after a pause."""
        with self._lock:
            if self._failures < settings.OPENTOK_FAILURES:
                return False
            left = self._paused_until - time.monotonic()
            if left > 0 or self._is_probing:
                reason = f"OpenTok failed {self._failures} times in a row"
                raise OpenTokNotAsked(reason, wait=max(1, math.ceil(left)))
            self._is_probing = True
            return True

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= settings.OPENTOK_FAILURES:
                self._paused_until = time.monotonic() + PAUSE_SECONDS
                recent.count_pause(PAUSE_SECONDS)

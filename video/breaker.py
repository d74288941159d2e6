"""A circuit breaker for calls to OpenTok, in each process.

After OPENTOK_FAILURES failures in a row all calls are refused for PAUSE_SECONDS. Then one call is
let through; if it succeeds, so are all others.
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
        """Count the call in this block by its end. OpenTokNotAsked during a pause."""
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
        """Whether this call is the first after a pause."""
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

"""How fast a page may speak: a burst at once, and then so much each second."""

from __future__ import annotations

import time


class Pace:
    def __init__(self, burst: float, a_second: float) -> None:
        self._burst = self._left = burst
        self._a_second = a_second
        self._at = time.monotonic()

    def delay(self, cost: float = 1) -> float:
        """The seconds until that much more is in order, 0 if it is."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second) - cost
        self._at = now
        return max(0.0, -self._left / self._a_second)

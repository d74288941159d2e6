"""A rate limit: a burst at once, and then so much each second."""

from __future__ import annotations

import time


class TokenBucket:
    def __init__(self, burst: float, a_second: float) -> None:
        self._burst = self._left = burst
        self._a_second = a_second
        self._at = time.monotonic()

    def delay(self, cost: float) -> float:
        """Count it. Returns the seconds to wait until it is in order, 0 if it is."""
        self._refill()
        self._left -= cost
        return max(0.0, -self._left / self._a_second)

    def admits(self) -> bool:
        """Whether one more is in order; it is counted only then."""
        self._refill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _refill(self) -> None:
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second)
        self._at = now

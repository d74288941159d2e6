"""The emulator's time, which can be moved forward, run faster or stand still."""

from __future__ import annotations

import time

from emulator.messages import BadInput

MAX_ADVANCE_SECONDS = 366 * 24 * 3600
MAX_SPEED = 10_000


class VirtualClock:
    """Milliseconds since 1970, beginning with the real ones, and never going back.

    Session and archive times and download links follow it; tokens are checked by the real
    one, and may have been issued up to `ahead` later, the seconds that this one was moved on by.
    """

    def __init__(self, speed: float) -> None:
        self._first_speed = speed
        self.reset()

    def reset(self) -> None:
        self._now = time.time() * 1000
        self._looked_at = time.monotonic()
        self._speed = self._first_speed
        self.ahead = 0.0

    @property
    def speed(self) -> float:
        return self._speed

    def now_ms(self) -> int:
        looked_at = time.monotonic()
        self._now += (looked_at - self._looked_at) * 1000 * self._speed
        self._looked_at = looked_at
        return int(self._now)

    def change(self, *, advance: float, speed: float) -> None:
        """Move on by `advance` seconds, and run `speed` times as fast as real time from now on.

        Raises BadInput, with nothing changed, beyond a year or 10,000 times.
        """
        if not 0 <= advance <= MAX_ADVANCE_SECONDS:
            raise BadInput(f"advance is 0 to {MAX_ADVANCE_SECONDS} seconds.")
        if not 0 <= speed <= MAX_SPEED:
            raise BadInput(f"speed is 0 to {MAX_SPEED}.")
        self._now = self.now_ms() + advance * 1000
        self.ahead += advance
        self._speed = speed

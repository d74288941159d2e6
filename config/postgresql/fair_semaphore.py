"""A fair semaphore: first in, first out."""

import threading
from collections import deque


class FairSemaphore:
    """Lets in so many at a time, in the order in which they came.

    With threading.Semaphore a thread that is running takes again what it has just released, before
    one that waits for it has woken up; under load some wait a hundred times longer than others.
    """

    def __init__(self, slots: int) -> None:
        self._lock = threading.Lock()
        self._free = slots
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, *, timeout: float) -> bool:
        """Whether a slot came free within so many seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._lock:
            try:
                self._waiting.remove(turn)
            except ValueError:
                return True  # its turn came just now
        return False

    def waiting(self) -> int:
        return len(self._waiting)

    def release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

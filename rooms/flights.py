"""One call for everybody in this process who wants the same thing at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from access.errors import RateLimited
from video import gate

Result = TypeVar("Result")


class Flights(Generic[Result]):
    """Callers of `join` with the same key share one run of `work`, its result or its exception.

    Except that a limit is the first one's own: where that is the exception, the next one tries.
    Nobody waits longer than `work` takes, so it needs a deadline of its own. All of them count as
    waiting for OpenTok (video/gate.py), the first one from the beginning: or those who come after
    it could take all places before it gets one, and none of them would be answered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Result]] = {}

    def join(self, key: str, work: Callable[[], Result]) -> Result:
        with gate.waiting():
            while True:
                with self._lock:
                    flight = self._under_way.get(key)
                    if first := flight is None:
                        flight = self._under_way[key] = Future()
                if first:
                    self._fly(key, flight, work)
                    return flight.result()
                with suppress(RateLimited):
                    return flight.result()

    def _fly(self, key: str, flight: Future[Result], work: Callable[[], Result]) -> None:
        try:
            flight.set_result(work())
        except BaseException as error:
            flight.set_exception(error)
        finally:
            with self._lock:
                del self._under_way[key]

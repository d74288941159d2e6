"""Single flight: concurrent callers with the same key share one call, in each process."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from access.limits import RateLimited
from video import concurrency

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Callers of `do` with the same key share one run of `work`, its result or its exception.

    RateLimited is the first caller's own: then the next caller runs `work`. `work` needs a
    deadline, since the others wait for it. All callers hold a slot (video/concurrency.py), and the
    first one takes its slot before the others, which could otherwise take all of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, Future[Result]] = {}

    def do(self, key: str, work: Callable[[], Result]) -> Result:
        with concurrency.waiting():
            while True:
                with self._lock:
                    call = self._calls.get(key)
                    if first := call is None:
                        call = self._calls[key] = Future()
                if first:
                    self._run(key, call, work)
                    return call.result()
                with suppress(RateLimited):
                    return call.result()

    def _run(self, key: str, call: Future[Result], work: Callable[[], Result]) -> None:
        try:
            call.set_result(work())
        except BaseException as error:
            call.set_exception(error)
        finally:
            with self._lock:
                del self._calls[key]

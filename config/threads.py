"""The thread pool that answers requests.

Python runs one thread at a time. Running threads pass the GIL to each other at every statement and
every line of the log, which cost half of the throughput. So only RUNNING threads work at a time,
and a thread that waits, for OpenTok or for a lock in the database, lets another one run.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from video import concurrency

# At most half of them wait for OpenTok (video/concurrency.py), and all share a few connections to
# PostgreSQL (config/postgresql).
THREADS = 2 * concurrency.SLOTS
RUNNING = 2
# Several times as long as a request that does not wait.
STUCK_SECONDS = 0.01


class Job:
    """A call that runs in a thread, and holds a slot while it runs."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.future = asyncio.get_running_loop().create_future()
        self._function = function
        self._args = args
        # Empty once the slot is released; list.pop() makes that happen once.
        self._held: list[threading.Semaphore] = []

    def run(self, slots: threading.Semaphore) -> bool:
        """Run the call. Returns whether it still has its slot, which the thread keeps then."""
        self._held.append(slots)
        settle = self.future.set_result
        try:
            result = self._function(*self._args)
        except BaseException as error:
            settle, result = self.future.set_exception, error
        self.future.get_loop().call_soon_threadsafe(self._settle, settle, result)
        return self._let_go() is not None

    def _settle(self, settle: Callable[[Any], None], result: Any) -> None:
        if not self.future.done():  # as it is where the client has gone
            settle(result)

    def give_up_slot(self) -> None:
        """Let another thread run. Idempotent."""
        if slots := self._let_go():
            slots.release()

    def _let_go(self) -> threading.Semaphore | None:
        try:
            return self._held.pop()
        except IndexError:
            return None


class Threads:
    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._slots = threading.Semaphore(RUNNING)
        self._running: dict[int, Job] = {}
        self._started = 0
        self._watch: asyncio.TimerHandle | None = None
        concurrency.about_to_wait.connect(self._let_others_run)

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in a thread, and return its result."""
        job = Job(function, args)
        self._jobs.put(job)
        self._start_one_if_needed()
        if self._watch is None:
            self._look(frozenset())
        return await job.future

    def _start_one_if_needed(self) -> None:
        """Called in the event loop. Threads keep the stack and the memory of the largest request
        that each has answered, so that there are no more than were needed at once.
        """
        needed = len(self._running) + self._jobs.qsize()
        if self._started < min(needed, THREADS):
            # Where the platform allows no more, those that there are do the work.
            with suppress(RuntimeError):
                threading.Thread(target=self._work, daemon=True).start()
                self._started += 1

    def _work(self) -> None:
        me = threading.get_ident()
        has_slot = False
        while True:
            if not has_slot:
                self._slots.acquire()
            job = self._jobs.get()
            self._running[me] = job
            has_slot = job.run(self._slots)
            del self._running[me]

    def _let_others_run(self, **ignored: object) -> None:
        """Called when the current thread is about to wait."""
        if job := self._running.get(threading.get_ident()):
            job.give_up_slot()

    def _look(self, seen: frozenset[Job]) -> None:
        """Take the slots of jobs that were already seen: they wait without having said so."""
        running = frozenset(self._running.values())
        for job in running & seen:
            job.give_up_slot()
        if running or not self._jobs.empty():
            # A job that a thread had just taken was counted in neither.
            self._start_one_if_needed()
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(STUCK_SECONDS, self._look, running)
        else:
            self._watch = None

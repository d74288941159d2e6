"""What each process of config/server.py runs: the WSGI application, with one thread on duty.

Python runs one thread at a time. Threads that answer requests at the same time pass it to and fro
with each step that lets go of it, such as a statement to a database or a line of the log, and that
took as long as half of what they did. So of a worker's threads one is on duty and takes requests;
the others rest. As soon as that one waits, for OpenTok or for a lock in the database, another one
takes over.

A thread rests in the `close` of its last answer. By then all of it is with the server, which gives
the thread no other request until it comes back.
"""

import gc
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpResponseBase

from config.wsgi import application as django
from video import gate

# Several times what a request takes that waits for nothing.
MOMENT_SECONDS = 0.005
# After so long without a request everybody goes back to the server, which ends threads that have
# nothing to do; one that rests here it could not end, and one on duty nobody would replace.
IDLE_MOMENTS = 200


class Duty:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The thread on duty, and the request that it works on, if there is one.
        self._thread: int | None = None
        self._request: object | None = None
        self._resting: dict[int, threading.Lock] = {}
        self._is_watched = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self) -> None:
        """A request has come to this thread."""
        me = threading.get_ident()
        with self._lock:
            if self._thread in (None, me):
                self._thread, self._request = me, object()
            if not self._is_watched.is_set():
                self._is_watched.set()

    def end(self) -> None:
        """It is answered. Comes back when this thread may take another one."""
        me = threading.get_ident()
        with self._lock:
            if self._thread in (None, me):
                self._thread, self._request = me, None
                return
            self._resting[me] = rest = threading.Lock()
            rest.acquire()
            # Perhaps nobody asks for anything any more: then this one is to go back, too.
            self._is_watched.set()
        rest.acquire()

    def hand_over(self, **ignored: object) -> None:
        """This thread is about to wait."""
        with self._lock:
            if self._thread == threading.get_ident():
                self._replace()

    def _replace(self) -> None:
        self._thread = self._request = None
        if self._resting:
            self._thread, rest = self._resting.popitem()
            rest.release()

    def _watch(self) -> None:
        """Replaces whoever waits without having said so."""
        seen, idle = None, 0
        while self._is_watched.wait():
            time.sleep(MOMENT_SECONDS)
            with self._lock:
                if self._request is not None and self._request is seen:
                    self._replace()
                seen = self._request
                idle = 0 if seen else idle + 1
                if idle == IDLE_MOMENTS:
                    idle = 0
                    self._dismiss()

    def _dismiss(self) -> None:
        self._is_watched.clear()
        self._thread = None
        while self._resting:
            _, rest = self._resting.popitem()
            rest.release()


class Answer:
    """A response whose thread may rest when it is out."""

    def __init__(self, response: HttpResponseBase, duty: Duty) -> None:
        self._response = response
        self._duty = duty

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._response)

    def close(self) -> None:
        try:
            self._response.close()
        finally:
            self._duty.end()


# What is there by now stays. To look through all of it, as the collector does now and then, took
# 75 ms, in which nobody was answered.
gc.collect()
gc.freeze()

duty = Duty()
gate.about_to_wait.connect(duty.hand_over)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    duty.begin()
    response = django(environ, start_response)
    # The end of a body of unknown length is out only after `close`, and only then the server lets
    # go of what was sent and perhaps not read, behind which the next request of the client waits.
    is_endless = response.streaming and not response.has_header("Content-Length")
    is_over = not (is_endless or environ.get("CONTENT_LENGTH", "0").strip("0"))
    return Answer(response, duty) if is_over else response

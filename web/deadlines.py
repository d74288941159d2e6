"""HTTP to other servers, within one deadline from the look-up of a name to the end of an answer.

The look-up has no time-out, and that of a socket begins anew with each packet. A deadline is a
moment of the monotonic clock.
"""

import io
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any, TypeVar

Result = TypeVar("Result")


def left(until: float) -> float:
    """Seconds. TimeoutError if there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def in_thread(function: Callable[..., Result], *args: Any) -> Future[Result]:
    """A call in a thread of its own, which is left alone if nobody waits any longer."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            result = function(*args)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return future


def limit(connection: HTTPConnection, until: float) -> None:
    """Have the next exchange on this open connection end by then. TimeoutError, also later."""
    connection.sock.settimeout(left(until))
    connection.response_class = partial(_Answer, until=until)  # type: ignore[assignment]


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, until: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Reader(sock, self.fp.detach(), until))


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase, until: float) -> None:
        self._sock = sock
        self._raw = raw
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(left(self._until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()

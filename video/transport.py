"""HTTP to OpenTok, in place of the `requests` module inside the SDK.

The SDK calls `requests.post(url, …)` with no deadline worth the name, follows redirects with the
credentials attached, reads proxies and netrc from the environment, opens a connection for each
call, and loses the status of most failures. This module stands in for it: pooled connections, one
deadline for the whole exchange, a cap on the answer, and the true answer kept in `Exchange`.

It works on `http.client`, which follows no redirect and reads no environment. `requests` and the
urllib3 below it take three times as much processor time for each exchange.
"""

import select
import ssl
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from django.conf import settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from video.errors import VideoError
from web import deadlines

CONNECT_SECONDS = 3.0
# A list of 1,000 archives is about 1 MB.
MAX_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass
class Exchange:
    """What really happened in one call: the answer, or why there is none.

    `until` is when it has to be over, by the monotonic clock.
    """

    until: float
    token: str | None = None
    response: requests.Response | None = None
    error: VideoError | None = None

    def result(self) -> requests.Response:
        if self.error is not None:
            raise self.error
        if self.response is None:
            raise RuntimeError("the SDK made no call")
        return self.response


_exchange: ContextVar[Exchange] = ContextVar("exchange")
current = _exchange.get


@contextmanager
def watched(*, until: float) -> Iterator[Exchange]:
    """Inside this block the thread's next call is kept in the Exchange that is yielded."""
    token = _exchange.set(Exchange(until))
    try:
        yield _exchange.get()
    finally:
        _exchange.reset(token)


class Transport:
    """Has what we reach of `requests` through the SDK, whose time-outs are left to the Exchange."""

    def __init__(self) -> None:
        # By scheme and host; the connection that was used last is taken first.
        self._idle: defaultdict[tuple[str, str], deque[HTTPConnection]] = defaultdict(deque)

    def get(self, url: str, **options: Any) -> requests.Response:
        return self.call("GET", url, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        return self.call("POST", url, **options)

    def put(self, url: str, **options: Any) -> requests.Response:
        return self.call("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> requests.Response:
        return self.call("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> requests.Response:
        return self.call("DELETE", url, **options)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        data: dict[str, str] | str | None = None,
        timeout: None = None,
        proxies: None = None,
    ) -> requests.Response:
        exchange = _exchange.get()
        if isinstance(data, dict):
            headers = headers | {"Content-Type": "application/x-www-form-urlencoded"}
            data = urlencode(data)
        body = data.encode() if data else None
        try:
            exchange.response = self.carry_out(method, url, headers, body, until=exchange.until)
        except VideoError as error:
            # Kept because the SDK wraps, or swallows, what it does not know.
            exchange.error = error
            raise
        return exchange.response

    def carry_out(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, *, until: float
    ) -> requests.Response:
        scheme, host, path, query, _ = urlsplit(url)
        idle = self._idle[scheme, host]
        try:
            connection = _take(idle) or _connected(scheme, host, until=until)
        except TimeoutError:
            raise VideoError("opentok_timeout", "no connection in time") from None
        target = f"{path}?{query}" if query else path
        try:
            response = _exchanged(connection, method, target, headers, body, until=until)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # OpenTok may want it closed
            idle.append(connection)
        return response


def _take(idle: deque[HTTPConnection]) -> HTTPConnection | None:
    """A connection that OpenTok has not ended, if there is one."""
    while idle:
        try:
            connection = idle.pop()
        except IndexError:
            return None  # another thread was faster
        # Not select(): it takes no file beyond the 1,024th.
        poll = select.poll()
        poll.register(connection.sock, select.POLLIN)
        if not poll.poll(0):
            return connection
        connection.close()
    return None


def _connected(scheme: str, host: str, *, until: float) -> HTTPConnection:
    """A new connection. TimeoutError"""
    seconds = deadlines.left(until)
    timeout = min(CONNECT_SECONDS, seconds)
    connection = (
        HTTPSConnection(host, timeout=timeout, context=_tls())
        if scheme == "https"
        else HTTPConnection(host, timeout=timeout)
    )
    future = deadlines.in_thread(connection.connect)
    if not wait([future], timeout=seconds).done:
        future.add_done_callback(lambda late: connection.close())
        raise TimeoutError
    if error := future.exception():
        raise VideoError("opentok_unavailable", type(error).__name__) from None
    return connection


@lru_cache
def _tls() -> ssl.SSLContext:
    bundle = settings.REQUESTS_CA_BUNDLE or DEFAULT_CA_BUNDLE_PATH
    return ssl.create_default_context(cafile=bundle)


def _exchanged(
    connection: HTTPConnection,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes | None,
    *,
    until: float,
) -> requests.Response:
    try:
        deadlines.limit(connection, until)
        connection.request(method, target, body, headers)
        with connection.getresponse() as answer:
            content = answer.read(MAX_ANSWER_BYTES + 1)
    except TimeoutError:
        raise VideoError("opentok_timeout", "no answer in time") from None
    except OSError as error:
        raise VideoError("opentok_unavailable", type(error).__name__) from None
    except (HTTPException, ValueError) as error:
        raise VideoError("opentok_failed", type(error).__name__) from None
    if len(content) > MAX_ANSWER_BYTES:
        raise VideoError("opentok_failed", f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    if answer.length:  # read() with a limit does not complain
        raise VideoError("opentok_failed", "half an answer")
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.getheaders())
    response._content = content
    return response

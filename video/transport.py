"""HTTP to OpenTok, in place of the `requests` module inside the SDK.

The SDK calls `requests.post(url, …)` with no deadline worth the name, follows redirects with the
credentials attached, reads proxies and netrc from the environment, opens a connection for each
call, and loses the status of most failures. This module stands in for it: pooled connections, one
deadline for the whole exchange, a cap on the answer, and the true answer kept in `Exchange`.
"""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from video.errors import VideoError

CONNECT_SECONDS = 3.0
POOL_SIZE = 32
# A list of 1,000 archives is about 1 MB.
MAX_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass
class Exchange:
    """What really happened in one call: the answer, or why there is none.

    `until` is when it has to be over, by the monotonic clock.
    """

    until: float
    response: requests.Response | None = None
    error: VideoError | None = None
    connection: HTTPConnection | None = None
    abandoned: bool = False

    def result(self) -> requests.Response:
        if self.error is not None:
            raise self.error
        if self.response is None:
            raise RuntimeError("the SDK made no call")
        return self.response

    def abandon(self) -> None:
        """End the exchange from another thread: the one that reads its socket reads an end."""
        self.abandoned = True
        sock = self.connection.sock if self.connection else None
        if sock is not None:
            with suppress(OSError):  # it may have ended by itself
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


_exchange: ContextVar[Exchange] = ContextVar("exchange")


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
        self.session = requests.Session()
        self.session.trust_env = False
        # A redirect is never followed, and requests would read all of its body to prepare for it.
        self.session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=POOL_SIZE))

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
        data: Any = None,
        timeout: None = None,
        proxies: None = None,
    ) -> requests.Response:
        exchange = _exchange.get()
        request = requests.Request(method, url, headers=headers, data=data)
        try:
            exchange.response = self.carry_out(exchange, request)
        except VideoError as error:
            # Kept because the SDK wraps, or swallows, what it does not know.
            exchange.error = error
            raise
        return exchange.response

    def carry_out(self, exchange: Exchange, request: requests.Request) -> requests.Response:
        """Do it in a thread of its own, and wait for that until the exchange has to be over.

        A socket's timeout counts anew for each packet, and a name look-up has none at all. This way
        the deadline holds whatever the exchange is stuck in.
        """
        seconds = exchange.until - time.monotonic()
        if seconds <= 0:
            raise VideoError("opentok_timeout", "no time left")
        future: Future[requests.Response] = Future()

        def run() -> None:
            try:
                future.set_result(self.send(request, seconds))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=copy_context().run, args=(run,), daemon=True).start()
        try:
            return future.result(timeout=seconds)
        except TimeoutError:
            exchange.abandon()
            raise VideoError("opentok_timeout", f"no answer within {seconds:.1f} s") from None

    def send(self, request: requests.Request, seconds: float) -> requests.Response:
        try:
            response = self.session.send(
                self.session.prepare_request(request),
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
            )
            with response:
                _read(response)
            # Back in the pool: from here on it may serve another exchange.
            _exchange.get().connection = None
            return response
        except requests.ReadTimeout as error:
            raise VideoError("opentok_timeout", type(error).__name__) from None
        except requests.ConnectionError as error:
            raise VideoError("opentok_unavailable", type(error).__name__) from None
        except VideoError:
            raise
        except Exception as error:  # requests lets errors of urllib3 and of its parsers through
            raise VideoError("opentok_failed", type(error).__name__) from None


def _read(response: requests.Response) -> None:
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise VideoError("opentok_failed", f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    response._content = bytes(body)


class _Tracked:
    """A connection that tells the exchange that it serves, from before it connects."""

    def connect(self) -> None:
        exchange = _exchange.get()
        exchange.connection = self  # type: ignore[assignment]
        super().connect()  # type: ignore[misc]
        if exchange.abandoned:
            # Connected too late: the caller has been told, so that nothing may be sent any more.
            raise VideoError("opentok_timeout", "connected after the deadline")

    def request(self, *args: Any, **options: Any) -> None:
        _exchange.get().connection = self  # type: ignore[assignment]
        super().request(*args, **options)  # type: ignore[misc]


class _TrackedHTTP(_Tracked, HTTPConnection):
    pass


class _TrackedHTTPS(_Tracked, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _TrackedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _TrackedHTTPS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

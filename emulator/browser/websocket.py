"""One WebSocket of a page: read and written by one thread, which a slow page does not block."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Iterator

from emulator.browser.outbox import Outbox
from emulator.browser.protocol import WebSocketProtocol
from emulator.browser.token_bucket import TokenBucket
from emulator.messages import Request

READ_BYTES = 64 * 1024
MAX_OUTGOING = 1024 * 1024
# A browser answers a ping without its page: one that stands at a breakpoint is not given up.
PING_SECONDS = 5
SILENCE_SECONDS = 15
STUCK_SECONDS = 10
CLOSE_SECONDS = 1
JOIN_SECONDS = 15
# In a call of twenty, each page begins with some thousand messages.
BURST = 2_000
MESSAGES_A_SECOND = 200
BYTES_AS_A_MESSAGE = 16 * 1024
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class WebSocket:
    """Sends what is in the outbox, hands over what arrives. `join_by` is when its page has to have
    got into a session, None when it has."""

    def __init__(self, connection: socket.socket, request: Request, outbox: Outbox) -> None:
        """Raises Refused for a request that begins none."""
        self._protocol = WebSocketProtocol(request)
        self._connection = connection
        self._outbox = outbox
        self._bucket = TokenBucket(BURST, MESSAGES_A_SECOND)
        self.join_by: float | None = time.monotonic() + JOIN_SECONDS
        self._goodbye: tuple[int, str] | None = None
        self._is_over = False
        self._heard_at = self._pinged_at = self._moved_at = self._open_at = time.monotonic()
        self._bell, self._alarm = socket.socketpair()
        self._bell.setblocking(False)
        self._alarm.setblocking(False)

    @property
    def may_come_back(self) -> bool:
        """Whether the connection just broke: the page neither left nor was sent away."""
        protocol = self._protocol
        return not (
            protocol.has_left or protocol.is_refused or self._goodbye or self._outbox.is_full
        )

    @property
    def has_left(self) -> bool:
        return self._protocol.has_left

    def wake(self) -> None:
        # Full, it has been rung already; closed, nothing is left to send.
        with contextlib.suppress(OSError):
            self._alarm.send(b"!")

    def close(self, code: int, reason: str) -> None:
        """When the outbox is empty. From any thread; does not wait for it."""
        self._goodbye = self._goodbye or (code, reason)
        self.wake()

    def abandon(self) -> None:
        """At once, and without a word."""
        self._is_over = True
        self.wake()

    def messages(self) -> Iterator[bytes]:
        """What arrives, until it is over."""
        self._connection.setblocking(False)
        with selectors.DefaultSelector() as selector, self._bell, self._alarm:
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(self._connection, selectors.EVENT_READ)
            while not self._is_over:
                self._write()
                if self._is_over:
                    break
                waits = selectors.EVENT_WRITE if self._protocol.outgoing else 0
                selector.modify(self._connection, selectors.EVENT_READ | waits)
                ready = {
                    key.fileobj: events
                    for key, events in selector.select(
                        PING_SECONDS if self._protocol.is_open else CLOSE_SECONDS
                    )
                }
                if self._bell in ready:
                    self._bell.recv(READ_BYTES)
                if ready.get(self._connection, 0) & selectors.EVENT_READ:
                    yield from self._read()
                self._look_at_the_clock()
        # The page is to notice now: this thread may wait for it to come back.
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _read(self) -> Iterator[bytes]:
        try:
            content = self._connection.recv(READ_BYTES)
            # TLS may have more of it than the selector sees.
            if isinstance(self._connection, ssl.SSLSocket):
                content += self._connection.recv(self._connection.pending())
        except NOT_NOW:
            return
        except OSError:
            content = b""
        if not content:
            self._is_over = True
            return
        self._heard_at = time.monotonic()
        for message in self._protocol.receive(content):
            if delay := self._bucket.delay(1 + len(message or b"") / BYTES_AS_A_MESSAGE):
                time.sleep(delay)
            if message is not None and self._goodbye is None:
                yield message

    def _write(self) -> None:
        protocol = self._protocol
        while len(protocol.outgoing) < READ_BYTES and protocol.is_open:
            content = self._outbox.take(self)
            if content is None:
                break
            protocol.send(content)
        if self._goodbye and protocol.is_open and not protocol.outgoing:
            protocol.close(*self._goodbye)
        if not protocol.outgoing:
            self._moved_at = time.monotonic()
            self._is_over = self._is_over or protocol.is_closed
            return
        try:
            sent = self._connection.send(protocol.outgoing)
        except NOT_NOW:
            return
        except OSError:
            self._is_over = True
            return
        del protocol.outgoing[:sent]
        self._moved_at = time.monotonic()

    def _look_at_the_clock(self) -> None:
        now, protocol = time.monotonic(), self._protocol
        if protocol.is_open:
            self._open_at = now
            if now - max(self._heard_at, self._pinged_at) > PING_SECONDS:
                self._pinged_at = now
                protocol.ping()
        self._is_over = (
            self._is_over
            or self._outbox.is_full
            or (self.join_by is not None and now > self.join_by)
            or len(protocol.outgoing) > MAX_OUTGOING
            or now - self._open_at > CLOSE_SECONDS
            or now - self._moved_at > STUCK_SECONDS
            or now - self._heard_at > SILENCE_SECONDS
        )

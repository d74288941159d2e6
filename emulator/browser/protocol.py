"""The WebSocket's own protocol (RFC 6455), without sockets: bytes in, messages out, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, ProtocolError

from emulator.browser.raptor import Refused
from emulator.messages import Request

MAX_MESSAGE = 256 * 1024
MAX_REASON = 40  # characters, of the 123 bytes that there are
HANDSHAKE = ("host", "connection", "upgrade")
NORMAL, GOING_AWAY, BROKEN_RULES, UNSUPPORTED, TOO_LARGE = 1000, 1001, 1002, 1003, 1009
REFUSALS = {BROKEN_RULES, UNSUPPORTED, 1007, TOO_LARGE}
# The SDK does not come back after this one.
FAILED = 1011


class WebSocketProtocol:
    """The server's end of one WebSocket. `outgoing` is what is to go out.

    `has_left` when the page closed it on purpose, `is_refused` when it broke the rules.
    """

    def __init__(self, request: Request) -> None:
        """Raises Refused for a request that begins none."""
        self.has_left = False
        self.is_refused = False
        self._message = bytearray()
        self._protocol = WSConnection(ConnectionType.SERVER)
        headers = [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in request.headers.items()
            if name.lower() in HANDSHAKE or name.lower().startswith("sec-websocket-")
        ]
        try:
            self._protocol.initiate_upgrade_connection(headers, request.target)
            list(self._protocol.events())
            self.outgoing = bytearray(self._protocol.send(AcceptConnection()))
        except (ProtocolError, h11.ProtocolError, UnicodeError):
            raise Refused(400, "The request does not begin a WebSocket.") from None

    @property
    def is_open(self) -> bool:
        return self._protocol.state is ConnectionState.OPEN

    @property
    def is_closed(self) -> bool:
        return self._protocol.state is ConnectionState.CLOSED

    def receive(self, content: bytes) -> Iterator[bytes | None]:
        """The messages that these bytes complete, and None for anything else that came."""
        try:
            self._protocol.receive_data(content)
            for event in self._protocol.events():
                yield self._receive(event)
        except ProtocolError:
            self.refuse(BROKEN_RULES, "not the WebSocket protocol")

    def _receive(self, event: Event) -> bytes | None:
        if isinstance(event, TextMessage):
            self.refuse(UNSUPPORTED, "binary messages only")
        elif isinstance(event, Message):
            self._message += event.data
            if len(self._message) > MAX_MESSAGE:
                self.refuse(TOO_LARGE, "the message is too large")
            elif event.message_finished:
                complete, self._message = bytes(self._message), bytearray()
                return complete
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self.has_left = self.has_left or event.code in (NORMAL, GOING_AWAY)
            # The library reports its own refusals as a close of the page, with these codes.
            self.is_refused = self.is_refused or event.code in REFUSALS
            self._send(event.response())
        return None

    def send(self, content: bytes) -> None:
        self._send(BytesMessage(content))

    def ping(self) -> None:
        self._send(Ping())

    def refuse(self, code: int, reason: str) -> None:
        self.is_refused = True
        self.close(code, reason)

    def close(self, code: int, reason: str) -> None:
        self._send(CloseConnection(code, reason[:MAX_REASON]))

    def _send(self, event: Event) -> None:
        with contextlib.suppress(LocalProtocolError):  # it is closing already
            self.outgoing += self._protocol.send(event)

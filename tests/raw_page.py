"""A page without a browser: the web SDK's messages over a plain WebSocket, for tests."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import requests
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection
from wsproto.events import Request as Handshake
from wsproto.utilities import LocalProtocolError

from emulator.browser.framing import (
    CONNECT,
    DISCONNECT,
    MESSAGE,
    PING,
    STATUS,
    Frame,
    pack,
    unpack,
)
from tests.emulator_process import Emulator

SECONDS = 5
SYMPHONY = "symphony.local"


class Closed(Exception):
    """The other side closed the WebSocket, with that code (1006: without one)."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class RawPage:
    """One page: `with RawPage(emulator, session_id, token) as page: page.enter()`."""

    def __init__(self, emulator: Emulator, session_id: str, token: str = "") -> None:
        self.emulator = emulator
        self.session_id = session_id
        self.token = token
        self.project_id = emulator.api_key
        self.id = str(uuid.uuid4())
        self.socket_id = str(uuid.uuid4())
        self.told: list[dict[str, Any]] = []
        self.frames: deque[Frame] = deque()
        self.acknowledges = True
        self.connection: socket.socket | None = None

    def __enter__(self) -> RawPage:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    @property
    def path(self) -> str:
        return f"/v2/partner/{self.project_id}/session/{self.session_id}"

    # The connection

    def open(self, *, query: str | None = None, introduce: bool = True) -> RawPage:
        address = urlsplit(self.emulator.url)
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.connection = socket.create_connection(
            (address.hostname, address.port), timeout=SECONDS
        )
        target = f"/rumorwebsocketsv2?{query or f'socketId={self.socket_id}&attempt=1'}"
        self.write(self.protocol.send(Handshake(host=address.netloc, target=target)))
        event = self._event(AcceptConnection, RejectConnection)
        if isinstance(event, RejectConnection):
            raise Closed(event.status_code)
        if introduce:
            headers = {"uniqueId": self.id, "notifyDisconnectAddress": SYMPHONY}
            self.send(Frame(CONNECT, headers=headers))
        return self

    def come_back(self) -> RawPage:
        """Again, as the SDK does when its connection broke: without introducing itself."""
        query = f"socketId={self.socket_id}&reconnect=true&attempt=2"
        return self.open(query=query, introduce=False)

    def drop(self) -> None:
        """The connection breaks without a word."""
        if self.connection is not None:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.connection = None

    def leave(self) -> None:
        self.acknowledges = False
        self.send(Frame(DISCONNECT, (SYMPHONY,), {"reconnect": ""}))
        self.write(self.protocol.send(CloseConnection(1000)))

    def say_it_comes_back(self) -> None:
        self.send(Frame(DISCONNECT, (SYMPHONY,), {"reconnect": "1"}))

    def write(self, content: bytes) -> None:
        assert self.connection is not None
        self.connection.sendall(content)

    def send(self, frame: Frame) -> None:
        self.send_bytes(pack(frame))

    def send_bytes(self, content: bytes) -> None:
        self.write(self.protocol.send(BytesMessage(content)))

    # Asking

    def session_info(self, **headers: str) -> Any:
        headers = {"X-OPENTOK-AUTH": self.token, "X-TB-VERSION": "1", **headers}
        url = f"{self.emulator.url}/session/{self.session_id}?extended=true"
        return requests.get(url, headers=headers, timeout=SECONDS).json()

    def enter(self, **content: Any) -> dict[str, Any]:
        """Open the WebSocket and get into the session. Returns the state of the session."""
        self.open()
        status, state = self.ask("create", f"/connection/{self.id}", content, token=self.token)
        assert status == "200", (status, state)
        self.wait("created", f"/connection/{self.id}")
        return dict(state)

    def ask(
        self, method: str, path: str, content: Any = None, *, token: str | None = None
    ) -> tuple[str, Any]:
        """Status and data of the answer."""
        return self.answer(self.post(method, path, content, token=token))

    def post(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        token: str | None = None,
        transaction: str | None = None,
    ) -> str:
        """Ask without waiting. Returns the transaction."""
        transaction = transaction or str(uuid.uuid4())
        headers = {"TRANSACTION-ID": transaction, "X-TB-FROM-ADDRESS": self.id}
        if token is not None:
            headers["X-TB-TOKEN-AUTH"] = token
        body = {"method": method, "uri": self.path + path, "content": content or {}}
        self.send(Frame(MESSAGE, (SYMPHONY,), headers, json.dumps(body).encode()))
        return transaction

    def answer(self, transaction: str) -> tuple[str, Any]:
        frame = self._frame(lambda each: each.kind == STATUS and each.transaction == transaction)
        return frame.headers["STATUS"], json.loads(frame.data) if frame.data else None

    def ping(self) -> None:
        self.send(Frame(PING))

    def publish(self, **content: Any) -> str:
        """Returns the stream's id."""
        stream_id = str(uuid.uuid4())
        channels = [
            {"id": "audio1", "type": "audio", "active": True},
            {"id": "video1", "type": "video", "active": True, "width": 640, "height": 480,
             "source": "camera", "fitMode": "cover"},
        ]  # fmt: skip
        stream = {"id": stream_id, "name": "", "channel": channels, **content}
        status, data = self.ask("create", f"/stream/{stream_id}", stream)
        assert status == "200", (status, data)
        return stream_id

    # Hearing

    def wait(self, method: str, path: str = "", *, within: float = SECONDS) -> dict[str, Any]:
        """The first such message, once it is there; it is taken out of `told`."""
        deadline = time.monotonic() + within
        while True:
            for message in self.told:
                if message["method"] == method and message["uri"].startswith(self.path + path):
                    self.told.remove(message)
                    return message
            self._receive(deadline)

    def hears_nothing(self) -> bool:
        """Whether nothing comes before the answer to a ping."""
        self.ping()
        self._frame(lambda frame: frame.kind == 8)
        return not self.told

    def wait_for_the_end(self, *, within: float = SECONDS) -> int:
        """The code with which the other side closed."""
        deadline = time.monotonic() + within
        while True:
            try:
                self._receive(deadline)
            except Closed as closed:
                return closed.code

    def read_in_background(self) -> None:
        self._reader = ThreadPoolExecutor(1)
        self._code = self._reader.submit(self.wait_for_the_end)

    def ended_with(self) -> int:
        return self._code.result(SECONDS)

    def _frame(self, wanted: Callable[[Frame], bool]) -> Frame:
        deadline = time.monotonic() + SECONDS
        while True:
            for frame in self.frames:
                if wanted(frame):
                    self.frames.remove(frame)
                    return frame
            self._receive(deadline)

    def _receive(self, deadline: float) -> None:
        """Take in some more, for no longer than that."""
        event = self._event(BytesMessage, deadline=deadline)
        self._buffer = getattr(self, "_buffer", b"") + event.data
        if not event.message_finished:
            return
        frame, self._buffer = unpack(self._buffer), b""
        if frame.kind != MESSAGE:
            self.frames.append(frame)
            return
        message = json.loads(frame.data) | {"from": frame.headers["X-TB-FROM-ADDRESS"]}
        self.told.append(message | {"transaction": frame.transaction})
        if self.acknowledges:
            headers = {"TRANSACTION-ID": frame.transaction, "X-TB-FROM-ADDRESS": self.id}
            self.send(Frame(STATUS, (message["from"],), headers))

    def _event(self, *kinds: type, deadline: float | None = None) -> Any:
        assert self.connection is not None
        deadline = deadline or time.monotonic() + SECONDS
        while True:
            for event in self.protocol.events():
                if isinstance(event, Ping):
                    self.write(self.protocol.send(event.response()))
                elif isinstance(event, CloseConnection):
                    with contextlib.suppress(OSError, LocalProtocolError):
                        self.write(self.protocol.send(event.response()))
                    raise Closed(event.code)
                elif isinstance(event, kinds):
                    return event
            self.connection.settimeout(max(0.01, deadline - time.monotonic()))
            content = self.connection.recv(65536)
            if not content:
                raise Closed(1006)
            self.protocol.receive_data(content)

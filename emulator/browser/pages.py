"""All pages, and the world that they are in: it tells them, and they tell it."""

from __future__ import annotations

import re
import socket
import threading
import uuid
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from emulator.archives import Archive
from emulator.auth import Keys
from emulator.browser import raptor
from emulator.browser.framing import Frame
from emulator.browser.live import Live, connection_view
from emulator.browser.member import Member
from emulator.browser.page import Gone, Page
from emulator.browser.protocol import FAILED, UNSUPPORTED
from emulator.browser.raptor import Refused
from emulator.browser.websocket import WebSocket
from emulator.client_tokens import read_client_token
from emulator.messages import BadInput, Request
from emulator.sessions import Connection, Stream
from emulator.world import Observer, World

MAX_PAGES = 1_000
# Others' media stops by itself some seconds later.
RETURN_SECONDS = 8
GOODBYE_SECONDS = 1
CONNECTION = re.compile(
    "/v2/partner/(?P<project>[^/]+)/session/(?P<session>[^/]+)/connection/(?P<connection>[^/]+)"
)


class Pages(Observer):
    """An observer of the world. Threads of pages take the world's lock first, and then its own."""

    def __init__(self, keys: Keys, world: World) -> None:
        self._keys = keys
        self._world = world
        self._changed = threading.Condition()
        self._pages: dict[str, Page] = {}
        self._lives: dict[str, Live] = {}
        world.observe(self)

    # Connections of pages

    def serve(self, connection: socket.socket, request: Request) -> None:
        """One WebSocket, until it is over. Raises Refused for a bad one, or too many."""
        socket_id = request.query.get("socketId") or str(uuid.uuid4())
        with self._changed:
            page = self._pages.get(socket_id) or Page(self._world, self._enter)
            if socket_id not in self._pages and len(self._pages) >= MAX_PAGES:
                raise Refused(503, "Too many pages")
            websocket = WebSocket(connection, request, page.outbox)
            self._pages[socket_id] = page
            if page.websocket is not None:
                page.websocket.abandon()
            page.websocket = websocket
            self._changed.notify_all()
        try:
            self._converse(page, websocket)
        finally:
            self._part(socket_id, page, websocket)

    def _converse(self, page: Page, websocket: WebSocket) -> None:
        page.outbox.send_by(websocket)
        for content in websocket.messages():
            try:
                page.receive(content)
            except BadInput as error:
                websocket.close(UNSUPPORTED, str(error))
            except Gone as error:
                websocket.close(FAILED, str(error))
            if page.member is not None:
                websocket.join_by = None

    def _part(self, socket_id: str, page: Page, websocket: WebSocket) -> None:
        """A page whose connection broke has some seconds to come back."""
        with self._changed:
            if page.member is not None and not page.has_left and websocket.may_come_back:
                self._changed.wait_for(lambda: page.websocket is not websocket, RETURN_SECONDS)
            if page.websocket is not websocket:
                return
            del self._pages[socket_id]
            self._changed.notify_all()
        if page.member is None:
            return
        reason = (
            "clientDisconnected" if page.has_left or websocket.has_left else "networkDisconnected"
        )
        with self._world.turn(), suppress(KeyError):
            self._world.disconnect(page.member.session_id, page.member.id, reason=reason)

    def _enter(self, page: Page, path: str, frame: Frame) -> Any:
        """Let a page into its session. Returns what is there. Raises Refused and BadInput."""
        names = CONNECTION.fullmatch(path)
        if names is None:
            raise Refused(404, "Not found")
        role, data = self._check_token(frame.headers.get("X-TB-TOKEN-AUTH", ""), names)
        connection_id, session_id = raptor.read_id(names["connection"]), names["session"]
        if connection_id in self._world.session(session_id).connections:
            raise Refused(409, "There is such a connection already")
        live = self._live(session_id)
        page.member = Member(self._world, live, connection_id, role)
        live.pages[connection_id] = page
        try:
            self._world.connect(session_id, connection_id=connection_id, data=data, role=role)
        except BadInput:
            page.member = None
            del live.pages[connection_id]
            raise Refused(409, "connectionLimitExceeded") from None
        state = live.snapshot(
            self._world.session(session_id), self._world.live_archives(session_id)
        )
        return {"id": session_id, **state}

    def _check_token(self, text: str, names: re.Match[str]) -> tuple[str, str]:
        """Role and data of a token for that session. Raises Refused."""
        try:
            token = read_client_token(self._keys, text)
        except BadInput as error:
            raise Refused(403, str(error)) from None
        if (token.session_id, token.project_id) != (names["session"], names["project"]):
            raise Refused(403, "The token is for another session")
        return token.role, token.data

    def _live(self, session_id: str) -> Live:
        if session_id not in self._lives:
            session = self._world.session_ids.read(session_id)
            self._lives[session_id] = Live(
                session.project_id, session_id, is_relayed=session.is_relayed
            )
        return self._lives[session_id]

    # What the world tells, under its lock

    def connection_created(self, session_id: str, connection: Connection) -> None:
        if live := self._lives.get(session_id):
            live.tell(f"/connection/{connection.id}", "created", connection_view(connection))

    def connection_destroyed(self, session_id: str, connection: Connection, reason: str) -> None:
        if (live := self._lives.get(session_id)) is None:
            return
        for subscription in live.subscriptions_of(subscriber=connection.id):
            live.unsubscribe(subscription)
        live.tell(f"/connection/{connection.id}", "deleted", {}, reason=reason)
        page = live.pages.pop(connection.id, None)
        if page is not None and page.websocket is not None:
            page.websocket.close(UNSUPPORTED, reason)
        if not live.pages and not live.contents:
            del self._lives[session_id]

    def stream_created(self, session_id: str, stream: Stream) -> None:
        if live := self._lives.get(session_id):
            connection = self._world.session(session_id).connections[stream.connection_id]
            live.tell(f"/stream/{stream.id}", "created", live.stream_view(stream, connection))

    def stream_updated(self, session_id: str, stream: Stream) -> None:
        if live := self._lives.get(session_id):
            live.stream_updated(stream)

    def stream_destroyed(self, session_id: str, stream: Stream, reason: str) -> None:
        if live := self._lives.get(session_id):
            live.stream_destroyed(stream, reason)

    def signalled(
        self,
        session_id: str,
        *,
        type: str,  # noqa: A002
        data: Any,
        sender: str | None,
        to: str | None,
    ) -> None:
        if live := self._lives.get(session_id):
            live.tell(
                f"/signal/{uuid.uuid4()}",
                "signal",
                {"type": type, "data": data},
                sender=sender or "",
                to=None if to is None else [to],
            )

    def muted(
        self, session_id: str, streams: Collection[Stream], *, active: bool, is_session: bool
    ) -> None:
        if live := self._lives.get(session_id):
            live.muted(streams, active=active, is_session=is_session)

    def archive_changed(self, archive: Archive) -> None:
        if live := self._lives.get(archive.session_id):
            live.archive_changed(archive)

    # The end

    def goodbye(self) -> None:
        """Tell all pages that this is the end; waits a moment for them to have heard it."""
        with self._changed:
            for page in self._pages.values():
                if page.websocket is not None:
                    page.websocket.close(FAILED, "The local OpenTok ends")
            self._changed.wait_for(lambda: not self._pages, GOODBYE_SECONDS)

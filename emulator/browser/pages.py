"""The connections of all pages, and how pages come, go and come back."""

from __future__ import annotations

import re
import socket
import threading
import uuid

from emulator.browser.page import Enter, Gone, Page
from emulator.browser.protocol import FAILED, UNSUPPORTED
from emulator.browser.raptor import Refused
from emulator.browser.websocket import WebSocket
from emulator.messages import BadInput, Request
from emulator.world import Observer, World

MAX_PAGES = 1_000
# The id that the SDK gives a socket, and gives again when it comes back.
SOCKET_ID = re.compile(r"[?&]socketId=([0-9A-Za-z-]{1,64})(?:&|$)")
GOODBYE_SECONDS = 1


class Pages(Observer):
    """By the id that a page gives its sockets. A thread that holds this lock takes no other."""

    def __init__(self, world: World, enter: Enter, *, return_seconds: float) -> None:
        """`return_seconds` is how long a page whose connection broke may take to come back."""
        self._world = world
        self._enter = enter
        self._return_seconds = return_seconds
        self._changed = threading.Condition()
        self._pages: dict[str, Page] = {}
        world.observe(self)

    def serve(self, connection: socket.socket, request: Request) -> None:
        """One WebSocket, until it is over. Raises Refused for a bad one, or too many."""
        named = SOCKET_ID.search(request.target)
        socket_id = named[1] if named else str(uuid.uuid4())
        with self._changed:
            page = self._pages.get(socket_id)
            if page is None or page.is_over:
                if len(self._pages) >= MAX_PAGES:
                    raise Refused(503, "There are too many pages.")
                page = Page(self._world, self._enter)
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
            if page.member is not None and not page.is_over:
                self._changed.wait_for(
                    lambda: page.websocket is not websocket or page.is_over, self._return_seconds
                )
            if page.websocket is not websocket:
                return
            if self._pages[socket_id] is page:
                del self._pages[socket_id]
            self._changed.notify_all()
        page.end("clientDisconnected" if websocket.has_left else "networkDisconnected")

    def break_connection(self, session_id: str, connection_id: str) -> None:
        """As a bad network does it. Raises KeyError when no page has that connection."""
        with self._changed:
            for page in self._pages.values():
                member = page.member
                if member and (member.session_id, member.id) == (session_id, connection_id):
                    if page.websocket is not None:
                        page.websocket.abandon()
                    return
        raise KeyError(connection_id)

    def forgotten(self) -> None:
        self._close_all("The local OpenTok begins anew")

    def goodbye(self) -> None:
        """Tell all pages that this is the end; wait a moment for them to hear it."""
        self._close_all("The local OpenTok ends")
        with self._changed:
            self._changed.wait_for(lambda: not self._pages, GOODBYE_SECONDS)

    def _close_all(self, reason: str) -> None:
        with self._changed:
            for page in self._pages.values():
                page.close(FAILED, reason)

"""All sessions with pages in them: pages get into them here, and are told what happens there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from typing import Any

from emulator.archives import Archive
from emulator.auth import Keys
from emulator.browser import raptor
from emulator.browser.framing import Frame
from emulator.browser.hub import Hub, connection_view
from emulator.browser.member import Member
from emulator.browser.page import Page
from emulator.browser.protocol import UNSUPPORTED
from emulator.browser.raptor import Refused
from emulator.client_tokens import ClientToken, read_client_token
from emulator.messages import BadInput
from emulator.sessions import Connection, Stream
from emulator.world import Observer, World

CONNECTION = re.compile(
    "/v2/partner/(?P<project>[^/]+)/session/(?P<session>[^/]+)/connection/(?P<connection>[^/]+)"
)


class Hubs(Observer):
    """All of it happens under the world's lock."""

    def __init__(self, keys: Keys, world: World) -> None:
        self._keys = keys
        self._world = world
        self._hubs: dict[str, Hub] = {}
        world.observe(self)

    def enter(self, page: Page, path: str, frame: Frame) -> Any:
        """Let a page into its session. Returns what is there. Raises Refused and BadInput."""
        names = CONNECTION.fullmatch(path)
        if names is None:
            raise Refused(404, "Not found")
        token = self._token(frame.headers.get("X-TB-TOKEN-AUTH", ""), names)
        connection_id, session_id = raptor.read_id(names["connection"]), names["session"]
        if connection_id in self._world.session(session_id).connections:
            raise Refused(409, "There is such a connection already")
        hub = self._hub(session_id)
        page.member = Member(self._world, hub, connection_id, token)
        hub.pages[connection_id] = page
        try:
            self._world.connect(
                session_id, connection_id=connection_id, data=token.data, role=token.role
            )
        except BadInput:
            page.member = None
            del hub.pages[connection_id]
            raise Refused(409, "connectionLimitExceeded") from None
        state = hub.snapshot(self._world.session(session_id), self._world.live_archives(session_id))
        return {"id": session_id, **state}

    def _token(self, text: str, names: re.Match[str]) -> ClientToken:
        """A token for that session. Raises Refused."""
        try:
            token = read_client_token(self._keys, text)
        except BadInput as error:
            raise Refused(403, str(error)) from None
        if (token.session_id, token.project_id) != (names["session"], names["project"]):
            raise Refused(403, "The token is for another session")
        return token

    def _hub(self, session_id: str) -> Hub:
        if session_id not in self._hubs:
            session = self._world.session_ids.read(session_id)
            self._hubs[session_id] = Hub(
                session.project_id, session_id, is_relayed=session.is_relayed
            )
        return self._hubs[session_id]

    # What the world tells, under its lock

    def connection_created(self, session_id: str, connection: Connection) -> None:
        if hub := self._hubs.get(session_id):
            hub.tell(f"/connection/{connection.id}", "created", connection_view(connection))

    def connection_destroyed(self, session_id: str, connection: Connection, reason: str) -> None:
        if (hub := self._hubs.get(session_id)) is None:
            return
        for subscription in hub.subscriptions_of(subscriber=connection.id):
            hub.unsubscribe(subscription)
        hub.tell(f"/connection/{connection.id}", "deleted", {}, reason=reason)
        if page := hub.pages.pop(connection.id, None):
            page.close(UNSUPPORTED, reason)
        if not hub.pages and not hub.contents:
            del self._hubs[session_id]

    def stream_created(self, session_id: str, stream: Stream) -> None:
        if hub := self._hubs.get(session_id):
            connection = self._world.session(session_id).connections[stream.connection_id]
            hub.tell(f"/stream/{stream.id}", "created", hub.stream_view(stream, connection))

    def stream_updated(self, session_id: str, stream: Stream) -> None:
        if hub := self._hubs.get(session_id):
            hub.stream_updated(stream)

    def stream_destroyed(self, session_id: str, stream: Stream, reason: str) -> None:
        if hub := self._hubs.get(session_id):
            hub.stream_destroyed(stream, reason)

    def signalled(
        self,
        session_id: str,
        *,
        type: str,  # noqa: A002
        data: Any,
        sender: str | None,
        to: str | None,
    ) -> None:
        if hub := self._hubs.get(session_id):
            hub.tell(
                f"/signal/{uuid.uuid4()}",
                "signal",
                {"type": type, "data": data},
                sender=sender or "",
                to=None if to is None else [to],
            )

    def muted(
        self, session_id: str, streams: Collection[Stream], *, active: bool, is_session: bool
    ) -> None:
        if hub := self._hubs.get(session_id):
            hub.muted(streams, active=active, is_session=is_session)

    def captioned(self, session_id: str, stream: Stream, text: str, *, is_final: bool) -> None:
        if hub := self._hubs.get(session_id):
            hub.caption(stream, text, is_final=is_final)

    def archive_changed(self, archive: Archive) -> None:
        if hub := self._hubs.get(archive.session_id):
            hub.archive_changed(archive)

    def forgotten(self) -> None:
        self._hubs.clear()

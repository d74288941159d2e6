"""A page with the SDK: what it says and is told, whatever becomes of its connections."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from emulator.browser import raptor
from emulator.browser.framing import (
    CONNECT,
    DISCONNECT,
    MESSAGE,
    PING,
    PONG,
    STATUS,
    BadFrame,
    Frame,
    pack,
    unpack,
)
from emulator.browser.member import Member
from emulator.browser.operations import carry_out
from emulator.browser.outbox import Outbox
from emulator.browser.raptor import Refused
from emulator.browser.websocket import WebSocket
from emulator.messages import BadInput
from emulator.world import World

MAX_ANSWERS = 200
# Lets a page into a session: the page, the path and the message. Raises Refused.
Enter = Callable[["Page", str, Frame], Any]


class Gone(Exception):
    """A page came back to a session that has forgotten it."""


class Page:
    """`member` is what it is in its session, None before it has got into one."""

    def __init__(self, world: World, enter: Enter) -> None:
        self.world = world
        self.outbox = Outbox()
        self.websocket: WebSocket | None = None
        self.member: Member | None = None
        self.has_introduced_itself = False
        self.has_left = False
        self._enter = enter
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._held: list[tuple[str, bytes]] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has left, or is being sent away: it does not come back."""
        return self.has_left or (self.websocket is not None and not self.websocket.may_come_back)

    def tell(self, transaction: str, packed: bytes) -> None:
        """Under the world's lock."""
        if self._held is None:
            self.outbox.put(packed, transaction=transaction)
        else:
            self._held.append((transaction, packed))

    def end(self, reason: str) -> None:
        """It has left its session, or is taken out of it."""
        self.has_left = True
        if self.member is not None:
            with self.world.turn():
                if self.member.is_there:
                    self.world.disconnect(self.member.session_id, self.member.id, reason=reason)

    def close(self, code: int, reason: str) -> None:
        """Others end it."""
        if self.websocket is not None and not self.has_left:
            self.websocket.close(code, reason)

    def receive(self, content: bytes) -> None:
        """Raises BadInput for what no SDK would send, and Gone."""
        try:
            frame = unpack(content)
        except BadFrame as error:
            raise BadInput(str(error)) from None
        if not self.has_introduced_itself and frame.kind != CONNECT:
            raise Gone("another run of this program, or too long ago")
        self.has_introduced_itself = True
        if frame.kind == PING:
            self.outbox.put(pack(Frame(PONG)))
        elif frame.kind == STATUS:
            self.outbox.acknowledge(frame.transaction)
        elif frame.kind == DISCONNECT:
            # With a word in the header, the page is about to come back.
            if not frame.headers.get("reconnect"):
                self.end("clientDisconnected")
        elif frame.kind == MESSAGE:
            try:
                self._answer(frame)
            except RecursionError:
                raise BadInput("nested too deeply") from None

    def _answer(self, frame: Frame) -> None:
        method, path, content = raptor.read(frame)
        with self.world.turn():
            # A page whose connection broke asks again: it gets the same answer, and nothing is
            # done twice.
            answer = self._answers.get(frame.transaction)
            if answer is not None:
                self.outbox.put(answer)
                return
            with self._answer_first():
                try:
                    data = self._carry_out(method, path, content, frame)
                    answer = raptor.status(frame, 200, data)
                except Refused as refused:
                    answer = raptor.status(frame, refused.status, {"reason": refused.reason})
                except BadInput as error:
                    answer = raptor.status(frame, 400, {"reason": str(error)})
                self._remember(frame.transaction, answer)
                self.outbox.put(answer)

    @contextmanager
    def _answer_first(self) -> Iterator[None]:
        """What the page is told meanwhile, it is told afterwards."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            for transaction, packed in held:
                self.outbox.put(packed, transaction=transaction)

    def _carry_out(self, method: str, path: str, content: dict[str, Any], frame: Frame) -> Any:
        if self.member is None and method == "create":
            return self._enter(self, path, frame)
        if self.member is None or not self.member.is_there:
            raise Refused(403, "Not connected")
        if not path.startswith(self.member.hub.path):
            raise Refused(404, "Another session")
        return carry_out(self.member, method, path.removeprefix(self.member.hub.path), content)

    def _remember(self, transaction: str, answer: bytes) -> None:
        self._answers[transaction] = answer
        if len(self._answers) > MAX_ANSWERS:
            self._answers.popitem(last=False)

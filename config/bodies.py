"""Receives bodies of requests in the event loop, within limits of time and memory."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from django.conf import settings

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# A phone on a bad network needs less for 100 KiB.
SECONDS = 10
# Bodies that a process holds at a time, until their requests are answered.
SLOTS = 256
# A body that is too large is read and dropped up to this size: a client that is still sending when
# the connection ends does not read the answer.
DROPPED_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Body:
    """`is_over` is false if the client is still sending, or has gone."""

    content: bytes = b""
    is_over: bool = True

    def stream(self) -> io.BufferedIOBase:
        """The `wsgi.input`. Reading a body that did not arrive raises TimeoutError."""
        return io.BytesIO(self.content) if self.is_over else _Missing()


class Bodies:
    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(SLOTS)
        # The oldest first.
        self._unfinished: dict[asyncio.Timeout, None] = {}

    @asynccontextmanager
    async def received(self, receive: Receive) -> AsyncIterator[Body]:
        """Holds a slot for the body inside the block."""
        if self._slots.locked():
            # The oldest unfinished body is most likely held back on purpose.
            self._give_up(*[*self._unfinished][:1])
        async with self._slots:
            yield await self._receive(receive)

    async def _receive(self, receive: Receive) -> Body:
        limit = asyncio.timeout(SECONDS)
        try:
            async with limit:
                self._unfinished[limit] = None
                return await _whole(receive)
        except TimeoutError:
            return Body(is_over=False)
        finally:
            self._unfinished.pop(limit, None)

    def give_up_all(self) -> None:
        """Stop waiting for all of them."""
        self._give_up(*self._unfinished)

    def _give_up(self, *limits: asyncio.Timeout) -> None:
        for limit in limits:
            del self._unfinished[limit]
            with suppress(RuntimeError):  # it has just expired
                limit.reschedule(0)


async def _whole(receive: Receive) -> Body:
    """A body, without content if it is too large, which web/checks.py refuses."""
    content, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Body(is_over=False)
        size += len(message["body"])
        content += message["body"]
        if size > settings.MAX_BODY_BYTES:
            content.clear()
        if not message.get("more_body"):
            return Body(bytes(content))
        if size > DROPPED_BYTES:
            return Body(is_over=False)


class _Missing(io.BufferedIOBase):
    def read(self, size: int | None = -1, /) -> NoReturn:
        raise TimeoutError

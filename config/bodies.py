"""Bodies of requests, received in the event loop: within a time, and within the memory for some."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from django.conf import settings

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# A phone on a bad network sends 100 KiB in less.
SECONDS = 10
# That a process holds at a time, from the first byte until the request is answered.
SLOTS = 256
# What is read of a body that is too large and dropped. A client that is still sending when the
# connection ends never reads why.
DROPPED_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Body:
    """`is_over` unless its client still sends it, has gone, or sends what is no body."""

    content: bytes = b""
    is_over: bool = True

    def stream(self) -> io.BufferedIOBase:
        """The `wsgi.input`; of a body that did not arrive, to read it raises TimeoutError."""
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
            # The oldest unfinished one is the likeliest to be held back on purpose.
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
        """Wait no longer for any of them."""
        self._give_up(*self._unfinished)

    def _give_up(self, *limits: asyncio.Timeout) -> None:
        for limit in limits:
            del self._unfinished[limit]
            with suppress(RuntimeError):  # its time is up at this moment
                limit.reschedule(0)


async def _whole(receive: Receive) -> Body:
    """All of a body; of one that is too large nothing, since web/checks.py refuses it."""
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

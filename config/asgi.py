"""The ASGI application of each process of config/server.py, in front of the WSGI application.

The event loop receives each request whole, and threads answer it, so that a slow client costs a
coroutine and no thread. The WSGI environ also gets what granian only gives to ASGI applications:
the raw path (`RAW_URI`), and all lines of a header.
"""

import asyncio
import gc
import io
import os
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import closing, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import FileResponse

from config.bodies import DROPPED_BYTES, Bodies, Receive
from config.threads import Threads
from config.wsgi import application as wsgi
from ops.worker import Worker
from rooms import quick
from telemetry import tracing

Scope = MutableMapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Environ = dict[str, Any]
# A status, headers and a body.
Answer = tuple[int, list[tuple[bytes, bytes]], bytes | FileResponse]

PIECE_BYTES = 64 * 1024
# For a client to read a file.
SECONDS_TO_READ = 60
# For the last answers to leave granian.
FLUSH_SECONDS = 0.5

# Objects that exist now stay. With them a garbage collection stopped the process for 75 ms.
gc.collect()
gc.freeze()


class Application:
    """`parent` is the read end of a pipe that the main process holds open as long as it serves."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._bodies = Bodies()
        self._threads = Threads()
        # By the name of the room; set once the first request for it is answered.
        self._visits: dict[str, asyncio.Event] = {}
        self._answering = 0
        self._ending: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        environ = environ_of(scope)
        if name := quick.room_asked_for(environ):
            if found := quick.answer_from_memory(environ, name):
                await send({"type": "http.response.start", "status": 200, "headers": fields(found)})
                await send({"type": "http.response.body", "body": found.body})
            else:
                await self._send(self._join(environ, name), send)
            return
        length = content_length(environ)
        if length == 0:
            await self._send(self._answer(environ), send)
        elif length > DROPPED_BYTES:
            # web/layer.py refuses it by its length.
            await self._send(self._answer(environ), send, is_last=True)
        else:
            async with self._bodies.received(receive) as body:
                environ["wsgi.input"] = body.stream()
                await self._send(self._answer(environ), send, is_last=not body.is_over)

    async def _join(self, environ: Environ, name: str) -> Answer:
        """Only the first of several requests for a room that is not cached goes to a thread. The
        others wait here without one, since the first may have to wait for OpenTok.
        """
        if first := self._visits.get(name):
            await first.wait()
            if found := quick.answer_from_memory(environ, name):
                return found.status, fields(found), found.body
            return await self._answer(environ)
        first = self._visits[name] = asyncio.Event()
        try:
            return await self._answer(environ)
        finally:
            del self._visits[name]
            first.set()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        if settings.WORKER:
            Worker().start()
        asyncio.get_running_loop().add_reader(self._parent, self._stop)
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        tracing.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _stop(self) -> None:
        """The main process stops or has died, and workers must not outlive it."""
        asyncio.get_running_loop().remove_reader(self._parent)
        os.kill(os.getpid(), signal.SIGTERM)
        self._ending = asyncio.create_task(self._end())
        self._bodies.give_up_all()

    async def _end(self) -> None:
        """Exit once all is answered. granian would wait for connections with half a request."""
        while self._answering:
            await asyncio.sleep(0.1)
        await asyncio.sleep(FLUSH_SECONDS)
        tracing.stop()
        os._exit(0)

    async def _answer(self, environ: Environ) -> Answer:
        answered: Answer = await self._threads.run(tracing.carried(answer), environ)
        return answered

    async def _send(
        self, answered: Awaitable[Answer], send: Send, *, is_last: bool = False
    ) -> None:
        """Send an answer; with `is_last` the connection is closed."""
        self._answering += 1
        try:
            status, headers, content = await answered
            if is_last:
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            if isinstance(content, bytes):
                await send({"type": "http.response.body", "body": content})
            else:
                await send_file(content, send)
        finally:
            self._answering -= 1


async def send_file(file: FileResponse, send: Send) -> None:
    """In pieces, or clients that do not read would keep many copies of the file in memory."""
    file.block_size = PIECE_BYTES
    with closing(file), suppress(TimeoutError):  # granian closes the connection without the end
        async with asyncio.timeout(SECONDS_TO_READ):
            for piece in file:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def content_length(environ: Environ) -> int:
    """The announced length of the body; 1 for a chunked one."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return 1
    # hyper refuses what is not a number.
    return int(environ.get("CONTENT_LENGTH", 0))


def environ_of(scope: Scope) -> Environ:
    """The WSGI environ of a request, without its body."""
    query = scope["query_string"].decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # WSGI has the bytes of the decoded path as latin-1.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
        "QUERY_STRING": query,
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # A client's `X_Forwarded_For` would look like a proxy's `X-Forwarded-For`.
        if b"_" not in name:
            key, text = _variable(name), value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    if "CONTENT_LENGTH" in environ:
        # hyper accepts thousands of leading zeros, which int() does not.
        environ["CONTENT_LENGTH"] = environ["CONTENT_LENGTH"].lstrip("0")[:20] or "0"
    return environ


@lru_cache(maxsize=256)
def _variable(header: bytes) -> str:
    """The CGI variable of a header."""
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{name}"


def fields(answer: quick.Answer) -> list[tuple[bytes, bytes]]:
    return [_field(name, text) for name, text in answer.headers.items()]


@lru_cache(maxsize=1024)
def _field(name: str, text: str) -> tuple[bytes, bytes]:
    """A header in ASGI's form, cached, since most are the same in every answer."""
    return name.lower().encode("latin-1"), text.encode("latin-1")


def answer(environ: Environ) -> Answer:
    """The answer of the WSGI application."""
    status, headers = 0, []

    def start_response(line: str, sent: list[tuple[str, str]], *ignored: object) -> Any:
        nonlocal status, headers
        status = int(line[:3])
        headers = [_field(name, text) for name, text in sent]

    response = wsgi(environ, start_response)
    if isinstance(response, FileResponse):
        return status, headers, response
    try:
        return status, headers, b"".join(response)
    finally:
        if hasattr(response, "close"):  # a list has none
            response.close()

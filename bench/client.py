"""Requests over asyncio, of which one process makes more than a server answers."""

import asyncio
import json
import re
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.processes import Running

# Seconds that a client waits; the peer's own patience with OpenTok ends after 20.
PATIENCE = 30
NO_ANSWER = 0


Body = Mapping[str, object] | None


@dataclass
class Answer:
    """`body` is the JSON; without an answer `status` is NO_ANSWER."""

    status: int
    seconds: float
    retry_after: int
    body: Any


class Connection:
    """Opened by the first request, and kept for the next ones until `close`."""

    def __init__(self, server: Running) -> None:
        self._address = urlsplit(server.url)
        self._streams: tuple[StreamReader, StreamWriter] | None = None

    async def ask(self, path: str, json_body: Body = None, *, authorization: str = "") -> Answer:
        """GET, or POST if there is a body."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                head, body = await self._exchange(path, json_body, authorization)
        except (OSError, EOFError):
            self.close()
            return Answer(NO_ANSWER, time.monotonic() - started, 0, None)
        status = int(head.split(b" ", 2)[1])
        seconds = time.monotonic() - started
        told = json.loads(body) if body else None
        return Answer(status, seconds, _number(b"Retry-After", head), told)

    async def _exchange(self, path: str, json_body: Body, proof: str) -> tuple[bytes, bytes]:
        if self._streams is None:
            host, port = self._address.hostname, self._address.port
            self._streams = await asyncio.open_connection(host, port)
        reader, writer = self._streams
        request = f"{'GET' if json_body is None else 'POST'} {path} HTTP/1.1\r\n"
        request += f"Host: {self._address.netloc}\r\n"
        body = b"" if json_body is None else json.dumps(json_body).encode()
        if proof:
            request += f"Authorization: {proof}\r\n"
        if body:
            request += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{request}\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        return head, await reader.readexactly(_number(b"Content-Length", head))

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def ask(server: Running, path: str, json_body: Body = None) -> Answer:
    """Over a connection of its own."""
    connection = Connection(server)
    try:
        return await connection.ask(path, json_body)
    finally:
        connection.close()


async def insist(server: Running, path: str) -> list[Answer]:
    """Come again as often and as late as a 503 asks for it. All answers, the last one for good."""
    answers = [await ask(server, path)]
    while answers[-1].status == 503 and answers[-1].retry_after:
        await asyncio.sleep(answers[-1].retry_after)
        answers.append(await ask(server, path))
    return answers


def statuses(answers: list[Answer]) -> str:
    """How many of each: `368 × 200, 32 × 503`."""
    seen = [answer.status for answer in answers]
    return ", ".join(
        f"{seen.count(status)} × {status or f'none in {PATIENCE} s'}"
        for status in sorted(set(seen))
    )


def _number(header: bytes, head: bytes) -> int:
    found = re.search(rb"(?i)\r\n" + header + rb": *(\d+)", head)
    return int(found[1]) if found else 0

"""A server of one large file, in place of OpenTok's: it gives the ranges that are asked for."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self


class RangeServer:
    """It tells of other bytes than it gives if it `lies`. `ranges` are the first bytes that were asked for. From the byte `stuck_at` on it answers once
    `go_on` is set, and has set `is_stuck` before.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.lies = False
        self.ranges: list[int] = []
        self.stuck_at: int | None = None
        self.is_stuck, self.go_on = Event(), Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/archive.mp4?Signature=secret"

    def __enter__(self) -> Self:
        Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.go_on.set()
        self._http.shutdown()
        self._http.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers["Range"])
        assert match
        first, last = int(match[1]), min(int(match[2]), len(self.content) - 1)
        self.ranges.append(first)
        if self.stuck_at is not None and first >= self.stuck_at:
            self.is_stuck.set()
            self.go_on.wait(30)
        part = self.content[first : last + 1 - self.lies]
        handler.send_response(206 if part else 416)
        told = f"{first}-{last}" if part else "*"
        handler.send_header("Content-Range", f"bytes {told}/{len(self.content)}")
        handler.send_header("Content-Length", str(len(part)))
        handler.end_headers()
        handler.wfile.write(part)

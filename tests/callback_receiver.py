"""A server that takes callbacks and remembers them, for the tests of those who send them."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self

import jwt


class Receiver(HTTPServer):
    """`with Receiver() as receiver: ... receiver.url`. It answers 200, or what `statuses` has left."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.url = f"http://127.0.0.1:{self.server_port}/hooks?of=mine"
        self.statuses: list[int] = []
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        super().__exit__(*exception)


class Exchange(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def claims(headers: dict[str, str], body: bytes, secret: str) -> dict[str, Any]:
    """What a rightly signed callback claims. Raises jwt.InvalidTokenError for any other."""
    scheme, _, token = headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    found: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], issuer="Vonage")
    assert found["payload_hash"] == hashlib.sha256(body).hexdigest()
    return found

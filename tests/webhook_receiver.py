"""A server for tests that keeps what webhooks tell it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver: Any = self.server
        receiver.paths.append(self.path)
        self.send_response(receiver.take(dict(self.headers), body))
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(receiver.says)

    def log_message(self, *args: Any) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    """`answer` is the status, or a function of what was told that returns it."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook?a=1"
        self.answer: Any = 204
        self.says = b""
        self.headers: dict[str, str] = {}
        self.secret = ""
        self.paths: list[str] = []
        self.told: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        headers = {name.lower(): value for name, value in headers.items()}
        if self.secret:
            Webhook(self.secret).verify(body, headers)
        told = json.loads(body) | {"id": headers["webhook-id"]}
        with self._lock:
            self.told.append(told)
        return int(self.answer(told) if callable(self.answer) else self.answer)

    def types(self) -> list[str]:
        return [told["type"] for told in self.told]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()

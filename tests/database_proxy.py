"""Stands between a server and PostgreSQL, so that a test can take the database away."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.server_process import url_of_test_database


class DatabaseProxy:
    """`with DatabaseProxy() as proxy: Server(DATABASE_URL=proxy.url)`; `cut` and `mend`."""

    def __init__(self) -> None:
        self.target = urlsplit(url_of_test_database())
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        user, at, _ = self.target.netloc.rpartition("@")
        address = f"{user}{at}127.0.0.1:{self.port}"
        self.url = self.target._replace(netloc=address, query="").geturl()
        self.sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.serve()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut()

    def serve(self) -> None:
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection and take no new ones."""
        for each in [self.listener, *self.sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.sockets.clear()

    def mend(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.serve()

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = self.connect()
                self.sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=forward, args=(source, sink), daemon=True).start()

    def connect(self) -> socket.socket:
        folder = parse_qs(self.target.query).get("host", [""])[0]
        if folder:
            far = socket.socket(socket.AF_UNIX)
            far.connect(f"{unquote(folder)}/.s.PGSQL.{self.target.port or 5432}")
            return far
        return socket.create_connection((self.target.hostname, self.target.port or 5432))


def forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

"""Runs the server as the Procfile does, as a child process, for tests that talk HTTP to it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, NotConnected
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from django.db import connection

from tests.forked import Forked

ROOT = Path(__file__).resolve().parent.parent
# As in the Procfile.
COMMAND = ("-m", "config.server", "--host", "127.0.0.1")
places: list[socket.socket] = []


class Server:
    """One running server: `with Server(OPENTOK_API_URL=…) as server: server.get("/room/x")`.

    Keyword arguments are environment variables on top of the tests' own; None takes one away. Its
    database is the one that the test uses. `command` is what follows `python`, in which {port} is
    its port; `cwd` another folder than the checkout. It is forked unless `is_forked` is false.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] = COMMAND,
        is_forked: bool = True,
        cwd: Path = ROOT,
        **environment: str | None,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, *(part.format(port=self.port) for part in command)]
        self.is_forked = is_forked
        self.cwd = cwd
        variables = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PORT": str(self.port),
            "DATABASE_URL": url_of_test_database(),
            "WEB_CONCURRENCY": "2",
            "WORKER": "off",
            **environment,
        }
        self.environment = {name: text for name, text in variables.items() if text is not None}
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.after_a_rest: Future[int] = Future()
        # A file and not a pipe, which would stop the server once it is full.
        self.written = tempfile.NamedTemporaryFile()  # noqa: SIM115

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> Self:
        try:
            return self.launch().until_it_answers()
        except BaseException:  # a Ctrl-C as well
            self.stop()
            raise

    def launch(self) -> Self:
        how: Any = {"cwd": self.cwd, "env": self.environment}
        if self.is_forked:
            name = self.written.name
            self.process = Forked(self.command[1:], stdout=name, stderr=name, **how)
        else:
            self.process = subprocess.Popen(
                self.command,
                stdout=self.written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **how,
            )
        return self

    def until_it_answers(self) -> Self:
        deadline = time.monotonic() + 30
        while not self.answers():
            if (self.process and self.process.poll() is not None) or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start: {self.stop()}")
            time.sleep(0.05)
        return self

    def answers(self) -> bool:
        try:
            self.get("/")
        except requests.ConnectionError:
            return False
        return True

    def stop(self, number: int = signal.SIGTERM) -> str:
        """End it as a PaaS would: the first process by SIGTERM, or all of them by another signal.

        Returns what it wrote.
        """
        process, self.process = self.process, None
        if process is None:
            return ""
        if number == signal.SIGTERM:
            process.terminate()
        else:
            os.killpg(process.pid, number)
        process.wait(timeout=30)
        return self.output()

    def output(self) -> str:
        """What it has written so far; the line of a request is there before its answer is."""
        file = self.written.fileno()
        # Without moving the place in the file, which the server's processes share.
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def workers(self) -> list[int]:
        """The processes that answer, without the first one, which looks after them."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def workers_once(self, expected: Callable[[list[int]], bool]) -> list[int]:
        """The same, as soon as they are as expected, or after 15 seconds."""
        deadline = time.monotonic() + 15
        while not expected(pids := self.workers()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return pids

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer, a redirect included. The path goes out as it is written here."""
        session = requests.Session()
        session.trust_env = False
        prepared = session.prepare_request(requests.Request(method, self.url, **options))
        prepared.url = self.url + path
        return session.send(prepared, allow_redirects=False, timeout=30)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def get_until(self, status: int, path: str, *, within: float) -> requests.Response:
        """Ask again and again; the first answer with this status, or the last one in time."""
        deadline = time.monotonic() + within
        while (answer := self.get(path)).status_code != status and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.request("POST", path, **options)


# As a process of its own: for tests of how the processes begin and end.
Started = partial(Server, is_forked=False)


class Connection:
    """One connection to a server, which it keeps between requests."""

    def __init__(self, port: int) -> None:
        self.http = HTTPConnection("127.0.0.1", port, timeout=30)
        self.http.connect()
        self.http.auto_open = 0  # never a second one
        self.opened_at = time.monotonic()

    def rest(self, seconds: float) -> None:
        """Wait until it has been open for so many seconds."""
        time.sleep(max(0.0, self.opened_at + seconds - time.monotonic()))

    def status(self, path: str) -> int:
        """Of the answer to a GET; 0 if the server has closed the connection."""
        try:
            self.http.request("GET", path)
            with self.http.getresponse() as answer:
                answer.read()
        except (ConnectionError, NotConnected):
            return 0
        return answer.status


def statuses(
    server: Server,
    paths: Sequence[str],
    headers: Callable[[int], dict[str, str]] = lambda number: {},
    *,
    threads: int = 16,
) -> Counter[int]:
    """How many of each status came back for the paths, asked for by `threads` at a time."""

    def one(number: int) -> int:
        return server.get(paths[number], headers=headers(number)).status_code

    with ThreadPoolExecutor(threads) as crowd:
        return Counter(crowd.map(one, range(len(paths))))


def free_port() -> int:
    """A port for a server that sets SO_REUSEADDR; nobody else is given it while this process lives.

    Or another run of the tests might get the same one before the server has started.
    """
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", 0))
    places.append(place)
    return int(place.getsockname()[1])


def url_of_test_database() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()

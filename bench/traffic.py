"""Clients that ask at a steady rate, each in a thread, and what they are answered."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Self

import requests

from bench.processes import Running

# In place of a status.
NO_ANSWER = 0
Steps = Iterator[None]


class Tally:
    """How many answers of each status there were, by kind of client, and what went wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answers: defaultdict[str, Counter[int]] = defaultdict(Counter)
        # What clients could not go on after, by the sentences that say so.
        self.failures: Counter[str] = Counter()

    def count(self, kind: str, status: int) -> None:
        with self._lock:
            self.answers[kind][status] += 1

    def in_all(self) -> Counter[int]:
        return sum(self.answers.values(), Counter[int]())


class Client:
    """Of one kind. It keeps its connection, and comes from another address each time, unless its
    session has one.
    """

    def __init__(
        self, kind: str, server: Running, tally: Tally, session: requests.Session | None = None
    ) -> None:
        self.kind, self.server, self._tally = kind, server, tally
        self._is_many = session is None
        self._session = session or requests.Session()
        self._session.trust_env = False

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.ask("POST", path, json=json, **options)

    def made(self, path: str, json: Any = None, **options: Any) -> Any:
        """The JSON that a POST is answered with. RuntimeError if it has not succeeded."""
        answer = self.post(path, json, **options)
        if not answer.ok:
            raise RuntimeError(f"{answer.status_code} for {path}: {answer.text[:200]}")
        return answer.json()

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer, whatever its status; the path goes out as it is written."""
        if self._is_many:
            options["headers"] = {"X-Forwarded-For": some_address()} | options.get("headers", {})
        request = requests.Request(method, self.server.url, **options)
        prepared = self._session.prepare_request(request)
        prepared.url = self.server.url + path
        try:
            answer = self._session.send(prepared, allow_redirects=False, timeout=30)
        except requests.RequestException:
            self._tally.count(self.kind, NO_ANSWER)
            raise
        self._tally.count(self.kind, answer.status_code)
        return answer


class Pace(threading.Thread):
    """Takes a step so many times a second, or as often as the answers allow."""

    def __init__(self, begin: Callable[[], Steps], *, rate: float, tally: Tally) -> None:
        super().__init__(daemon=True)
        self._begin, self._period, self._tally = begin, 1 / rate, tally
        self._stopped = threading.Event()

    def run(self) -> None:
        steps = self._begin()
        due = time.monotonic() + self._period * random.random()
        while not self._stopped.wait(max(0, due - time.monotonic())):
            due = max(due + self._period, time.monotonic())
            try:
                next(steps)
            except Exception as error:
                self._tally.failures[f"{type(error).__name__}: {error}"] += 1
                steps = self._begin()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self.join()


def some_address() -> str:
    """One of four thousand."""
    return f"10.0.{random.randrange(16)}.{random.randrange(256)}"

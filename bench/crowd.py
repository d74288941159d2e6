"""Many callers at the same moment."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench.processes import Running

Result = TypeVar("Result")
# Seconds that a caller waits; the peer's own patience with OpenTok ends after 20.
PATIENCE = 30
NO_ANSWER = 0


@dataclass
class Answer:
    """`body` is the JSON; without an answer `status` is NO_ANSWER."""

    status: int
    seconds: float
    retry_after: int
    body: Any


def ask(server: Running, path: str, *, json_body: dict[str, str] | None = None) -> Answer:
    """GET, or POST if there is a body, over a connection of its own."""
    started = time.monotonic()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    try:
        if json_body is None:
            connection.request("GET", path)
        else:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(json_body), headers)
        answer = connection.getresponse()
        status, body = answer.status, json.load(answer)
        retry_after = int(answer.headers["Retry-After"] or 0)
    except (OSError, http.client.HTTPException):
        status, body, retry_after = NO_ANSWER, None, 0
    finally:
        connection.close()
    return Answer(status, time.monotonic() - started, retry_after, body)


def insist(server: Running, path: str) -> list[Answer]:
    """Come again as often and as late as a 503 asks for it. All answers, the last one for good."""
    answers = [ask(server, path)]
    while answers[-1].status == 503 and answers[-1].retry_after:
        time.sleep(answers[-1].retry_after)
        answers.append(ask(server, path))
    return answers


@contextmanager
def at_once(callers: Sequence[Callable[[], Result]]) -> Iterator[list[Future[Result]]]:
    """Everybody's result to be, in the same order. Ends when all are done."""
    start = Barrier(len(callers))

    def call(caller: Callable[[], Result]) -> Result:
        start.wait()
        return caller()

    with ThreadPoolExecutor(len(callers)) as threads:
        yield [threads.submit(call, caller) for caller in callers]


def statuses(answers: list[Answer]) -> str:
    """How many of each: `368 × 200, 32 × 503`."""
    seen = [answer.status for answer in answers]
    return ", ".join(
        f"{seen.count(status)} × {status or f'none in {PATIENCE} s'}"
        for status in sorted(set(seen))
    )

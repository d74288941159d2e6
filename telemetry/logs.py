"""What a line of the log looks like: JSON for a program, words for a person at a terminal.

Everything goes to standard output, one line each, with the id of the request that it belongs to.
Neither kind of line holds an address with its query, a room's name, a body, a header or a token.
"""

import json
import logging
import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

# The id of the request that this thread works on; empty between requests.
request_id: ContextVar[str] = ContextVar("request_id", default="")

STANDARD_OUTPUT = 1
AT_TERMINAL = sys.stdout.isatty()

# With the mark of what was left out, and the end of the line.
LONGEST = select.PIPE_BUF - len("\\u2026\n")

_to_json = json.JSONEncoder(separators=(",", ":")).encode


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            fields["request_id"] = current
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _in_one_piece(fields)


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        current = request_id.get()
        return super().format(record) + (f" ({current})" if current else "")


@contextmanager
def request(id_: str) -> Iterator[None]:
    """Inside the block every line has this request's id."""
    token = request_id.set(id_)
    try:
        yield
    finally:
        request_id.reset(token)


def in_one_line(error: Exception) -> str:
    """An error for the log: its class and its words."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _in_one_piece(fields: dict[str, str]) -> str:
    """A line that a pipe takes as a whole. Longer ones it mixes with those of other processes, so
    that they lose the beginning of their traceback.
    """
    line = _to_json(fields)
    for name in ("exception", "message"):
        excess = len(line) - LONGEST
        if excess > 0 and name in fields:
            fields[name] = "…" + fields[name][excess:]
            line = _to_json(fields)
    return line


def formatter() -> logging.Formatter:
    """For the `LOGGING` of the settings."""
    if AT_TERMINAL:
        return LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    return JSONFormatter()


def write_request(
    *,
    method: str,
    route: str,
    status: int,
    seconds: float,
    size: str | None,
    key_prefix: str | None = None,
) -> None:
    """The line of a request that was answered just now; `size` is a Content-Length.

    Put together by hand, because a record of `logging` takes five times as long. Whoever does not
    take the line costs nobody an answer.
    """
    now = _moment(time.time())
    more = f',"bytes":{int(size)}' if size else ""
    if key_prefix:
        more += f',"key_prefix":{_to_json(key_prefix)}'
    line = (
        f'{{"time":"{now}","request_id":"{request_id.get()}",{_kind(method, route, status)},'
        f'"duration_ms":{seconds * 1000:.1f}{more}}}'
    )
    with suppress(OSError):
        os.write(STANDARD_OUTPUT, f"{_in_words(line) if AT_TERMINAL else line}\n".encode())


@lru_cache(1024)
def _kind(method: str, route: str, status: int) -> str:
    """The members that many lines have in common."""
    level = "error" if status >= 500 else "info"
    members = {"level": level, "method": method, "route": route, "status": status}
    return _to_json(members)[1:-1]


def _in_words(line: str) -> str:
    told = json.loads(line)
    key = f" key {told['key_prefix']}" if "key_prefix" in told else ""
    return (
        f"{told['time'][11:19]} {told['method']} {told['route']} {told['status']} "
        f"{told['duration_ms']} ms{key} ({told['request_id']})"
    )


def _moment(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")

"""The format of the log: JSON for programs, words for people at a terminal.

Each entry is one line on standard output, with the id of its request. No line holds a URL with its
query, a room's name, a body, a header or a token.
"""

import json
import logging
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

from telemetry import tracing

# The id of the current request; empty between requests.
request_id: ContextVar[str] = ContextVar("request_id", default="")

STANDARD_OUTPUT = 1
AT_TERMINAL = sys.stdout.isatty()

# What is left of PIPE_BUF besides the ellipsis, as JSON escapes it, and the end of the line.
LONGEST = select.PIPE_BUF - len("\\u2026\n")

to_json = json.JSONEncoder(separators=(",", ":")).encode


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            fields["request_id"] = current
        if trace := tracing.trace_id():
            fields["trace_id"] = trace
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _in_one_piece(fields)


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        current = request_id.get()
        return super().format(record) + (f" ({current})" if current else "")


@contextmanager
def request(id_: str) -> Iterator[str]:
    """Inside the block each line of the log has this request's id."""
    token = request_id.set(id_)
    try:
        yield id_
    finally:
        request_id.reset(token)


def in_one_line(error: Exception) -> str:
    """The class and the message of an error, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _in_one_piece(fields: dict[str, str]) -> str:
    """A line that fits into PIPE_BUF, since a pipe mixes longer ones with lines of other processes.
    A long traceback or message loses its beginning.
    """
    line = to_json(fields)
    for name in ("exception", "message"):
        excess = len(line) - LONGEST
        if excess > 0 and name in fields:
            fields[name] = "…" + fields[name][excess:]
            line = to_json(fields)
    return line


def formatter() -> logging.Formatter:
    """The formatter that LOGGING in the settings names."""
    if AT_TERMINAL:
        return LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    return JSONFormatter()


def moment(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(2)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")

"""Things that go wrong on demand: slow, lost, wrong and broken answers."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from emulator.control_fields import (
    read_body,
    read_flag,
    read_headers,
    read_integer,
    read_method,
    read_pattern,
    read_seconds,
)
from emulator.messages import ApiError, BadInput, Request, Response, opentok_headers, phrase

MAX_FAULTS = 1_000
MAX_TIMES = 1_000_000
KNOWN = {
    "method",
    "path",
    "status",
    "headers",
    "body",
    "delay",
    "drop",
    "drip",
    "hang",
    "times",
    "after",
}


@dataclass
class Fault:
    """One kind of trouble, and which requests it is for; README.md explains the fields.

    `left` is how many more times, None for always. `ended` is set when the faults are cleared:
    everything that waits for this one ends then.
    """

    id: int
    ended: threading.Event
    method: str | None = None
    path: re.Pattern[str] = re.compile("")
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0
    drop: bool = False
    drip: float = 0
    hang: bool = False
    left: int | None = None
    after: bool = False

    def matches(self, request: Request) -> bool:
        return (
            self.left != 0
            and self.method in (None, request.method)
            and self.path.search(request.path) is not None
        )

    @property
    def replaces_answer(self) -> bool:
        return self.status is not None or self.body is not None

    @property
    def gives_no_answer(self) -> bool:
        return self.drop or self.hang

    def alter(self, real: Response | None) -> Response:
        """The answer to give, from the real one unless that was not asked for or is replaced."""
        answer = real
        if answer is None or self.replaces_answer:
            status = self.status or 200
            answer = Response(status, error_body(status), opentok_headers())
        body = answer.body if self.body is None else self.body
        return Response(answer.status, body, merged(answer.headers, self.headers))

    def view(self) -> dict[str, Any]:
        """The control API's picture of it."""
        return {
            "id": self.id,
            "method": self.method,
            "path": self.path.pattern,
            "status": self.status,
            "headers": self.headers,
            "body": None if self.body is None else self.body.decode(),
            "delay": self.delay,
            "drop": self.drop,
            "drip": self.drip,
            "hang": self.hang,
            "times": self.left,
            "after": self.after,
        }


class Faults:
    """The faults in force. Of several that match a request, the first is applied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._ended = threading.Event()
        self._last_id = 0

    def add(self, fields: dict[str, Any]) -> Fault:
        """Raises BadInput for fields that make no sense."""
        with self._lock:
            if len(self._faults) >= MAX_FAULTS:
                raise BadInput(f"There are at most {MAX_FAULTS} faults at a time.")
            self._last_id += 1
            fault = read_fault(fields, self._last_id, self._ended)
            self._faults.append(fault)
            return fault

    def clear(self) -> None:
        """Forget all faults, and end those in progress."""
        with self._lock:
            self._ended.set()
            self._ended = threading.Event()
            self._faults.clear()

    def view(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.view() for fault in self._faults]

    def claim(self, request: Request) -> Fault | None:
        """The fault to apply to this request, which counts as one of its times."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(request):
                    if fault.left is not None:
                        fault.left -= 1
                    if fault.left == 0:
                        self._faults.remove(fault)
                    return fault
        return None


def read_fault(fields: dict[str, Any], fault_id: int, ended: threading.Event) -> Fault:
    """Raises BadInput for fields that make no sense."""
    unknown = set(fields) - KNOWN
    if unknown:
        raise BadInput(f"Unknown fields: {', '.join(sorted(unknown))}.")
    given = {name: value for name, value in fields.items() if value is not None}
    return Fault(
        id=fault_id,
        ended=ended,
        method=read_method(given.get("method")),
        path=read_pattern(given.get("path", "")),
        status=read_integer(given, "status", 200, 599),
        headers=read_headers(given.get("headers", {})),
        body=read_body(given.get("body")),
        delay=read_seconds(given, "delay"),
        drop=read_flag(given, "drop"),
        drip=read_seconds(given, "drip"),
        hang=read_flag(given, "hang"),
        left=read_integer(given, "times", 1, MAX_TIMES),
        after=read_flag(given, "after"),
    )


def error_body(status: int) -> bytes:
    """What an answer of that status says when the fault gives no body."""
    return b"" if status < 400 else ApiError(status, -1, phrase(status)).response().body


def merged(headers: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """The headers, those of the same name (in any case) replaced by the others."""
    replaced = {name.lower() for name in others}
    kept = {name: text for name, text in headers.items() if name.lower() not in replaced}
    return {**kept, **others}

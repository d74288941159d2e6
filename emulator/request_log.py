"""What reached the OpenTok side, for tests to look at."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from emulator.messages import Request

MAX_REQUESTS = 1_000
MAX_BODY = 64 * 1024
CREDENTIALS = {"authorization", "x-opentok-auth", "proxy-authorization", "cookie"}


class RequestLog:
    """The last thousand requests, without their credentials."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: deque[dict[str, Any]] = deque(maxlen=MAX_REQUESTS)

    def add(self, request: Request) -> dict[str, Any]:
        """Returns the entry, whose `status` is None until it is given one: no answer went out."""
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in CREDENTIALS
        }
        entry = {
            "method": request.method,
            "path": request.target,
            "headers": headers,
            "authorization": "Authorization" in request.headers,
            "body": request.body[:MAX_BODY].decode(errors="replace"),
            "status": None,
        }
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()
        return entry

    def wait(self, *, at_least: int, within: float) -> None:
        """Until that many requests are here, or so many seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._entries) >= at_least, within)

    def view(self) -> list[dict[str, Any]]:
        with self._changed:
            return list(self._entries)

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()

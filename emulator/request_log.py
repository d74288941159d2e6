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
        self._lock = threading.Lock()
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
            "body": request.body[:MAX_BODY].decode(errors="replace"),
            "status": None,
        }
        with self._lock:
            self._entries.append(entry)
        return entry

    def view(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

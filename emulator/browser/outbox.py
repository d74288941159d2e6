"""What one page is to be sent, kept until the page has it, across its broken connections."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Protocol

MAX_WAITING = 5_000
MAX_WAITING_BYTES = 8 * 1024 * 1024
MAX_SENT = 500


class Sender(Protocol):
    """The connection that sends what is in the outbox."""

    def wake(self) -> None:
        """There is something to send, or the outbox is full. Never blocks."""


class Outbox:
    """Threads put in, one connection at a time takes out. Nothing here ever waits for the page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sender: Sender | None = None
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._waiting_bytes = 0
        self._sent: OrderedDict[str, bytes] = OrderedDict()
        self.is_full = False

    def put(self, content: bytes, *, transaction: str = "") -> None:
        """With a transaction it is sent again when the connection breaks before the page has
        acknowledged it. What is put into a full outbox is lost: its page is given up.
        """
        with self._lock:
            if self.is_full:
                return
            self._waiting.append((transaction, content))
            self._waiting_bytes += len(content)
            if len(self._waiting) > MAX_WAITING or self._waiting_bytes > MAX_WAITING_BYTES:
                self.is_full = True
                self._waiting.clear()
            sender = self._sender
        if sender is not None:
            sender.wake()

    def take(self, sender: Sender) -> bytes | None:
        """What comes next, None when there is nothing, or when another connection sends by now."""
        with self._lock:
            if sender is not self._sender or not self._waiting:
                return None
            transaction, content = self._waiting.popleft()
            self._waiting_bytes -= len(content)
            if transaction:
                self._sent[transaction] = content
                if len(self._sent) > MAX_SENT:
                    self._sent.popitem(last=False)
            return content

    def acknowledge(self, transaction: str) -> None:
        """The page has it."""
        with self._lock:
            self._sent.pop(transaction, None)

    def send_by(self, sender: Sender) -> None:
        """From now on that connection sends, beginning with what was not acknowledged."""
        with self._lock:
            self._sender = sender
            again = list(self._sent.items())
            self._sent.clear()
            self._waiting.extendleft(reversed(again))
            self._waiting_bytes += sum(len(content) for _, content in again)
        sender.wake()

"""Windows in a file that all processes of this machine share, in less time than a request notices.

Each hit is one statement of SQLite, which counts, decides and commits in one go. Asking for what it
wrote (RETURNING) would take a second go, with the file locked while the thread waits for Python to
let it run.
"""

import fcntl
import os
import sqlite3
import stat
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from django.utils.crypto import salted_hmac
from limits import RateLimitItem, WindowStats

# For another thread, and then for another process, each of which is done in microseconds.
PATIENCE_SECONDS = 1
TIDY_EVERY_SECONDS = 60

PREPARE = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS windows (key TEXT PRIMARY KEY, hits INTEGER, ends REAL) WITHOUT ROWID;
"""

HIT = """
INSERT INTO windows (key, hits, ends) VALUES (:key, max(0, :cost), :now + :seconds)
ON CONFLICT (key) DO UPDATE SET
    hits = max(0, :cost + CASE WHEN ends > :now THEN hits ELSE 0 END),
    ends = CASE WHEN ends > :now THEN ends ELSE :now + :seconds END
WHERE ends <= :now OR hits + :cost <= :most
"""


class LocalWindows:
    """Fixed windows, as the library has them for Redis. Errors: sqlite3.Error, OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._tidied_at = 0.0

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        now = time.time()
        values = {
            "key": item.key_for(*identifiers), "cost": cost, "most": item.amount, "now": now,
            "seconds": item.get_expiry(),
        }  # fmt: skip
        if now > self._tidied_at + TIDY_EVERY_SECONDS:
            self._tidied_at = now
            self._execute("DELETE FROM windows WHERE ends <= :now", {"now": now})
        changed, _ = self._execute(HIT, values)
        return changed == 1

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        query = "SELECT ends, hits FROM windows WHERE key = :key"
        _, rows = self._execute(query, {"key": item.key_for(*identifiers)})
        ends, hits = rows[0] if rows else (time.time(), 0)
        return WindowStats(ends, max(0, item.amount - hits))

    def _execute(self, statement: str, values: dict[str, object]) -> tuple[int, list[Any]]:
        """How many rows it changed, and those that it found."""
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise sqlite3.OperationalError("others are waiting for the file already")
        try:
            if self._connection is None:
                self._connection = self._open()
            cursor = self._connection.execute(statement, values)
            return cursor.rowcount, cursor.fetchall()
        except sqlite3.OperationalError:
            raise  # locked, or the disk is full: it may pass
        except sqlite3.DatabaseError:
            # A crash of the machine broke the file, since it is never synced. It is worth nothing.
            self._connection = None
            for part in self.path.parent.glob(f"{self.path.name}*"):
                part.unlink(missing_ok=True)
            raise
        finally:
            self._lock.release()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        # One process after the other: SQLite does not wait for its turn to change the mode.
        with self.path.with_suffix(".lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            connection.executescript(PREPARE)
        return connection


def shared_file() -> Path:
    """The file of everybody on this machine who has the same SECRET_KEY and is the same user.

    OSError if its folder cannot be made or is not this user's alone.
    """
    folder = Path(tempfile.gettempdir()) / f"opentok-rooms-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not a folder of this user alone")
    name = salted_hmac("access.limits", "file").hexdigest()[:16]
    return folder / f"limits-{name}.sqlite3"

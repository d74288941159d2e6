"""Django's SQLite with a queue of its transactions, over all processes.

In SQLite a waiting writer sleeps for 1, 2, 5, … 100 ms between attempts, and later writers overtake
it. Of 16 clients that made rooms at the same time some waited for 500 ms, and with this queue for
50. The queue only orders writers: SQLite's own lock still separates them, and other programs such
as sqlite3 wait as before.
"""

import fcntl
import os
import threading
import time
from collections import defaultdict

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# Seconds between attempts to lock the file. A transaction takes 0.3 ms.
PAUSE = 0.001

# By database: the threads of a process wait for this lock, and one of them for the file.
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class DatabaseWrapper(base.DatabaseWrapper):
    _has_turn = False
    # The lock file, open during a transaction; None where it cannot be had.
    _file: int | None = None

    def _start_transaction_under_autocommit(self) -> None:
        self._enter_queue()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave_queue()
            raise

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if autocommit:  # which follows each commit and each rollback
            self._leave_queue()

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]
        self._leave_queue()

    def _enter_queue(self) -> None:
        patience = self.settings_dict["OPTIONS"]["timeout"]
        until = time.monotonic() + patience
        if not self._turn.acquire(timeout=patience):
            raise OperationalError("database is locked")
        self._has_turn = True
        try:
            self._file = os.open(f"{self.settings_dict['NAME']}-queue", os.O_RDONLY | os.O_CREAT)
            _lock(self._file, until=until)
        except BlockingIOError:
            self._leave_queue()
            raise OperationalError("database is locked") from None
        except OSError:
            pass  # some network file systems have no such locks

    def _leave_queue(self) -> None:
        if self._file is not None:
            os.close(self._file)  # which unlocks it
            self._file = None
        if self._has_turn:
            self._has_turn = False
            self._turn.release()

    @property
    def _turn(self) -> threading.Lock:
        return _turns[str(self.settings_dict["NAME"])]


def _lock(file: int, *, until: float) -> None:
    """BlockingIOError if that takes too long."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)
        else:
            return

"""Django's PostgreSQL with a bounded number of connections for each process.

Django keeps a connection for each thread. This server has far more threads than it needs
connections, because most of its threads wait for OpenTok when there are many, and a small
PostgreSQL has twenty. So the threads of a process share a few: one is taken with the first query of
a request and given back when the request ends or begins to wait: CONN_MAX_AGE=0 makes Django do so.
psycopg2 has a pool of its own, which refuses instead of waiting, and Django's needs psycopg 3.
"""

import select
import threading
from collections import deque
from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

CONNECTIONS = 8
# Seconds to wait for one to come free.
PATIENCE = 3

_free = threading.BoundedSemaphore(CONNECTIONS)
_idle: deque[Any] = deque()


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not _free.acquire(timeout=PATIENCE):
            raise OperationalError("all connections of this process are in use")
        try:
            return _take_idle() or super().get_new_connection(conn_params)
        except BaseException:
            _free.release()
            raise

    def _close(self) -> None:
        if self.connection is None:
            return
        try:
            if _is_at_rest(self.connection):
                _idle.append(self.connection)
            else:
                super()._close()  # type: ignore[misc]
        finally:
            _free.release()


def _take_idle() -> Any:
    """The connection that was used last, which is the likeliest to be alive, if there is one."""
    while _idle:
        try:
            connection = _idle.pop()
        except IndexError:
            return None  # another thread was faster
        if not _has_ended(connection):
            return connection
        connection.close()
    return None


def _has_ended(connection: Any) -> bool:
    """Nothing is to be read from an idle connection, unless it is that the server has ended it."""
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    return bool(readable)


def _is_at_rest(connection: Any) -> bool:
    return not connection.closed and (connection.info.transaction_status == TRANSACTION_STATUS_IDLE)

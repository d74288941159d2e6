"""Django's PostgreSQL with a bounded number of connections for each process.

Django keeps a connection for each thread. This server has many threads, most of which wait for
OpenTok when it is busy, and a small PostgreSQL has twenty connections. So the threads of a process
share a few: a request takes one with its first query, and gives it back when it ends or begins to
wait, by CONN_MAX_AGE=0. psycopg2's own pool raises instead of waiting, and Django's needs psycopg
3.

All statements have a time limit, except for changes of the schema. It is set for a transaction,
since PgBouncer gives the connection to other clients afterwards. A SELECT whose connection has
ended, as all do when PostgreSQL restarts, is repeated on a new one.
"""

import select
import threading
from collections import deque
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.backends.postgresql import base, schema
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

# Seconds to wait for a free connection.
PATIENCE = 3
# More than the admin needs for a million rows, and less than clients and routers wait.
STATEMENT_SECONDS = 5
# For a change of the schema to wait for a lock: all other statements queue behind it.
LOCK_SECONDS = 5
# Statements that may take long. A SAVEPOINT may follow an error, after which SET fails.
LIMITED = ("SELECT ", "(SELECT ", "WITH ", "INSERT ", "UPDATE ", "DELETE ")
READ_ONLY = "25006"

_free = threading.BoundedSemaphore(settings.DATABASE_CONNECTIONS)
_idle: deque[Any] = deque()


class Cursor(CursorWrapper):
    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        only_reads = isinstance(sql, str) and sql.startswith("SELECT ")
        if isinstance(sql, str) and sql.startswith(LIMITED):
            # PostgreSQL runs both as one transaction, also in autocommit mode.
            limits = f"SET LOCAL statement_timeout = '{self.db.statement_seconds}s'"
            if self.db.lock_seconds:
                limits += f"; SET LOCAL lock_timeout = '{self.db.lock_seconds}s'"
            sql = f"{limits}; {sql}"
        try:
            return super()._execute(sql, params, *ignored)  # type: ignore[misc]
        except OperationalError:
            if self.db.in_atomic_block or not self.db.connection.closed or not only_reads:
                raise
        # The idle connections have ended as well, or will soon.
        _idle.clear()
        self.db.close()
        self.cursor = self.db.cursor().cursor
        return super()._execute(sql, params, *ignored)  # type: ignore[misc]


class Errors(DatabaseErrorWrapper):
    """Removes values of rows, such as names and session ids, from errors. PostgreSQL quotes them in
    its DETAIL, and for wrong values (class 22) in the message.
    """

    wrapper: Any

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if state := getattr(error, "pgcode", None):
            about = "" if state.startswith(("22", "P0")) else f": {error.diag.message_primary}"
            error.args = (f"SQLSTATE {state}{about}",)
        if state == READ_ONLY:
            # After a failover old connections stay read-only, and new ones are not.
            _idle.clear()
            self.wrapper.is_read_only = True
        super().__exit__(kind, error, traceback)


class SchemaEditor(schema.DatabaseSchemaEditor):
    connection: Any

    def __enter__(self) -> Any:
        entered = super().__enter__()
        self.connection.statement_seconds = 0
        if not self.collect_sql:
            with self.connection.cursor() as cursor:
                cursor.execute(
                    f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"
                )
        return entered

    def __exit__(self, *exception: Any) -> None:
        self.connection.statement_seconds = STATEMENT_SECONDS
        super().__exit__(*exception)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor
    is_read_only = False
    statement_seconds = STATEMENT_SECONDS
    # Set by access/notes.py; 0 means the time limit of the statement.
    lock_seconds = 0

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return Errors(self)

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return Cursor(cursor, self)

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
            if _is_at_rest(self.connection) and not self.is_read_only:
                _idle.append(self.connection)
            else:
                super()._close()  # type: ignore[misc]
        finally:
            self.is_read_only = False
            _free.release()


def _take_idle() -> Any:
    """The most recently used idle connection, which is most likely alive, or None."""
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
    """An idle connection is only readable if the server has closed it."""
    # Not select(): it takes no file beyond the 1,024th, and each client's connection is one.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _is_at_rest(connection: Any) -> bool:
    return not connection.closed and (connection.info.transaction_status == TRANSACTION_STATUS_IDLE)

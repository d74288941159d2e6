"""Writes to the database that a request can do without."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection

from telemetry.logs import in_one_line

logger = logging.getLogger(__name__)

# How long a statement waits for a lock, on PostgreSQL.
LOCK_SECONDS = 1


@contextmanager
def best_effort(what: str, *, lock_seconds: int = LOCK_SECONDS) -> Iterator[None]:
    """Log a database error instead of raising it: "Could not `what`".

    With `lock_seconds=0` the time for a lock is only limited by that of the statement.
    """
    database: Any = connection
    database.lock_seconds = lock_seconds
    try:
        yield
    except Error as error:
        logger.warning("Could not %s: %s", what, in_one_line(error))
    finally:
        database.lock_seconds = 0

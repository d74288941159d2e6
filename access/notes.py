"""What is done with the database for later, or for looks, and keeps no caller from an answer."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection

from telemetry.logs import in_one_line

logger = logging.getLogger(__name__)

# For each statement of a note to wait for a lock, on PostgreSQL.
LOCK_SECONDS = 1


@contextmanager
def best_effort(what: str, *, lock_seconds: int = LOCK_SECONDS) -> Iterator[None]:
    """Log an error of the database in place of raising it: that it could not do `what`.

    With `lock_seconds=0` a statement may wait for a lock as long as it may take.
    """
    database: Any = connection
    database.lock_seconds = lock_seconds
    try:
        yield
    except Error as error:
        logger.warning("Could not %s: %s", what, in_one_line(error))
    finally:
        database.lock_seconds = 0

"""What is done with the database for later, or for looks, and keeps no caller from an answer."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error

from telemetry.logs import in_one_line

logger = logging.getLogger(__name__)


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log an error of the database in place of raising it: that it could not do `what`."""
    try:
        yield
    except Error as error:
        logger.warning("Could not %s: %s", what, in_one_line(error))

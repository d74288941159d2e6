"""The examinations of `manage.py doctor`: what is wrong with this server, and what to do."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from django.db import Error as DatabaseError

from ops.doctor import configured, platforms, running, stored
from ops.doctor.finding import Finding

MOST_TO_DO = 3
# The most important first, of errors as of warnings.
EXAMINATIONS = [
    configured.release,
    configured.platform,
    configured.configuration,
    configured.opentok,
    stored.lasting,
    stored.database,
    stored.disk,
    configured.security,
    configured.https,
    configured.host_names,
    configured.access,
    configured.static_files,
    running.callbacks,
    running.session_monitoring,
    running.worker,
    running.background_jobs,
    running.webhooks,
    running.recordings,
    configured.phones,
    stored.search,
    stored.limits,
    configured.rate_limits,
]


def examine() -> Iterator[Finding]:
    here = platforms.current()
    for examination in EXAMINATIONS:
        with suppress(DatabaseError):  # stored.database has said so
            for found in examination():
                yield here.with_its_ways(found)


def most_important(findings: Iterable[Finding]) -> list[Finding]:
    """What to do first: at most three, errors before warnings."""
    todo = [found for found in findings if found.level != "ok"]
    return sorted(todo, key=lambda found: found.level != "error")[:MOST_TO_DO]

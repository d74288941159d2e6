"""Starting what costs money while it runs: what became of a start whose answer got lost."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from video import calls, concurrency
from video.answers import Refusals, Remote
from video.errors import VideoError

# The share of a start's time that is kept for finding out what became of it.
TO_LOOK_UP = 0.2


def start(
    operation: str,
    ask: calls.Ask,
    *,
    refusals: Refusals,
    check: Callable[[Any], Remote],
    find: Callable[[float], Remote | None],
) -> Remote:
    """What was started, as `check` takes it from the answer.

    If OpenTok failed, `find` looks, until the time it is given, for what runs nevertheless. So a
    failure is raised only if nothing was started, as far as can be known.
    """
    until = calls.deadline()
    with concurrency.waiting():
        try:
            in_time = until - settings.OPENTOK_TIMEOUT * TO_LOOK_UP
            return check(calls.exchange(operation, ask, refusals=refusals, until=in_time))
        except VideoError as error:
            if not error.is_outage:
                raise
            try:
                running = find(until)
            except VideoError:
                running = None
            if running is None:
                raise
            return running


def first_running(
    remotes: list[Remote], *, tag_field: str, tag: str | None, running: set[str]
) -> Remote | None:
    """A session has one at a time of each tag.

    Should OpenTok's list leave tags out, as its SDKs say, then none of those with a tag is found.
    """
    for remote in remotes:
        if remote["status"] in running and (remote.get(tag_field) or None) == tag:
            return remote
    return None

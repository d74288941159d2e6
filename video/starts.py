"""Starts of recordings, broadcasts and renders, which cost money, even if the answer gets lost."""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from video import calls, concurrency
from video.answers import Refusals, Remote
from video.errors import VideoError

# The share of a start's time that is reserved for looking for what runs after a failure.
TO_LOOK_UP = 0.2


def start(
    operation: str,
    ask: calls.Ask,
    *,
    refusals: Refusals,
    check: Callable[[Any], Remote],
    find: Callable[[float], Remote | None],
) -> Remote:
    """Start something; `check` takes it from the answer.

    If OpenTok fails, `find` looks, until the given time, for what was started nevertheless. So a
    failure is raised only if nothing is found.
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
    """The running one with this tag, of which a session has one at a time.

    If OpenTok's list leaves tags out, as its SDKs say, none with a tag is found.
    """
    for remote in remotes:
        if remote["status"] in running and (remote.get(tag_field) or None) == tag:
            return remote
    return None

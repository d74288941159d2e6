"""The calls to OpenTok for each kind of activity."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from video import audio_connector, broadcasts, captions, connections, moderation, renders
from video.answers import Remote
from video.errors import VideoError

if TYPE_CHECKING:
    from live.models import Activity

# Errors of OpenTok for an activity that has ended.
GONE = {
    "broadcast_not_found",
    "broadcast_not_running",
    "captions_not_found",
    "render_not_found",
    "audio_connector_not_found",
    "connection_not_found",
}

logger = logging.getLogger(__name__)


def _hang_up(activity: Activity) -> None:
    moderation.disconnect(activity.session_id, activity.connection_id)


def _look_at_connection(activity: Activity) -> None:
    """OpenTok has no call to fetch a call or an audio connector, only the list of connections."""
    there = {each["connectionId"] for each in connections.list_connections(activity.session_id)}
    if activity.connection_id not in there:
        raise VideoError("connection_not_found")


# Returns OpenTok's object, or None for an empty answer.
Ask = Callable[["Activity"], Remote | None]

STOP: dict[str, Ask] = {
    "broadcast": lambda activity: broadcasts.stop_broadcast(str(activity.pk)),
    "captions": lambda activity: captions.stop_captions(str(activity.pk)),
    "render": lambda activity: renders.stop_render(str(activity.pk)),
    "call": _hang_up,
    "audio_connector": lambda activity: audio_connector.disconnect(str(activity.pk)),
}
LOOK: dict[str, Ask] = {
    "broadcast": lambda activity: broadcasts.get_broadcast(str(activity.pk)),
    "captions": lambda activity: captions.get_captions(str(activity.pk)),
    "render": lambda activity: renders.get_render(str(activity.pk)),
    "call": _look_at_connection,
    "audio_connector": _look_at_connection,
}


def has_people(session_id: str, running: Iterable[Activity]) -> bool:
    """Whether there are connections other than those of activities. OpenTok does not tell which one
    is a render's; each started render has one.
    """
    there = {each["connectionId"] for each in connections.list_connections(session_id)}
    ours = {activity.connection_id for activity in running if activity.connection_id}
    renders_there = sum(
        activity.kind == "render" and activity.status == "started" and not activity.connection_id
        for activity in running
    )
    return len(there - ours) > renders_there


@contextmanager
def failure_logged(what: str) -> Iterator[None]:
    """Log a failure of OpenTok instead of raising it: "Could not `what`"."""
    try:
        yield
    except VideoError as error:
        logger.warning("Could not %s: %s %s", what, error.code, error.reason)

"""What is asked of OpenTok for each kind of activity."""

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

# What OpenTok says of something that is over.
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
    """OpenTok has no look at a call or an audio connector, but at who is there."""
    there = {each["connectionId"] for each in connections.list_connections(activity.session_id)}
    if activity.connection_id not in there:
        raise VideoError("connection_not_found")


# What OpenTok answers about an activity; None where it answers with nothing.
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
    """Whether others are connected than what runs there. OpenTok does not say which of the
    connections is a render's; each that has started has one.
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
    """Log a failure of OpenTok in place of raising it: that it was not possible to do `what`."""
    try:
        yield
    except VideoError as error:
        logger.warning("Could not %s: %s %s", what, error.code, error.reason)

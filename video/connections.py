"""Connections: the clients in a session."""

from video import answers, rest
from video.answers import Remote


def list_connections(session_id: str) -> list[Remote]:
    """The connections of a session, the oldest first."""
    found = rest.list_in_session("list_connections", session_id, "connection")
    return [answers.with_ids(each, "connectionId") for each in found]

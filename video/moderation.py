"""What a moderator does to others: disconnect and mute them."""

from collections.abc import Iterable

from video import ids, rest


def disconnect(session_id: str, connection_id: str) -> None:
    """Throw a client, a phone or a bot out. Error: connection_not_found."""
    connection_id = ids.connection_id(connection_id)
    rest.ask(
        "disconnect",
        "DELETE",
        rest.in_session(session_id, f"connection/{connection_id}"),
        refusals={400: "session_invalid", 404: "connection_not_found"},
    )


def mute_stream(session_id: str, stream_id: str) -> None:
    """Mute one, who can unmute. Error: stream_not_found."""
    stream_id = ids.stream_id(stream_id)
    rest.ask(
        "mute_stream",
        "POST",
        rest.in_session(session_id, f"stream/{stream_id}/mute"),
        {},
        refusals={400: "session_invalid", 404: "stream_not_found"},
    )


def mute_all(session_id: str, *, except_streams: Iterable[str] = ()) -> None:
    """Mute all streams but these, and those that are published from now on.

    Error: nobody_connected.
    """
    spared = [ids.stream_id(stream_id) for stream_id in except_streams]
    _set_mute(session_id, {"active": True, "excludedStreamIds": spared})


def unmute_all(session_id: str) -> None:
    """Have new streams muted no more; the others stay so until their publishers unmute them.

    Error: nobody_connected.
    """
    _set_mute(session_id, {"active": False, "excludedStreamIds": []})


def _set_mute(session_id: str, state: dict[str, object]) -> None:
    rest.ask(
        "mute_all",
        "POST",
        rest.in_session(session_id, "mute"),
        state,
        refusals={400: "session_invalid", 404: "nobody_connected"},
    )

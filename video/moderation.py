"""Moderation: disconnecting and muting clients."""

from collections.abc import Iterable

from video import ids, rest


def disconnect(session_id: str, connection_id: str) -> None:
    """Disconnect a client, a phone or a bot. Error: connection_not_found."""
    connection_id = ids.connection_id(connection_id)
    rest.ask(
        "disconnect",
        "DELETE",
        rest.in_session(session_id, f"connection/{connection_id}"),
        refusals={400: "session_invalid", 404: "connection_not_found"},
    )


def mute_stream(session_id: str, stream_id: str) -> None:
    """Mute one stream; its publisher can unmute. Error: stream_not_found."""
    stream_id = ids.stream_id(stream_id)
    rest.ask(
        "mute_stream",
        "POST",
        rest.in_session(session_id, f"stream/{stream_id}/mute"),
        {},
        refusals={400: "session_invalid", 404: "stream_not_found"},
    )


def mute_all(session_id: str, *, except_streams: Iterable[str] = ()) -> None:
    """Mute all streams but these, and all that are published later. Error: nobody_connected."""
    spared = [ids.stream_id(stream_id) for stream_id in except_streams]
    _set_mute(session_id, {"active": True, "excludedStreamIds": spared})


def unmute_all(session_id: str) -> None:
    """Mute new streams no longer; the others stay muted until their publishers unmute.

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

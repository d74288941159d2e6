"""Phones in a session, over SIP. Hanging up is video.moderation.disconnect."""

from collections.abc import Iterable
from typing import Any

from video import answers, ids, rest, sessions
from video.answers import Remote


def dial(
    session_id: str,
    *,
    token: str,
    uri: str,
    sender: str | None = None,
    headers: dict[str, str] | None = None,
    username: str | None = None,
    password: str | None = None,
    secure: bool | None = None,
    video: bool | None = None,
    observe_force_mute: bool | None = None,
    streams: Iterable[str] | None = None,
) -> Remote:
    """Call a phone into a session. Its `connectionId` is known before the call is picked up.

    The phone hears `streams`, or all. Errors: call_refused, call_conflict, nobody_connected.
    """
    sip: dict[str, Any] = rest.given(
        uri=uri,
        headers=headers,
        auth=None if username is None else {"username": username, "password": password or ""},
        secure=secure,
        video=video,
        observeForceMute=observe_force_mute,
        streams=None if streams is None else [ids.stream_id(each) for each in streams],
    )
    if sender is not None:
        sip["from"] = sender
    answer = rest.ask(
        "dial",
        "POST",
        "dial",
        {"sessionId": sessions.checked(session_id), "token": token, "sip": sip},
        refusals={400: "call_refused", 404: "nobody_connected", 409: "call_conflict"},
    )
    return answers.with_ids(answer, "id", "connectionId", "streamId")


def play_dtmf(session_id: str, digits: str, *, connection_id: str) -> None:
    """Play digits (0 to 9, * and #; p is a pause) to one phone.

    Errors: call_refused, connection_not_found.
    """
    connection_id = ids.connection_id(connection_id)
    rest.ask(
        "play_dtmf",
        "POST",
        rest.in_session(session_id, f"connection/{connection_id}/play-dtmf"),
        {"digits": digits},
        refusals={400: "call_refused", 404: "connection_not_found"},
    )

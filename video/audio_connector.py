"""Audio connectors: the audio of a session to a WebSocket, such as a bot's, and back."""

from collections.abc import Iterable

from video import answers, ids, rest, sessions
from video.answers import Remote


def connect(
    session_id: str,
    *,
    token: str,
    uri: str,
    streams: Iterable[str] | None = None,
    headers: dict[str, str] | None = None,
    audio_rate: int | None = None,
    bidirectional: bool | None = None,
) -> Remote:
    """The connector's `id`, and its `connectionId` in the session.

    Errors: audio_connector_refused, nobody_connected.
    """
    websocket = rest.given(
        uri=uri,
        streams=None if streams is None else [ids.stream_id(each) for each in streams],
        headers=headers,
        audioRate=audio_rate,
        bidirectional=bidirectional,
    )
    answer = rest.ask(
        "connect_audio",
        "POST",
        "connect",
        {"sessionId": sessions.checked(session_id), "token": token, "websocket": websocket},
        # 409 is documented for sessions that are not routed.
        refusals={
            400: "audio_connector_refused",
            404: "nobody_connected",
            409: "audio_connector_refused",
        },
    )
    return answers.with_ids(answer, "id", "connectionId")


def disconnect(connector_id: str) -> None:
    """Error: audio_connector_not_found, also for one that has ended."""
    connector_id = ids.audio_connector_id(connector_id)
    rest.ask(
        "disconnect_audio",
        "POST",
        f"connect/{connector_id}/stop",
        refusals={404: "audio_connector_not_found"},
    )

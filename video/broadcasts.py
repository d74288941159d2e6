"""Broadcasts of a session, over HLS or to RTMP servers.

The names of RTMP streams in OpenTok's answers are secret.
"""

from typing import Any

from video import answers, calls, ids, rest, sessions, starts
from video.answers import Remote

MAX_BROADCASTS = 1000
RUNNING = {"started"}


def start_broadcast(
    session_id: str,
    *,
    outputs: Remote,
    layout: Remote | None = None,
    max_duration: int | None = None,
    max_bitrate: int | None = None,
    resolution: str | None = None,
    stream_mode: str | None = None,
    multi_broadcast_tag: str | None = None,
    has_audio: bool | None = None,
    has_video: bool | None = None,
) -> Remote:
    """Start one; `outputs` and `layout` as OpenTok writes them.

    Errors: broadcast_refused, broadcast_conflict, nobody_connected. A failure of OpenTok is raised
    only if no running broadcast is found afterwards.
    """
    body = rest.given(
        sessionId=sessions.checked(session_id),
        outputs=outputs,
        layout=layout,
        maxDuration=max_duration,
        maxBitrate=max_bitrate,
        resolution=resolution,
        streamMode=stream_mode,
        multiBroadcastTag=multi_broadcast_tag,
        hasAudio=has_audio,
        hasVideo=has_video,
    )
    return starts.start(
        "start_broadcast",
        rest.written("POST", "broadcast", body),
        refusals={
            400: "broadcast_refused",
            404: "nobody_connected",
            408: "opentok_timeout",
            409: "broadcast_conflict",
        },
        check=lambda answer: answers.item(answer, session_id=session_id),
        find=lambda until: _running_broadcast(session_id, multi_broadcast_tag, until=until),
    )


def _running_broadcast(session_id: str, tag: str | None, *, until: float) -> Remote | None:
    path = rest.page("broadcast", sessionId=session_id)
    answer = calls.exchange("list_broadcasts", rest.written("GET", path), refusals={}, until=until)
    remotes = answers.items(answer, session_id=session_id)
    return starts.first_running(remotes, tag_field="multiBroadcastTag", tag=tag, running=RUNNING)


def stop_broadcast(broadcast_id: str) -> Remote:
    """Errors: broadcast_not_found, also if it has ended; broadcast_not_running."""
    broadcast_id = ids.broadcast_id(broadcast_id)
    answer = rest.ask(
        "stop_broadcast",
        "POST",
        f"broadcast/{broadcast_id}/stop",
        refusals={404: "broadcast_not_found", 409: "broadcast_not_running"},
    )
    return answers.item(answer, item_id=broadcast_id)


def get_broadcast(broadcast_id: str) -> Remote:
    broadcast_id = ids.broadcast_id(broadcast_id)
    answer = rest.ask(
        "get_broadcast",
        "GET",
        f"broadcast/{broadcast_id}",
        refusals={404: "broadcast_not_found"},
    )
    return answers.item(answer, item_id=broadcast_id)


def list_broadcasts(
    *, session_id: str | None = None, count: int = MAX_BROADCASTS, offset: int = 0
) -> list[Remote]:
    """Running broadcasts, newest first: at most `count` (up to 1000) from `offset` on."""
    if session_id is not None:
        ids.check_session_id(session_id)
    answer = rest.ask(
        "list_broadcasts",
        "GET",
        rest.page("broadcast", offset=offset, count=count, sessionId=session_id),
        refusals={400: "session_invalid"} if session_id else {},
    )
    return answers.items(answer, session_id=session_id)


def set_layout(broadcast_id: str, layout: Remote) -> Remote:
    """Change the layout of a running broadcast; `layout` has a `type` and its options."""
    broadcast_id = ids.broadcast_id(broadcast_id)
    answer = rest.ask(
        "set_broadcast_layout",
        "PUT",
        f"broadcast/{broadcast_id}/layout",
        layout,
        refusals={400: "layout_refused", 404: "broadcast_not_found"},
    )
    return answers.item(answer, item_id=broadcast_id)


def add_stream(
    broadcast_id: str, stream_id: str, *, has_audio: bool = True, has_video: bool = True
) -> None:
    """Show a stream in a running broadcast.

    Errors: streams_not_manual; stream_not_found, also if there is no such broadcast or it has
    ended.
    """
    added = {"addStream": ids.stream_id(stream_id), "hasAudio": has_audio, "hasVideo": has_video}
    _change_streams("add_broadcast_stream", broadcast_id, added)


def remove_stream(broadcast_id: str, stream_id: str) -> None:
    """Show it no longer. Errors: those of add_stream."""
    removed = {"removeStream": ids.stream_id(stream_id)}
    _change_streams("remove_broadcast_stream", broadcast_id, removed)


def _change_streams(operation: str, broadcast_id: str, change: dict[str, Any]) -> None:
    # The mode is documented under 400, and by the SDKs under 405.
    rest.ask(
        operation,
        "PATCH",
        f"broadcast/{ids.broadcast_id(broadcast_id)}/streams",
        change,
        refusals={400: "streams_not_manual", 404: "stream_not_found", 405: "streams_not_manual"},
    )

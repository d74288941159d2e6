"""Archives (recordings), and the layout and streams of running ones.

Functions take Python's names and return OpenTok's JSON.
"""

import re
from typing import Any

import opentok

from video import answers, calls, ids, sessions, starts
from video.answers import Remote
from video.errors import VideoError

MAX_ARCHIVES = 1000
RUNNING = {"started", "paused"}
WEB_ADDRESS = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?(/|\?|$)", re.ASCII | re.IGNORECASE)


def start_archive(
    session_id: str,
    *,
    output_mode: str = "composed",
    stream_mode: str = "auto",
    multi_archive_tag: str | None = None,
    **options: Any,
) -> Remote:
    """Start recording a session.

    `output_mode` is "composed" or "individual", `stream_mode` "auto" or "manual". The other options
    are those of the SDK, with `layout` and `transcription_properties` as OpenTok writes them.

    Errors: session_invalid, archive_refused, nobody_connected, archive_conflict. A failure of
    OpenTok is raised only if no running recording is found afterwards.
    """
    sessions.checked(session_id)
    return starts.start(
        "start_archive",
        lambda sdk: sdk.start_archive(
            session_id,
            output_mode=opentok.OutputModes(output_mode),
            stream_mode=opentok.StreamModes(stream_mode),
            multi_archive_tag=multi_archive_tag,
            **options,
        ),
        refusals={400: "archive_refused", 404: "nobody_connected", 409: "archive_conflict"},
        check=_new_archive,
        find=lambda until: _running_archive(session_id, multi_archive_tag, until=until),
    )


def _new_archive(answer: Any) -> Remote:
    remote = answers.item(answer)
    if not sessions.owns(remote["sessionId"]):
        raise VideoError("opentok_failed", "a recording of another project")
    return remote


def _running_archive(session_id: str, tag: str | None, *, until: float) -> Remote | None:
    answer = calls.exchange(
        "list_archives",
        lambda sdk: sdk.list_archives(session_id=session_id),
        refusals={400: "session_invalid"},
        until=until,
    )
    remotes = answers.items(answer, session_id=session_id)
    return first_running(remotes, tag=tag)


def first_running(remotes: list[Remote], *, tag: str | None) -> Remote | None:
    return starts.first_running(remotes, tag_field="multiArchiveTag", tag=tag, running=RUNNING)


def stop_archive(archive_id: str) -> Remote:
    """Stop recording; idempotent while OpenTok makes the file. Error: archive_not_running."""
    archive_id = ids.archive_id(archive_id)
    answer = calls.call(
        "stop_archive",
        lambda sdk: sdk.stop_archive(archive_id),
        refusals={404: "archive_not_found", 409: "archive_not_running"},
    )
    return answers.item(answer, item_id=archive_id)


def get_archive(archive_id: str) -> Remote:
    """The archive as it is now. While it is available it has a link that lasts ten minutes."""
    archive_id = ids.archive_id(archive_id)
    answer = calls.read(
        "get_archive", lambda sdk: sdk.get_archive(archive_id), refusals={404: "archive_not_found"}
    )
    return answers.item(answer, item_id=archive_id)


def list_archives(
    *, count: int = MAX_ARCHIVES, offset: int = 0, session_id: str | None = None
) -> list[Remote]:
    """Archives, newest first: at most `count` (up to 1000) from `offset` on."""
    if session_id is not None:
        ids.check_session_id(session_id)
    answer = calls.read(
        "list_archives",
        lambda sdk: sdk.list_archives(offset=offset, count=count, session_id=session_id),
        refusals={400: "session_invalid"} if session_id else {},
    )
    return answers.items(answer, session_id=session_id)


def delete_archive(archive_id: str) -> None:
    """Delete an available archive and its file; idempotent. Error: archive_not_deletable."""
    archive_id = ids.archive_id(archive_id)
    calls.call(
        "delete_archive",
        lambda sdk: sdk.delete_archive(archive_id),
        refusals={404: "archive_not_found", 409: "archive_not_deletable"},
    )


def download_url(remote: Remote) -> str | None:
    """The link to an available archive's file, for ten minutes; None in all other states."""
    url = remote.get("url")
    if remote["status"] != "available" or not url:
        return None
    return web_address(url)


def web_address(url: object) -> str:
    """`url` if it is an http or https URL. Error: opentok_failed."""
    if not (isinstance(url, str) and len(url) < 8192 and WEB_ADDRESS.match(url)):
        raise VideoError("opentok_failed", "a download link that is no web address")
    return url


def set_layout(archive_id: str, layout: Remote) -> None:
    """Change the layout of a running archive; `layout` has a `type` and its options.

    Errors: layout_refused; archive_not_found, also if it is not running.
    """
    archive_id = ids.archive_id(archive_id)
    calls.call(
        "set_archive_layout",
        lambda sdk: sdk.set_archive_layout(
            archive_id, layout["type"], layout.get("stylesheet"), layout.get("screenshareType")
        ),
        refusals={400: "layout_refused", 404: "archive_not_found"},
    )


def add_stream(
    archive_id: str, stream_id: str, *, has_audio: bool = True, has_video: bool = True
) -> None:
    """Record a stream in a running archive.

    Errors: streams_not_manual; stream_not_found, also if there is no such archive or it has ended.
    """
    archive_id, stream_id = ids.archive_id(archive_id), ids.stream_id(stream_id)
    _change_streams(
        "add_archive_stream",
        lambda sdk: sdk.add_archive_stream(archive_id, stream_id, has_audio, has_video),
    )


def remove_stream(archive_id: str, stream_id: str) -> None:
    """Record it no longer. Errors: those of add_stream."""
    archive_id, stream_id = ids.archive_id(archive_id), ids.stream_id(stream_id)
    _change_streams(
        "remove_archive_stream",
        lambda sdk: sdk.remove_archive_stream(archive_id, stream_id),
    )


def _change_streams(operation: str, ask: calls.Ask) -> None:
    # Vonage documents the mode under 400, and its SDKs under 405.
    calls.call(
        operation,
        ask,
        refusals={400: "streams_not_manual", 404: "stream_not_found", 405: "streams_not_manual"},
    )

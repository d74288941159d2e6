"""The one door to OpenTok: plain functions that take our words and return OpenTok's own JSON."""

import re
from typing import Any

import opentok
from django.conf import settings

from video import accounts, answers, calls, concurrency, ids
from video.answers import Remote
from video.errors import VideoError

MAX_ARCHIVES = 1000
RUNNING = {"started", "paused"}
# The share of a start's time that is kept for finding out what became of it.
TO_LOOK_UP = 0.2
WEB_ADDRESS = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?(/|\?|$)", re.ASCII | re.IGNORECASE)


def project_id() -> str:
    """The API key or the application id, whichever the server is configured with."""
    return accounts.current().project_id


def owns(session_id: str) -> bool:
    """Whether a session is the configured project's, as it is unless its id tells another one's."""
    return ids.project_of(session_id) in {None, project_id()}


def create_session(*, e2ee: bool = False) -> str:
    """The id of a new routed session."""
    answer = calls.call(
        "create_session",
        lambda sdk: sdk.create_session(media_mode=opentok.MediaModes.routed, e2ee=e2ee),
        refusals={},
    )
    match answer:
        case [{"session_id": str(session_id)}, *_] if ids.SESSION_ID.fullmatch(session_id):
            if owns(session_id):
                return session_id
            raise VideoError("opentok_failed", "a new session of another project")
    raise VideoError("opentok_failed", "no session id in the answer")


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
    OpenTok is raised only if the session is not being recorded, as far as can be known.
    """
    ids.check_session_id(session_id)
    if not owns(session_id):
        raise VideoError("session_invalid", "a session of another project")
    until = calls.deadline()
    with concurrency.waiting():
        try:
            answer = calls.exchange(
                "start_archive",
                lambda sdk: sdk.start_archive(
                    session_id,
                    output_mode=opentok.OutputModes(output_mode),
                    stream_mode=opentok.StreamModes(stream_mode),
                    multi_archive_tag=multi_archive_tag,
                    **options,
                ),
                refusals={400: "archive_refused", 404: "nobody_connected", 409: "archive_conflict"},
                until=until - settings.OPENTOK_TIMEOUT * TO_LOOK_UP,
            )
            remote = answers.archive(answer)
            if not owns(remote["sessionId"]):
                raise VideoError("opentok_failed", "a recording of another project")
            return remote
        except VideoError as error:
            if not error.is_outage:
                raise
            running = _running_archive(session_id, multi_archive_tag, until=until)
            if running is None:
                raise
            return running


def _running_archive(session_id: str, tag: str | None, *, until: float) -> Remote | None:
    """What a start whose answer got lost has started: a session has one at a time of each tag.

    Should OpenTok's list leave tags out, as its SDKs say, then none of those with a tag is found.
    """
    try:
        answer = calls.exchange(
            "list_archives",
            lambda sdk: sdk.list_archives(session_id=session_id),
            refusals={400: "session_invalid"},
            until=until,
        )
        remotes = answers.archives(answer, session_id=session_id)
    except VideoError:
        return None
    for remote in remotes:
        if remote["status"] in RUNNING and (remote.get("multiArchiveTag") or None) == tag:
            return remote
    return None


def stop_archive(archive_id: str) -> Remote:
    """Stop recording; again is fine while OpenTok makes the file. Error: archive_not_running."""
    archive_id = ids.archive_id(archive_id)
    answer = calls.call(
        "stop_archive",
        lambda sdk: sdk.stop_archive(archive_id),
        refusals={404: "archive_not_found", 409: "archive_not_running"},
    )
    return answers.archive(answer, archive_id=archive_id)


def get_archive(archive_id: str) -> Remote:
    """The archive as it is now; once it is available, with a link that lives ten minutes."""
    archive_id = ids.archive_id(archive_id)
    answer = calls.read(
        "get_archive", lambda sdk: sdk.get_archive(archive_id), refusals={404: "archive_not_found"}
    )
    return answers.archive(answer, archive_id=archive_id)


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
    return answers.archives(answer, session_id=session_id)


def delete_archive(archive_id: str) -> None:
    """Delete an available archive and its file; again is fine. Error: archive_not_deletable."""
    archive_id = ids.archive_id(archive_id)
    calls.call(
        "delete_archive",
        lambda sdk: sdk.delete_archive(archive_id),
        refusals={404: "archive_not_found", 409: "archive_not_deletable"},
    )


def download_url(remote: Remote) -> str | None:
    """Where an available archive's file is, signed for ten minutes; None in every other state."""
    url = remote.get("url")
    if remote["status"] != "available" or not url:
        return None
    if not (isinstance(url, str) and len(url) < 8192 and WEB_ADDRESS.match(url)):
        raise VideoError("opentok_failed", "a download link that is no web address")
    return url

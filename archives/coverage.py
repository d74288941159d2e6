"""Checks, in views, that an API key for some rooms is for this recording."""

from access.models import ApiKey
from access.notes import best_effort
from archives.models import Archive
from rooms.coverage import check_key_covers_session
from video import ids
from web.errors import Problem


def check_key_covers_archive(key: ApiKey | None, archive_id: str) -> None:
    """Error: room_not_covered, unless it is a recording of a room that the key is for."""
    if key and key.room_prefix:
        check_key_covers_session(key, _session_of(archive_id))


def check_key_covers_list(key: ApiKey | None, session_id: str | None) -> None:
    """A key for some rooms has to name a session, since OpenTok's list knows no rooms.

    Errors: session_not_named, room_not_covered.
    """
    if key and key.room_prefix and session_id is None:
        raise Problem("session_not_named", prefix=key.room_prefix)
    if session_id is not None:
        check_key_covers_session(key, session_id)


def _session_of(archive_id: str) -> str:
    """The session of a recording. OpenTok is asked about an unknown one."""
    archive_id = ids.archive_id(archive_id)
    known = None
    with best_effort("look up the session of a recording"):
        known = Archive.objects.filter(pk=archive_id).values_list("session_id", flat=True).first()
    return known or str(Archive.objects.fetch(archive_id)["sessionId"])

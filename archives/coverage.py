"""Whether an API key that is for some rooms only is for this recording: asked by the views."""

from access.models import ApiKey
from access.notes import best_effort
from archives.models import Archive
from rooms.coverage import check_key_covers_session
from video import ids
from web.errors import Problem


def check_key_covers_archive(key: ApiKey | None, archive_id: str) -> None:
    """`room_not_covered` unless it is a recording of a room that the key is for."""
    if key and key.room_prefix:
        check_key_covers_session(key, _session_of(archive_id))


def check_key_covers_list(key: ApiKey | None, session_id: str | None) -> None:
    """OpenTok's list knows sessions and not rooms, so a key for some rooms has to name a session:
    `session_not_named`. `room_not_covered` for one that it is not for.
    """
    if key and key.room_prefix and session_id is None:
        raise Problem("session_not_named", prefix=key.room_prefix)
    if session_id is not None:
        check_key_covers_session(key, session_id)


def _session_of(archive_id: str) -> str:
    """Of which session it is a recording: OpenTok is asked about one that was never heard of."""
    archive_id = ids.archive_id(archive_id)
    known = None
    with best_effort("look up the session of a recording"):
        known = Archive.objects.filter(pk=archive_id).values_list("session_id", flat=True).first()
    return known or str(Archive.objects.fetch(archive_id)["sessionId"])

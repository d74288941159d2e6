"""Who is in a room, by OpenTok's list of connections, by which the stored ones are corrected."""

from django.conf import settings
from django.utils import timezone

from access.notes import best_effort
from meetings import news, presence
from meetings.models import Stream
from video import connections
from video.answers import Remote


def look(session_id: str, *, room_name: str) -> list[Remote]:
    """OpenTok's present list of connections. Errors: those of list_connections."""
    asked_at = timezone.now()
    listed = connections.list_connections(session_id)
    with best_effort("note who is in a session"):
        news.reconcile(session_id, listed, asked_at=asked_at, name_of=lambda _: room_name)
    return listed


def is_reported() -> bool:
    """Whether callbacks of session monitoring arrive. Judged by streams, since connections are also
    known from OpenTok's lists.
    """
    return bool(settings.CALLBACK_SECRET) and Stream.objects.exists()


def count_people(session_id: str, *, room_name: str) -> int:
    """The number of people in a room. Without callbacks OpenTok is asked, and may fail."""
    if not is_reported():
        look(session_id, room_name=room_name)
    return presence.people(session_id).count()

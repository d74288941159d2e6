"""Who is in a room: as callbacks tell, and as OpenTok lists, by which what is stored is mended."""

from django.conf import settings
from django.utils import timezone

from access.notes import best_effort
from meetings import news, presence
from video import connections
from video.answers import Remote


def look(session_id: str, *, room_name: str) -> list[Remote]:
    """Who is connected, as OpenTok has it now. Errors: video.connections.list_connections."""
    asked_at = timezone.now()
    listed = connections.list_connections(session_id)
    with best_effort("note who is in a session"):
        news.reconcile(session_id, listed, asked_at=asked_at, name_of=lambda _: room_name)
    return listed


def count_people(session_id: str, *, room_name: str) -> int:
    """How many people are connected. Without callbacks OpenTok is asked, and its errors raised."""
    if not settings.CALLBACK_SECRET:
        look(session_id, room_name=room_name)
    return presence.people(session_id).count()

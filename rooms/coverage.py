"""Whether an API key that is for some rooms only is for this one: asked by the views."""

from access.models import ApiKey
from rooms.models import Room
from rooms.names import clean_name


def check_key_covers(key: ApiKey | None, name: str) -> None:
    """Errors: room_name_invalid, room_not_covered."""
    if key:
        key.refuse_other_rooms(clean_name(name))


def check_key_covers_session(key: ApiKey | None, session_id: str) -> None:
    """`room_not_covered` unless the session is, or was, one of a room that the key is for."""
    if key and key.room_prefix:
        room = Room.objects.by_session([session_id]).get(session_id)
        key.refuse_other_rooms(room.name if room else None)

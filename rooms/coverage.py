"""Checks, in views, that an API key for some rooms, or a client token, is for this room."""

from rest_framework.request import Request

from access.authentication import client_token_of, key_of
from access.models import ApiKey
from rooms.models import Room
from rooms.names import clean_name
from web.errors import Problem


def check_key_covers(key: ApiKey | None, name: str) -> None:
    """Errors: room_name_invalid, room_not_covered."""
    if key:
        key.refuse_other_rooms(clean_name(name))


def check_key_covers_session(key: ApiKey | None, session_id: str) -> None:
    """Error: room_not_covered, unless the session is or was one of a room that the key is for."""
    if key and key.room_prefix:
        room = Room.objects.of_session(session_id)
        key.refuse_other_rooms(room.name if room else None)


def check_client_covers_session(request: Request, session_id: str) -> None:
    """The same for a key or a client token. Error: session_not_covered, for the client token of
    another session.
    """
    client = client_token_of(request)
    if client and client.session_id != session_id:
        raise Problem("session_not_covered")
    check_key_covers_session(key_of(request), session_id)

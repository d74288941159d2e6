"""The credentials with which a client joins a room."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from rooms.models import Ban, Room
from video import accounts, tokens
from web.errors import Problem


def credentials_for(
    room: Room, *, role: str = "", lifetime: int | None = None, **rest: Any
) -> dict[str, str]:
    """`apiKey`, `sessionId` and `token` for OpenTok's clients, and `applicationId` for Vonage's.

    Both ids are the same. Each call makes a new token. Without `role` and `lifetime` it has those
    of the room. `rest`: see video.tokens.generate_token. Error: banned, for the `data` of a banned
    person.
    """
    project = accounts.current().project_id
    data = rest.get("data", "")
    if data and Ban.objects.is_banned(room, data):
        raise Problem("banned")
    return {
        "apiKey": project,
        "applicationId": project,
        "sessionId": room.session_id,
        "token": tokens.generate_token(
            room.session_id,
            role=role or room.token_role or settings.TOKEN_ROLE,
            lifetime=room.token_seconds(now=timezone.now(), asked=lifetime),
            **rest,
        ),
    }

"""What a client needs to join a room."""

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

    Both ids are the one project's, so that either family of clients finds its own. Each answer has
    a new token, signed here: what `role`, `lifetime` and the `rest` leave open, the room decides.
    The rest: see video.tokens.generate_token. Error: banned, for `data` of who has to stay out.
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

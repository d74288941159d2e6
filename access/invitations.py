"""Signed links that let people into one room: in a role, until a time, and without its code."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import signing
from django.utils import timezone

PREFIX = "invite_"
SALT = "access.invitations"


@dataclass(frozen=True)
class Invitation:
    """`room` is the primary key, so that a room made anew by the same name has none of the old.

    `generation` is the room's when it was made: a room that counts on revokes all before.
    """

    room: int
    generation: int
    role: str
    expires_at: datetime

    def signed(self) -> str:
        until = int(self.expires_at.timestamp())
        held = [self.room, self.generation, self.role, until]
        return PREFIX + signing.dumps(held, salt=SALT)


def is_like_one(text: str) -> bool:
    return text.startswith(PREFIX)


def read(text: str) -> Invitation | None:
    """What was signed here and has not expired; whether it is revoked, the room knows."""
    try:
        room, generation, role, until = signing.loads(text.removeprefix(PREFIX), salt=SALT)
    except signing.BadSignature:
        return None
    invitation = Invitation(room, generation, role, datetime.fromtimestamp(until, tz=UTC))
    return invitation if timezone.now() < invitation.expires_at else None

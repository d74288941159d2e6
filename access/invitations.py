"""Invitations: signed texts with which people join one room, in a role, until they expire.

They replace an API key and the room's access code. Nothing is stored. The join page takes an
invitation from its link.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import signing
from django.utils import timezone

PREFIX = "invite_"
SALT = "access.invitations"


@dataclass(frozen=True)
class Invitation:
    """`room` is a primary key, so that it is not valid for a new room of the same name.

    `generation` is the room's `invitation_generation`. Increasing that revokes all invitations.
    """

    room: int
    generation: int
    role: str
    expires_at: datetime

    def signed(self) -> str:
        until = int(self.expires_at.timestamp())
        held = [self.room, self.generation, self.role, until]
        return PREFIX + signing.dumps(held, salt=SALT)


def is_invitation(text: str) -> bool:
    """Whether a text has the shape of an invitation, valid or not."""
    return text.startswith(PREFIX)


def read(text: str) -> Invitation | None:
    """The invitation in a text, or None unless this server signed it and it has not expired.

    Only its room knows whether it was revoked.
    """
    try:
        room, generation, role, until = signing.loads(text.removeprefix(PREFIX), salt=SALT)
    except signing.BadSignature:
        return None
    invitation = Invitation(room, generation, role, datetime.fromtimestamp(until, tz=UTC))
    return invitation if timezone.now() < invitation.expires_at else None

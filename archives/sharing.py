"""Links to one recording for people who have neither a key nor an account.

A link is a signed text that says when it ends. Nothing is stored but the recording's
`share_generation`: increasing that one revokes all earlier links.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.core import signing
from django.utils import timezone

from web.errors import Problem

SALT = "archives.sharing"


@dataclass(frozen=True)
class Share:
    """What a link says. Whether it was revoked, its recording alone knows."""

    archive_id: UUID
    generation: int
    expires_at: datetime

    @property
    def path(self) -> str:
        until = int(self.expires_at.timestamp())
        return "/shared/" + signing.dumps([self.archive_id.hex, self.generation, until], salt=SALT)


def read(text: str) -> Share:
    """What a link that this server made says. Errors: share_invalid, share_ended."""
    try:
        archive_id, generation, until = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise Problem("share_invalid") from None
    share = Share(UUID(archive_id), generation, datetime.fromtimestamp(until, tz=UTC))
    if share.expires_at <= timezone.now():
        raise Problem("share_ended")
    return share

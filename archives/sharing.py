"""Links to a recording for people without a key or an account.

A link is a signed text with its end. Only the recording's `share_generation` is stored: increasing
it revokes all links.
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
    """The content of a link. Only its recording knows whether it was revoked."""

    archive_id: UUID
    generation: int
    expires_at: datetime

    @property
    def path(self) -> str:
        until = int(self.expires_at.timestamp())
        return "/shared/" + signing.dumps([self.archive_id.hex, self.generation, until], salt=SALT)


def read(text: str) -> Share:
    """The content of a link of this server. Errors: share_invalid, share_ended."""
    try:
        archive_id, generation, until = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise Problem("share_invalid") from None
    share = Share(UUID(archive_id), generation, datetime.fromtimestamp(until, tz=UTC))
    if share.expires_at <= timezone.now():
        raise Problem("share_ended")
    return share

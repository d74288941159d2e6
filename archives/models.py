from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from archives.catalogue import UPDATED_FIELDS
from archives.managers import ArchiveManager
from archives.states import RANK, Status
from archives.stored import Stored
from rooms.models import Room
from rooms.names import MAX_LENGTH
from video import values
from video.answers import Remote
from video.archives import RUNNING
from web.folding import FoldedField

# Fields with columns of their own; all others are stored in `details` …
COLUMNS = ["id", "sessionId", "status", "name", "reason", "duration", "size", "createdAt",
           "updatedAt"]  # fmt: skip
# … except secrets: download links, also those of transcriptions, and passwords.
NEVER_STORED = ["url", "password"]

# How long a recording can be in a state. By OpenTok's documentation that is twelve hours for the
# first two, pauses included, and seconds to minutes for the third.
LONGEST: dict[str, timedelta] = {
    Status.STARTED: timedelta(hours=12),
    Status.PAUSED: timedelta(hours=12),
    Status.STOPPED: timedelta(hours=1),
}


class Archive(Stored):
    """A recording, as OpenTok last reported it."""

    id = models.UUIDField(primary_key=True, editable=False)
    room = models.ForeignKey(
        Room,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="archives",
        db_index=False,  # the index by room and creation serves as well
    )
    # The database has the default as well, for servers of an older version while they are replaced.
    room_name = models.CharField(
        "name of the room",
        max_length=MAX_LENGTH,
        default="",
        db_default="",
        blank=True,
        help_text="Of the room that it was made in; it stays when that room is deleted.",
    )
    session_id = models.CharField(max_length=255)
    status = models.CharField(max_length=20, choices=Status)
    name = models.TextField(blank=True)
    folded_names = FoldedField(sources=["room_name", "name"])
    reason = models.TextField(blank=True)
    duration = models.PositiveBigIntegerField(default=0, help_text="Seconds; 0 until it is known.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes; 0 until it is known.")
    created_at = models.DateTimeField("created", default=timezone.now)
    updated_at = models.DateTimeField("updated", null=True, blank=True)
    called_back_at = models.DateTimeField(
        "last callback", null=True, blank=True, help_text="When OpenTok last told of it by itself."
    )
    # On hold: its file is not deleted. NULL, so that SQLite adds the column without a new table.
    held_at = models.DateTimeField("on hold since", null=True, blank=True, editable=False)
    # The days of its room, once that is deleted. NULL, as above.
    recording_days = models.IntegerField(null=True, blank=True, editable=False)
    # Links of earlier generations are revoked: archives/sharing.py.
    share_generation = models.IntegerField(default=0, db_default=0, editable=False)
    details = models.JSONField(default=dict, help_text="The rest of what OpenTok says about it.")

    # The status of the stored row, in an unsaved row with news.
    known_status = ""

    objects = ArchiveManager()

    class Meta:
        verbose_name = "recording"
        permissions = [("hold_archive", "Can hold recording")]
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="archive_created"),
            models.Index(fields=["status", "created_at", "id"], name="archive_status_created"),
            models.Index(fields=["room", "created_at", "id"], name="archive_room_created"),
            models.Index(fields=["session_id"], name="archive_session"),
            models.Index(
                fields=["created_at", "id"],
                condition=models.Q(held_at__isnull=False),
                name="archive_held_created",
            ),
            models.Index(
                fields=["recording_days"],
                condition=models.Q(recording_days__isnull=False),
                name="archive_recording_days",
            ),
            models.Index(fields=["duration", "id"], name="archive_duration"),
            models.Index(fields=["size", "id"], name="archive_size"),
            models.Index(fields=["folded_names", "id"], name="archive_folded_names"),
            models.Index(
                fields=["room_name", "-created_at", "-id"],
                name="archive_room_name_created",
                # For LIKE and for =, on PostgreSQL: rooms/search.py.
                opclasses=["varchar_pattern_ops", "timestamptz_ops", "uuid_ops"],
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @classmethod
    def from_remote(cls, remote: Remote) -> Archive:
        """The unsaved row for OpenTok's object, without its room."""
        details = {key: value for key, value in remote.items() if key not in COLUMNS}
        return cls(
            id=UUID(remote["id"]),
            session_id=remote["sessionId"][:255],
            status=remote["status"][:20],
            name=values.text(remote.get("name")),
            reason=values.text(remote.get("reason")),
            duration=values.whole(remote.get("duration")),
            size=values.whole(remote.get("size")),
            created_at=values.moment(remote.get("createdAt")) or timezone.now(),
            updated_at=values.moment(remote.get("updatedAt")),
            details=_storable(details),
        )

    @property
    def remote(self) -> Remote:
        """OpenTok's object, as last reported, without links, which do not last."""
        return {
            "id": str(self.id),
            **self.details,
            "sessionId": self.session_id,
            "status": self.status,
            "name": self.name,
            "reason": self.reason,
            "duration": self.duration,
            "size": self.size,
            "createdAt": values.milliseconds(self.created_at),
            "updatedAt": values.milliseconds(self.updated_at),
            "url": None,
        }

    @property
    def ended_at(self) -> datetime | None:
        """When it stopped; None while it runs. An estimate, since `duration` leaves out pauses."""
        if self.status in RUNNING:
            return None
        if self.duration:
            return self.created_at + timedelta(seconds=self.duration)
        return self.updated_at or self.created_at

    @property
    def silent_since(self) -> datetime | None:
        """The time of the last news, if it has been in its state for too long."""
        if self.status not in LONGEST:
            return None
        heard_at = max(filter(None, [self.created_at, self.updated_at, self.called_back_at]))
        return heard_at if timezone.now() - heard_at > LONGEST[self.status] else None

    def keep_from(self, known: Archive) -> None:
        """Copy from the stored row what a callback left out."""
        self.details = known.details | self.details
        for name in ("name", "duration", "size"):
            setattr(self, name, getattr(self, name) or getattr(known, name))
        if self.status == known.status:
            self.updated_at = self.updated_at or known.updated_at

    @property
    def made_in(self) -> str:
        """The name of the room, also in rows of an older version of the server."""
        return self.room_name or (self.room.name if self.room else "")

    def updates(self, known: Archive | None, *, from_callback: bool) -> bool:
        """Whether this is news compared to the stored row."""
        if known is None:
            return True
        if known.status == Status.DELETED and self.status != Status.DELETED and not from_callback:
            return True  # it exists, since OpenTok answers
        rank, known_rank = RANK.get(self.status, 0), RANK.get(known.status, 0)
        if rank != known_rank:
            return rank > known_rank
        if self.updated_at and known.updated_at:
            if self.updated_at < known.updated_at:
                return False
        elif from_callback and (known.status, self.status) == (Status.PAUSED, Status.STARTED):
            return False  # without times the start is taken for the earlier one
        if known.room_id and not known.room_name:
            return True  # a server of an older version wrote the row
        return any(getattr(self, name) != getattr(known, name) for name in UPDATED_FIELDS)


def _storable(value: Any) -> Any:
    """`value` without the members in NEVER_STORED, at any depth."""
    if isinstance(value, dict):
        return {key: _storable(held) for key, held in value.items() if key not in NEVER_STORED}
    return [_storable(held) for held in value] if isinstance(value, list) else value

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, models, transaction
from django.utils import timezone

from access.models import ApiKey
from archives.errors import ArchiveDeleted, SessionNotNamed
from rooms.models import Room
from video import client, ids
from video.answers import Remote
from video.errors import ArchiveNotFound

logger = logging.getLogger(__name__)


class Status(models.TextChoices):
    """OpenTok's states of an archive. The first three can still become available."""

    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"
    UPLOADED = "uploaded"
    AVAILABLE = "available"
    FAILED = "failed"
    EXPIRED = "expired"
    DELETED = "deleted"


# How far along a state is. News of an earlier state than the stored one came late and is ignored.
RANK: dict[str, int] = {
    Status.STARTED: 0,
    Status.PAUSED: 0,
    Status.STOPPED: 1,
    Status.UPLOADED: 2,
    Status.AVAILABLE: 2,
    Status.FAILED: 3,
    Status.EXPIRED: 3,
    Status.DELETED: 4,
}

# What has a column of its own; everything else that OpenTok says is kept in `details` …
COLUMNS = ["id", "sessionId", "status", "name", "reason", "duration", "size", "createdAt",
           "updatedAt"]  # fmt: skip
# … except what anybody could use who reads it: download links, of transcriptions as well.
NEVER_STORED = ["url", "password"]
# The columns that news may change. Which room it is follows from the session.
NEWS = ["status", "name", "reason", "duration", "size", "updated_at", "details"]


class ArchiveManager(models.Manager["Archive"]):
    """`key` is that of who asks: one that is only for some rooms gets at nothing of others."""

    def start(self, session_id: str, *, key: ApiKey | None = None, **options: Any) -> Remote:
        """Start recording a session, under the name of the room that has it or had it.

        Errors and options: video.client.start_archive.
        """
        Room.objects.confine(key, session_id)
        room = Room.objects.by_session([session_id]).get(session_id)
        remote = client.start_archive(session_id, name=room.name if room else None, **options)
        try:
            self.record([remote])
        except DatabaseError:
            # It is being recorded, whatever becomes of our note. The next look makes up for it.
            logger.exception("A recording was started and could not be written down")
        return remote

    def stop(self, archive_id: str, *, key: ApiKey | None = None) -> Remote:
        if key and key.room_prefix:
            Room.objects.confine(key, client.get_archive(archive_id)["sessionId"])
        remote = client.stop_archive(archive_id)
        self.record([remote])
        return remote

    def fetch(self, archive_id: str, *, key: ApiKey | None = None) -> Remote:
        """The archive as OpenTok has it now.

        ArchiveDeleted for one that we knew and OpenTok does not have any more.
        """
        try:
            remote = client.get_archive(archive_id)
        except ArchiveNotFound:
            self.mark_deleted(archive_id)
            raise
        Room.objects.confine(key, remote["sessionId"])
        self.record([remote])
        return remote

    def told(self, remote: Remote) -> Archive:
        """What OpenTok said just now, as a row with its room; whatever is stored."""
        archive = Archive.from_remote(remote)
        archive.room = Room.objects.by_session([archive.session_id]).get(archive.session_id)
        return archive

    def mark_deleted(self, archive_id: str) -> None:
        """Raise ArchiveDeleted if we knew the archive, and OpenTok would tell us of it."""
        ids.check_archive_id(archive_id)
        known = self.filter(pk=archive_id).first()
        if known and client.owns(known.session_id):
            known.status = Status.DELETED
            known.save(update_fields=["status"])
            raise ArchiveDeleted()

    def fetch_list(
        self, *, session_id: str | None = None, key: ApiKey | None = None, **page: Any
    ) -> list[Remote]:
        """Archives as OpenTok has them now, newest first; see video.client.list_archives.

        OpenTok's list knows sessions and not rooms, so that a key that is only for some rooms has
        to name a session of theirs: SessionNotNamed.
        """
        if key and key.room_prefix and session_id is None:
            raise SessionNotNamed(key.room_prefix)
        if session_id is not None:
            Room.objects.confine(key, session_id)
        remotes = client.list_archives(session_id=session_id, **page)
        self.record(remotes)
        return remotes

    def record(self, remotes: list[Remote]) -> None:
        """Write down what OpenTok said, unless more recent news is here already."""
        # Each once: a list that somebody adds to while it is read may name one twice.
        told = {remote["id"]: Archive.from_remote(remote) for remote in remotes}
        archives = sorted(told.values(), key=lambda archive: archive.id)
        if not _news(archives, known=self.all()):
            return  # as most of the time, and then without a lock on anything
        with transaction.atomic():
            # Locked in the order of their ids by everybody, so that no two wait for each other.
            news = _news(archives, known=self.select_for_update().order_by("id"))
            rooms = Room.objects.by_session(archive.session_id for archive in news)
            for archive in news:
                archive.room = rooms.get(archive.session_id)
            self.bulk_create(
                news, update_conflicts=True, unique_fields=["id"], update_fields=["room", *NEWS]
            )


class Archive(models.Model):
    """What OpenTok last told us about a recording, so that staff can look for it."""

    id = models.UUIDField(primary_key=True, editable=False)
    room = models.ForeignKey(
        Room,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="archives",
        db_index=False,  # the index of both below serves as well
    )
    session_id = models.CharField(max_length=255)
    status = models.CharField(max_length=20, choices=Status)
    name = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    duration = models.PositiveBigIntegerField(default=0, help_text="Seconds; 0 until it is known.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes; 0 until it is known.")
    created_at = models.DateTimeField("created", default=timezone.now)
    updated_at = models.DateTimeField("updated", null=True, blank=True)
    details = models.JSONField(default=dict, help_text="The rest of what OpenTok says about it.")

    objects = ArchiveManager()

    class Meta:
        verbose_name = "recording"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="archive_created"),
            models.Index(fields=["status", "created_at", "id"], name="archive_status_created"),
            models.Index(fields=["room", "created_at", "id"], name="archive_room_created"),
            models.Index(fields=["session_id"], name="archive_session"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @classmethod
    def from_remote(cls, remote: Remote) -> Archive:
        """The row for `remote`, OpenTok's archive object; not saved, and without its room yet."""
        details = {key: value for key, value in remote.items() if key not in COLUMNS}
        return cls(
            id=UUID(remote["id"]),
            session_id=remote["sessionId"][:255],
            status=remote["status"][:20],
            name=_text(remote.get("name")),
            reason=_text(remote.get("reason")),
            duration=_whole(remote.get("duration")),
            size=_whole(remote.get("size")),
            created_at=_moment(remote.get("createdAt")) or timezone.now(),
            updated_at=_moment(remote.get("updatedAt")),
            details=_storable(details),
        )

    def is_news_to(self, known: Archive | None) -> bool:
        """Whether this says more than the stored row. Of started and paused the later counts."""
        if known is None or (known.status == Status.DELETED and self.status != Status.DELETED):
            return True  # what OpenTok speaks of is there, whatever we took it for
        rank, known_rank = RANK.get(self.status, 0), RANK.get(known.status, 0)
        if rank != known_rank:
            return rank > known_rank
        if self.updated_at and known.updated_at and self.updated_at < known.updated_at:
            return False
        return any(getattr(self, name) != getattr(known, name) for name in NEWS)


def _news(archives: list[Archive], *, known: models.QuerySet[Archive]) -> list[Archive]:
    """Those that say more than their stored rows do, in the same order."""
    rows = {row.id: row for row in known.filter(pk__in=[archive.id for archive in archives])}
    return [archive for archive in archives if archive.is_news_to(rows.get(archive.id))]


def _storable(value: Any) -> Any:
    """`value` without what is in NEVER_STORED, however deep."""
    if isinstance(value, dict):
        return {key: _storable(held) for key, held in value.items() if key not in NEVER_STORED}
    return [_storable(held) for held in value] if isinstance(value, list) else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**63 else 0


def _moment(value: object) -> datetime | None:
    """OpenTok's milliseconds since 1970."""
    if not isinstance(value, int | float) or not 0 <= value < 2**47:
        return None
    return datetime.fromtimestamp(value / 1000, tz=UTC)

"""Columns of a recording about its file in the project's own storage, and about copying it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import get_valid_filename

from access.notes import best_effort
from archives import storage
from archives.states import DAY, GONE, KEPT_BY_OPENTOK, Status
from archives.stored_transcript import StoredTranscript
from video import sessions, transcripts
from web.errors import Problem

# How long a process claims a recording. A part takes less time, and prolongs the claim.
CLAIM = timedelta(minutes=5)
# No deletion takes longer.
DELETION = timedelta(minutes=2)
# After a failure.
PAUSE = timedelta(minutes=10)


class ClaimLostError(Exception):
    """The recording was deleted, or another process has claimed it."""


def not_being_deleted() -> models.Q:
    """The condition that no process is deleting the recording."""
    ended = timezone.now() - DELETION
    return models.Q(deleting_at=None) | models.Q(deleting_at__lte=ended)


class Stored(StoredTranscript):
    # All may be NULL: SQLite adds such columns without a new copy of the table.
    stored_at = models.DateTimeField(null=True, blank=True, editable=False)
    stored_bytes = models.BigIntegerField(null=True, blank=True, editable=False)
    # The id of an unfinished upload.
    storage_upload = models.TextField(null=True, blank=True, editable=False)  # noqa: DJ001
    storage_error = models.TextField(null=True, blank=True, editable=False)  # noqa: DJ001
    # It is not copied before: it is claimed until then, or has failed.
    storage_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When a process began to delete the recording, which blocks copies and holds.
    deleting_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Columns of the recording.
    if TYPE_CHECKING:
        size: Any
        created_at: Any
        updated_at: Any

        @property
        def made_in(self) -> str: ...

    class Meta:
        abstract = True

    @property
    def is_video(self) -> bool:
        """Whether the file is a video, and not a ZIP of single streams."""
        return bool(self.details.get("outputMode") != "individual")

    @property
    def media_type(self) -> str:
        return "video/mp4" if self.is_video else "application/zip"

    @property
    def extension(self) -> str:
        return "mp4" if self.is_video else "zip"

    @property
    def is_watchable(self) -> bool:
        """Whether there is a file, as last reported: at OpenTok, or in the storage."""
        is_at_opentok = self.status == Status.AVAILABLE and not self.has_gone_unheard
        return is_at_opentok or self.has_copy

    @property
    def has_gone_unheard(self) -> bool:
        """Whether OpenTok must have deleted the only file by now, though nothing has told of it."""
        if self.status != Status.AVAILABLE or self.has_copy:
            return False
        changed_at = self.updated_at or self.created_at + DAY
        return bool(changed_at + KEPT_BY_OPENTOK <= timezone.now())

    @property
    def may_have_file(self) -> bool:
        """Whether there is a file, or may still be one."""
        return self.status not in GONE or self.is_in_storage

    @property
    def is_in_storage(self) -> bool:
        """Whether the file is only in the storage."""
        return self.has_copy and self.status != Status.AVAILABLE

    @property
    def has_copy(self) -> bool:
        """Whether the file is in the storage, as far as is known."""
        may_be_stored = self.status in {Status.AVAILABLE, Status.EXPIRED}
        is_copied = may_be_stored and self.stored_at is not None
        return storage.is_set() and (is_copied or self.status == Status.UPLOADED)

    @property
    def is_beyond_opentok(self) -> bool:
        """Whether the file is in the storage, and nothing of it is left for OpenTok to delete: the
        recording has expired, or is of another project.
        """
        has_ended = self.status == Status.EXPIRED or not sessions.owns(self.session_id)
        return self.is_in_storage and has_ended

    @property
    def outlives_opentok(self) -> bool:
        """Whether its copy stays when OpenTok has deleted it, since it is not deleted here."""
        begun = self.deleting_at
        is_being_deleted = begun is not None and begun > timezone.now() - DELETION
        return self.has_copy and self.stored_at is not None and not is_being_deleted

    @property
    def storage_state(self) -> str:
        """The state of its copy in the storage, for staff; empty without one."""
        if not storage.is_set() or not self.is_watchable:
            return ""
        if self.stored_at:
            return f"in your own storage, {filesizeformat(self.stored_bytes or 0)}"
        if self.storage_error:
            return f"not in your own storage: {self.storage_error}"
        if self.status == Status.UPLOADED:
            return "uploaded to your own storage, as OpenTok says"
        if not self.stored_bytes:
            return "to be copied to your own storage"
        whole = f" of {filesizeformat(self.size)}" if self.size else ""
        return f"copied {filesizeformat(self.stored_bytes)}{whole} to your own storage"

    @property
    def is_deletable(self) -> bool:
        """Whether there is a file that this server may delete."""
        if self.status in {Status.AVAILABLE, Status.UPLOADED}:
            return True
        return self.is_in_storage and settings.ARCHIVE_STORAGE_DELETE

    def link_to_stored(self, *, is_to_save: bool = False) -> str:
        """A link that lasts as long as OpenTok's; `is_to_save` makes browsers save the file.

        Errors: storage_failed, archive_not_stored.
        """
        store, key = storage.current(), storage.key_of(self)
        wanted = self.stored_bytes if self.stored_at else self.size
        self.check_size(store.size(key), wanted=wanted or 0)
        saved_as = self.name_to_save if is_to_save else ""
        return store.link(
            key,
            media_type=self.media_type,
            seconds=storage.LINK_SECONDS,
            disposition=content_disposition_header(is_to_save, saved_as) or "",
        )

    @property
    def name_to_save(self) -> str:
        """A file name of the room and the start."""
        room, start = self.made_in or "recording", timezone.localtime(self.created_at)
        return get_valid_filename(f"{room} {start:%Y-%m-%d %H.%M}.{self.extension}")

    def find_copy(self) -> None:
        """Look in the storage for a copy that is not noted: it is newer than the backup that the
        database was restored from, or was finished as OpenTok deleted its file.

        Error: storage_failed.
        """
        found = storage.current().size(storage.key_of(self))
        if not found or found < self.size:
            return
        self.stored_at, self.stored_bytes = timezone.now(), found
        with best_effort("note a copy that was found in the storage"):
            unnoted = self._rows.filter(status=self.status, stored_at=None)
            unnoted.update(stored_at=self.stored_at, stored_bytes=found, storage_error=None)

    def check_size(self, found: int | None, *, wanted: int) -> None:
        """Error: archive_not_stored, unless there are as many bytes as wanted."""
        if found is None:
            raise Problem("archive_not_stored", found="nothing")
        if found < wanted:
            raise Problem("archive_not_stored", found=f"{found:,} of {wanted:,} bytes")

    def delete_stored(self) -> None:
        """Delete an unfinished upload, and the files with ARCHIVE_STORAGE_DELETE.

        Error: storage_failed.
        """
        store, key = storage.current(), storage.key_of(self)
        if self.storage_upload:
            store.abandon(key, self.storage_upload)
        if settings.ARCHIVE_STORAGE_DELETE:
            store.delete(key)
            if transcripts.about(self.details):
                store.delete(storage.transcript_key_of(self))
            self._rows.update(
                stored_at=None, stored_bytes=None, storage_upload=None, storage_error=None,
                transcript_stored_at=None, transcript_due_at=None,
            )  # fmt: skip

    def delete_late_copy(self) -> None:
        """Delete the copy of a recording that was deleted while it was copied."""
        is_deleted = models.Q(status=Status.DELETED) | ~not_being_deleted()
        if self._rows.filter(is_deleted).exists():
            self.delete_stored()

    # Copying. One process at a time has a claim, until `storage_due_at`.

    def claim(self) -> bool:
        try:
            self.keep_claim()
        except ClaimLostError:
            return False
        return True

    def keep_claim(self, **changes: Any) -> None:
        """Prolong the claim, and store changes. ClaimLostError"""
        self._change(storage_due_at=timezone.now() + CLAIM, **changes)

    def release(self) -> None:
        self._change(storage_due_at=None)

    def note_stored(self, size: int) -> None:
        self._change(
            stored_at=timezone.now(), stored_bytes=size, storage_upload=None, storage_error=None,
            storage_due_at=None, transcript_due_at=self.first_look_at_transcript(),
        )  # fmt: skip

    def note_storage_failure(self, words: str) -> None:
        self._change(storage_due_at=timezone.now() + PAUSE, storage_error=words)

    def _change(self, **changes: Any) -> None:
        mine = self._rows.filter(
            not_being_deleted(),
            status=self.status,
            stored_at=None,
            storage_due_at=self.storage_due_at,
        )
        if not mine.update(**changes):
            raise ClaimLostError
        for name, value in changes.items():
            setattr(self, name, value)

    @property
    def _rows(self) -> models.QuerySet:
        return type(self)._default_manager.filter(pk=self.pk)

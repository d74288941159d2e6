"""Columns of a recording about its transcript in the project's own storage.

OpenTok makes the transcript after the recording, and reports it only when it is asked. If OpenTok
uploads recordings, it uploads transcripts as well, under undocumented names.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from archives import storage
from archives.states import Status
from video import transcripts
from web.errors import Problem

# How long a process claims a transcript, and the pause after a failure, or while OpenTok has not
# made it.
PAUSE = timedelta(minutes=10)
MEDIA_TYPE = "application/json"


class StoredTranscript(models.Model):
    # Both may be NULL: SQLite adds such columns without a new copy of the table.
    transcript_stored_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When it is looked for at OpenTok; NULL for never.
    transcript_due_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Columns of the recording.
    if TYPE_CHECKING:
        pk: Any
        session_id: Any
        status: Any
        details: Any

    class Meta:
        abstract = True

    @property
    def has_stored_transcript(self) -> bool:
        """Whether the transcript is only in the storage."""
        is_kept = self.status == Status.EXPIRED and self.transcript_stored_at is not None
        return is_kept and storage.is_set()

    def first_look_at_transcript(self) -> datetime | None:
        """Now, if OpenTok has one or may make one."""
        return timezone.now() if transcripts.is_expected(self.details) else None

    def claim_transcript(self) -> bool:
        """Claim it for PAUSE. Returns whether this process has the claim."""
        return self._change_transcript(transcript_due_at=timezone.now() + PAUSE)

    def store_transcript(self, content: bytes) -> bool:
        """Copy it. Returns whether the claim still held afterwards. Error: storage_failed."""
        store = storage.current(is_patient=True)
        store.write(storage.transcript_key_of(self), content, media_type=MEDIA_TYPE)
        return self._change_transcript(transcript_due_at=None, transcript_stored_at=timezone.now())

    def expect_no_transcript(self) -> None:
        self._change_transcript(transcript_due_at=None)

    def link_to_stored_transcript(self) -> str:
        """A link that lasts as long as OpenTok's. Errors: storage_failed, archive_not_stored."""
        store, key = storage.current(), storage.transcript_key_of(self)
        if store.size(key) is None:
            raise Problem("archive_not_stored", found="nothing")
        return store.link(key, media_type=MEDIA_TYPE, seconds=storage.LINK_SECONDS)

    def _change_transcript(self, **changes: Any) -> bool:
        """Store changes, unless another process was first. Returns whether they were stored."""
        rows = type(self)._default_manager.filter(pk=self.pk)
        is_mine = rows.filter(transcript_due_at=self.transcript_due_at).update(**changes) == 1
        if is_mine:
            for name, value in changes.items():
                setattr(self, name, value)
        return is_mine

"""The files of recordings, at OpenTok or in the project's own storage."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from access.notes import best_effort
from archives import storage
from archives.catalogue import Catalogue
from archives.states import DAY, KEPT_BY_OPENTOK, Status
from archives.stored import not_being_deleted
from video import archives as door
from video import ids, sessions, transcripts
from video.answers import Remote
from web.errors import Problem

if TYPE_CHECKING:
    from archives.models import Archive

# How long before its deletion a file counts as lost soon.
ALARM = timedelta(hours=6)


class FileManager(Catalogue):
    def to_be_stored(self) -> models.QuerySet[Archive]:
        """Recordings whose file is not yet known to be in the storage."""
        may_be_there = [Status.AVAILABLE, Status.UPLOADED]
        return self._recent().filter(status__in=may_be_there, stored_at=None)

    def due(self) -> models.QuerySet[Archive]:
        """Those of them that are not claimed, and have not failed just now."""
        is_free = Q(storage_due_at=None) | Q(storage_due_at__lte=timezone.now())
        return self.to_be_stored().filter(is_free, not_being_deleted()).order_by("created_at")

    def lost_soon(self) -> models.QuerySet[Archive]:
        """Recordings with a file, also a transcript, that is not in the storage and that OpenTok
        deletes within six hours, counted from their creation, or has deleted unnoticed.
        """
        limit = timezone.now() - KEPT_BY_OPENTOK + ALARM
        there = self._recent().filter(status=Status.AVAILABLE, created_at__lte=limit)
        transcript_is_there = Q(details__transcription__status="available")
        return there.filter(
            Q(stored_at=None) | Q(transcript_due_at__isnull=False) & transcript_is_there
        )

    def transcripts_due(self) -> models.QuerySet[Archive]:
        """Copied recordings whose transcript is due to be looked for."""
        rows = self._recent().filter(not_being_deleted(), status=Status.AVAILABLE)
        return rows.filter(transcript_due_at__lte=timezone.now()).order_by("created_at")

    def _recent(self) -> models.QuerySet[Archive]:
        """Recordings of which OpenTok may still have a file."""
        return self.filter(created_at__gt=timezone.now() - KEPT_BY_OPENTOK - DAY)

    def link(self, remote: Remote) -> str | None:
        """A link to its file for ten minutes, at OpenTok or in the storage; None without a file.

        Errors: storage_failed, archive_not_stored.
        """
        if url := door.download_url(remote):
            return url
        if remote["status"] not in {Status.UPLOADED, Status.EXPIRED} or not storage.is_set():
            return None
        archive = self.filter(pk=remote["id"]).first() or self.as_row(remote)
        if archive.status == Status.EXPIRED and not archive.has_copy:
            archive.find_copy()
        return archive.link_to_stored() if archive.is_in_storage else None

    def transcript_link(self, remote: Remote) -> str | None:
        """A link to its transcript, likewise."""
        if url := transcripts.link_to(remote):
            return url
        if remote["status"] != Status.EXPIRED or not transcripts.about(remote):
            return None
        archive = self.filter(pk=remote["id"]).first()
        if archive is None or not archive.has_stored_transcript:
            return None
        return archive.link_to_stored_transcript()

    def with_links(self, remote: Remote) -> Remote:
        """The same object, with links in `url` and in its transcript's, if there are any now."""
        with suppress(Problem):
            remote = remote | {"url": self.link(remote)}
        with suppress(Problem):
            if url := self.transcript_link(remote):
                remote = remote | {"transcription": remote["transcription"] | {"url": url}}
        return remote

    def kept_beyond_opentok(self, archive_id: str) -> Archive | None:
        """A recording that OpenTok does not have any more and whose file is in the storage. It
        counts as expired, unless it is being deleted here.
        """
        with best_effort("look up a recording that OpenTok does not have"):
            kept = self.filter(not_being_deleted(), pk=ids.archive_id(archive_id)).filter(
                status__in=[Status.AVAILABLE, Status.UPLOADED, Status.EXPIRED],
                stored_at__isnull=False,
            )  # fmt: skip
            kept.update(status=Status.EXPIRED)
            return kept.first()
        return None

    def kept_of_another_project(self, archive_id: str) -> Archive | None:
        """A recording of an earlier project, of which OpenTok tells nothing, and whose file is in
        the storage.
        """
        if not storage.is_set():
            return None
        known = None
        with best_effort("look up the project of a recording"):
            known = self.filter(pk=ids.archive_id(archive_id)).first()
        if known is None or sessions.owns(known.session_id):
            return None
        return known if known.status == Status.UPLOADED else self.kept_beyond_opentok(archive_id)

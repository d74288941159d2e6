"""Operations on recordings: at OpenTok, and in the catalogue by its answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from access.notes import best_effort
from archives import sharing, storage
from archives.entries import note_act, record_states
from archives.files import FileManager
from archives.sharing import Share
from archives.states import KEPT_BY_OPENTOK, Status
from archives.stored import not_being_deleted
from audit.models import Entry
from rooms.deleted_sessions import DeletedSession
from rooms.models import Room
from video import archives as door
from video import ids, sessions
from video.answers import Remote
from video.errors import VideoError
from web.errors import Problem

if TYPE_CHECKING:
    from archives.models import Archive

# A running recording is among the newest of its session.
LATEST = 100


class ArchiveManager(FileManager):
    def start(self, session_id: str, **options: Any) -> Remote:
        """Start recording a session, by default under the name of its room.

        Errors and options: video.archives.start_archive. `archive_conflict` has the id of a running
        recording as its member `archiveId`.
        """
        room = Room.objects.of_session(session_id)
        name = room.name if room else DeletedSession.objects.names([session_id]).get(session_id)
        options.setdefault("name", name)
        try:
            remote = door.start_archive(session_id, **options)
        except VideoError as error:
            if error.code == "archive_conflict":
                error.members |= self._running(session_id, tag=options.get("multi_archive_tag"))
            raise
        [archive] = self.note([remote], room=room)
        archive.room_name = name or ""
        note_act("recording.started", archive)
        return remote

    def _running(self, session_id: str, *, tag: str | None) -> dict[str, str]:
        """The id of a session's running recording, as a member of a problem."""
        with suppress(VideoError):
            remotes = self.fetch_list(session_id=session_id, count=LATEST)
            if remote := door.first_running(remotes, tag=tag):
                return {"archiveId": str(remote["id"])}
        return {}

    def stop(self, archive_id: str) -> Remote:
        """Stop recording. Errors: archive_not_running, after its state was fetched;
        archive_not_found; archive_deleted.
        """
        try:
            remote = door.stop_archive(archive_id)
        except VideoError as error:
            if error.code == "archive_not_running":
                with suppress(Problem):
                    self.fetch(archive_id)
            if error.code == "archive_not_found" and not self.kept_beyond_opentok(archive_id):
                self.mark_deleted(archive_id)
            raise
        [archive] = self.note([remote])
        note_act("recording.stopped", archive)
        return remote

    def fetch(self, archive_id: str) -> Remote:
        """The archive as OpenTok has it now, or as last reported, if only the storage has its file.

        Error: archive_deleted, for a known one that neither has.
        """
        if kept := self.kept_of_another_project(archive_id):
            return kept.remote
        try:
            remote = door.get_archive(archive_id)
        except VideoError as error:
            if error.code == "archive_not_found":
                if kept := self.kept_beyond_opentok(archive_id):
                    return kept.remote
                self.mark_deleted(archive_id)
            raise
        self.note([remote])
        if remote["status"] == Status.DELETED and (kept := self.kept_beyond_opentok(archive_id)):
            return kept.remote
        return remote

    def remove(self, archive_id: str) -> None:
        """Delete it and its file at OpenTok, and in the storage with ARCHIVE_STORAGE_DELETE. The
        row stays.

        An unknown one is fetched first, so that a late callback does not count as a new recording.
        """
        archive_id = ids.archive_id(archive_id)
        known = self._current(archive_id)
        is_only_here = known.is_beyond_opentok
        if is_only_here and not known.is_deletable:
            raise Problem("archive_not_deletable")
        with self._deleting(archive_id):
            if storage.is_set():
                # First, because a failure here can be retried, and a deletion at OpenTok cannot.
                known.delete_stored()
            if not is_only_here:
                self._delete_at_opentok(archive_id)
            self._note_deletion(archive_id)
        self._note_act("recording.deleted", archive_id)

    @contextmanager
    def _deleting(self, archive_id: str) -> Iterator[None]:
        """Around a deletion. Only one runs at a time, and none of a recording on hold.

        Errors: archive_held, archive_not_deletable.
        """
        mine = self.filter(pk=archive_id)
        free = mine.filter(not_being_deleted(), held_at=None)
        has_begun = free.exists() or not mine.exists()
        # If the database takes no writes, it takes no holds either.
        with best_effort("note that a recording is being deleted"):
            has_begun = free.update(deleting_at=timezone.now()) == 1 or not mine.exists()
        if not has_begun:
            is_held = mine.filter(held_at__isnull=False).exists()
            raise Problem("archive_held" if is_held else "archive_not_deletable")
        try:
            yield
        finally:
            with best_effort("note that a deletion is over"):
                mine.update(deleting_at=None)

    def _current(self, archive_id: str) -> Archive:
        """The row. OpenTok is asked if it is unknown, or may have expired since."""
        known = self.filter(pk=archive_id).first()
        if known is None:
            remote = self.fetch(archive_id)
            return self.filter(pk=archive_id).first() or self.as_row(remote)
        is_old = known.created_at < timezone.now() - KEPT_BY_OPENTOK
        if known.status == Status.AVAILABLE and (is_old or not sessions.owns(known.session_id)):
            self.fetch(archive_id)
            known.refresh_from_db()
        return known

    def _delete_at_opentok(self, archive_id: str) -> None:
        try:
            door.delete_archive(archive_id)
        except VideoError as error:
            if error.code == "archive_not_found":
                self.mark_deleted(archive_id)
            raise

    def share(self, archive_id: str, *, lifetime: int) -> Share:
        """A link to it that ends after `lifetime` seconds. Errors: those of `fetch`."""
        self.fetch(archive_id)
        archive = self.get(pk=ids.archive_id(archive_id))
        until = timezone.now() + timedelta(seconds=lifetime)
        note_act("recording.shared", archive, lifetime=lifetime)
        return Share(archive.pk, archive.share_generation, until)

    def revoke_shares(self, archive_id: str) -> None:
        """Revoke all links to it. Error: archive_not_found, for an unknown one."""
        mine = self.filter(pk=ids.archive_id(archive_id))
        if not mine.update(share_generation=models.F("share_generation") + 1):
            raise Problem("archive_not_found")
        self._note_act("recording.links_revoked", archive_id)

    def fetch_shared(self, text: str) -> Remote:
        """The recording of a link. Errors: share_invalid, share_ended, and those of `fetch`."""
        share = sharing.read(text)
        mine = self.filter(pk=share.archive_id, share_generation=share.generation)
        if not mine.exists():
            raise Problem("share_ended")
        return self.fetch(str(share.archive_id))

    def hold(self, archive_id: str) -> None:
        """Protect it from deletion, by people and by rules, until it is released.

        Errors: archive_not_holdable, also while it is being deleted; those of `fetch`, for one that
        is unknown or may have expired.
        """
        archive_id = ids.archive_id(archive_id)
        archive = self._current(archive_id)
        if not archive.may_have_file:
            raise Problem("archive_not_holdable", status=archive.status)
        free = self.filter(pk=archive_id, held_at=None)
        there = free.filter(not_being_deleted()).exclude(status=Status.DELETED)
        with transaction.atomic():
            if there.update(held_at=timezone.now()):
                Entry.objects.record("recording.held", archive)
            elif free.exists():
                raise Problem("archive_not_holdable", status=Status.DELETED)

    def release(self, archive_id: str) -> None:
        """End the hold, if there is one. Error: archive_not_found, for an unknown one."""
        archive = self.filter(pk=ids.archive_id(archive_id)).first()
        if archive is None:
            raise Problem("archive_not_found")
        with transaction.atomic():
            if self.filter(pk=archive.pk, held_at__isnull=False).update(held_at=None):
                Entry.objects.record("recording.released", archive)

    def lay_out(self, archive_id: str, layout: Remote) -> None:
        """Change the layout of a running recording."""
        with self._changing(archive_id):
            door.set_layout(archive_id, layout)
        self._note_act("recording.laid_out", archive_id, layout=layout.get("type"))

    def add_stream(self, archive_id: str, stream_id: str, **kinds: bool) -> None:
        with self._changing(archive_id):
            door.add_stream(archive_id, stream_id, **kinds)
        self._note_act("recording.stream_added", archive_id, stream=stream_id)

    def remove_stream(self, archive_id: str, stream_id: str) -> None:
        with self._changing(archive_id):
            door.remove_stream(archive_id, stream_id)
        self._note_act("recording.stream_removed", archive_id, stream=stream_id)

    def _note_act(self, what: str, archive_id: str, **details: Any) -> None:
        with best_effort("record what was done with a recording"):
            known = self.filter(pk=archive_id).first() or self.model(pk=UUID(archive_id))
            note_act(what, known, **details)

    @contextmanager
    def _changing(self, archive_id: str) -> Iterator[None]:
        """Around a change of a running recording, for which OpenTok's 404 has several meanings."""
        try:
            yield
        except VideoError as error:
            not_found = error.code in {"archive_not_found", "stream_not_found"}
            if not_found and self.fetch(archive_id)["status"] not in door.RUNNING:
                raise Problem("archive_not_running") from None
            raise

    def mark_deleted(self, archive_id: str) -> None:
        """Error: archive_deleted, if the archive is known and one of the present project."""
        archive_id = ids.archive_id(archive_id)
        known = None
        with best_effort("look up a recording that OpenTok does not have"):
            known = self.filter(pk=archive_id).first()
        if known and sessions.owns(known.session_id):
            self._note_deletion(archive_id)
            raise Problem("archive_deleted")

    def _note_deletion(self, archive_id: str) -> None:
        with best_effort("note that a recording was deleted"), transaction.atomic():
            mine = self.filter(pk=archive_id).exclude(status=Status.DELETED)
            if mine.update(status=Status.DELETED):
                deleted = self.get(pk=archive_id)
                record_states([deleted])

    def fetch_list(self, *, session_id: str | None = None, **page: Any) -> list[Remote]:
        """Archives as OpenTok has them now, newest first; see video.archives.list_archives."""
        remotes = door.list_archives(session_id=session_id, **page)
        self.note(remotes)
        return remotes

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, connections, models, transaction
from django.utils import timezone

from access.notes import best_effort
from archives import sharing
from archives.entries import note_act, record_told
from archives.search import by_id_or_session
from archives.sharing import Share
from archives.states import Status
from rooms.deleted_sessions import DeletedSession
from rooms.models import Room
from rooms.names import clean_name
from rooms.search import containing
from video import archives as door
from video import ids, sessions
from video.answers import Remote
from video.errors import VideoError
from web.errors import Problem

if TYPE_CHECKING:
    from archives.models import Archive

# The columns that news may change. Which room it is follows from the session; the room's name, once
# it is known, stays.
UPDATED_FIELDS = [
    "status",
    "name",
    "reason",
    "duration",
    "size",
    "created_at",
    "updated_at",
    "details",
]
# How often news is written while rooms are deleted, and others write the same.
WRITES = 3
# What OpenTok says when it is asked to stop one that has ended.
OVER = {"archive_not_running", "archive_not_found"}
# One that runs is among so many of the newest of its session.
LATEST = 100
# OpenTok tells its time by the millisecond at the start, and later by the second.
ROUNDING = timedelta(seconds=1)


class ArchiveManager(models.Manager["Archive"]):
    def start(self, session_id: str, **options: Any) -> Remote:
        """Start recording a session, unless told otherwise under the name of its room.

        Errors and options: video.archives.start_archive. `archive_conflict` has the id of the
        recording that runs already as its member `archiveId`, if one does.
        """
        room = Room.objects.by_session([session_id]).get(session_id)
        name = room.name if room else DeletedSession.objects.names([session_id]).get(session_id)
        options.setdefault("name", name)
        try:
            remote = door.start_archive(session_id, **options)
        except VideoError as error:
            if error.code == "archive_conflict":
                error.members |= self._running(session_id, tag=options.get("multi_archive_tag"))
            raise
        self.note([remote], room=room)
        archive = self.model.from_remote(remote)
        archive.room_name = name or ""
        note_act("recording.started", archive)
        return remote

    def _running(self, session_id: str, *, tag: str | None) -> dict[str, str]:
        """The id of what is being recorded in a session, as the member of a problem."""
        with suppress(VideoError):
            remotes = self.fetch_list(session_id=session_id, count=LATEST)
            if remote := door.first_running(remotes, tag=tag):
                return {"archiveId": str(remote["id"])}
        return {}

    def stop(self, archive_id: str) -> Remote:
        """Errors: archive_not_running, after which it is known how it ended; archive_not_found."""
        try:
            remote = door.stop_archive(archive_id)
        except VideoError as error:
            if error.code == "archive_not_running":
                with suppress(Problem):
                    self.fetch(archive_id)
            if error.code == "archive_not_found":
                self.mark_deleted(archive_id)
            raise
        self.note([remote])
        self._note_act("recording.stopped", archive_id)
        return remote

    def fetch(self, archive_id: str) -> Remote:
        """The archive as OpenTok has it now.

        `archive_deleted` for one that we knew and OpenTok does not have any more.
        """
        try:
            remote = door.get_archive(archive_id)
        except VideoError as error:
            if error.code == "archive_not_found":
                self.mark_deleted(archive_id)
            raise
        self.note([remote])
        return remote

    def remove(self, archive_id: str) -> None:
        """Delete it at OpenTok, its file as well. That it was there stays known here.

        One that was never heard of is asked for first, or a callback that comes late would be news.
        """
        archive_id = ids.archive_id(archive_id)
        if not self.filter(pk=archive_id).exists():
            self.fetch(archive_id)
        try:
            door.delete_archive(archive_id)
        except VideoError as error:
            if error.code == "archive_not_found":
                self.mark_deleted(archive_id)
            raise
        self._note_deletion(archive_id)
        self._note_act("recording.deleted", archive_id)

    def share(self, archive_id: str, *, lifetime: int) -> Share:
        """A link to it that ends after `lifetime` seconds. Errors: those of `fetch`."""
        self.fetch(archive_id)
        archive = self.get(pk=ids.archive_id(archive_id))
        until = timezone.now() + timedelta(seconds=lifetime)
        note_act("recording.shared", archive, lifetime=lifetime)
        return Share(archive.pk, archive.share_generation, until)

    def revoke_shares(self, archive_id: str) -> None:
        """End all links to it. `archive_not_found` for one that was never heard of."""
        mine = self.filter(pk=ids.archive_id(archive_id))
        if not mine.update(share_generation=models.F("share_generation") + 1):
            raise Problem("archive_not_found")
        self._note_act("recording.links_revoked", archive_id)

    def fetch_shared(self, text: str) -> Remote:
        """The recording that a link shows. Errors: share_invalid, share_ended, those of `fetch`."""
        share = sharing.read(text)
        mine = self.filter(pk=share.archive_id, share_generation=share.generation)
        if not mine.exists():
            raise Problem("share_ended")
        return self.fetch(str(share.archive_id))

    def lay_out(self, archive_id: str, layout: Remote) -> None:
        """Change how the streams of a running recording are arranged."""
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
        """Around a change of a running recording, which gets a 404 for all kinds of reasons."""
        try:
            yield
        except VideoError as error:
            not_found = error.code in {"archive_not_found", "stream_not_found"}
            if not_found and self.fetch(archive_id)["status"] not in door.RUNNING:
                raise Problem("archive_not_running") from None
            raise

    def matching(
        self,
        *,
        search: str = "",
        prefix: str = "",
        room: str | None = None,
        session_id: str | None = None,
        **columns: Any,
    ) -> models.QuerySet[Archive]:
        """What was last heard of recordings. `room_not_found` if the `room` has none and is none.

        With a `prefix` only those of rooms that are there and whose name starts with it: a deleted
        room's are of no room any more.
        """
        archives = (self.search(search) if search else self.all()).filter(**columns)
        if prefix:
            archives = archives.filter(room__in=Room.objects.matching(prefix=prefix))
        if room is not None:
            archives = archives.filter(room_name=clean_name(room))
            if prefix or not archives.exists():
                archives = archives.filter(room=Room.objects.find(room))
        if session_id is not None:
            archives = archives.filter(session_id=session_id)
        return archives

    def search(self, term: str) -> models.QuerySet[Archive]:
        """The one with this id, those of this session, or those with `term` in the name of the room
        that they were made in, or in their own, in any case and with or without accents.
        """
        found = by_id_or_session(self.all(), term)
        return containing(self.all(), term, column="folded_names") if found is None else found

    def described(self, remotes: list[Remote]) -> list[dict[str, Any]]:
        """OpenTok's objects, each with the name of the `room` that it was made in, or None."""
        # Without the join, which only rows need that an older server wrote.
        rows = self.only("room_name", "room_id")
        known: dict[UUID, Archive] = {}
        with best_effort("look up the rooms of recordings"):
            known = rows.in_bulk([remote["id"] for remote in remotes])
        return [
            _with_room(remote, known.get(UUID(remote["id"])) or self.as_row(remote))
            for remote in remotes
        ]

    def as_row(self, remote: Remote) -> Archive:
        """What OpenTok said just now, as a row with its room; of what is stored the name counts."""
        archive = self.model.from_remote(remote)
        with best_effort("look up the room of a recording"):
            kept = self.filter(pk=archive.pk).values_list("room_name", flat=True).first()
            archive.room_name = kept or ""
            _placed([archive])
        return archive

    def mark_deleted(self, archive_id: str) -> None:
        """Raise `archive_deleted` if we knew the archive, and OpenTok would tell us of it."""
        archive_id = ids.archive_id(archive_id)
        known = None
        with best_effort("look up a recording that OpenTok does not have"):
            known = self.filter(pk=archive_id).first()
        if known and sessions.owns(known.session_id):
            self._note_deletion(archive_id)
            raise Problem("archive_deleted")

    def _note_deletion(self, archive_id: str) -> None:
        with best_effort("note that a recording was deleted"):
            self.filter(pk=archive_id).update(status=Status.DELETED)

    def fetch_list(self, *, session_id: str | None = None, **page: Any) -> list[Remote]:
        """Archives as OpenTok has them now, newest first; see video.archives.list_archives."""
        remotes = door.list_archives(session_id=session_id, **page)
        self.note(remotes)
        return remotes

    def apply_callback(self, remote: Remote) -> None:
        """Write down what a callback tells, which may come late, more than once, in any order."""
        self.record([remote], from_callback=True)
        self.filter(pk=remote["id"]).update(called_back_at=timezone.now())

    def note(self, remotes: list[Remote], *, room: Room | None = None) -> None:
        """`record` what OpenTok has done or said, which is so whatever becomes of our note.

        The next look makes up for one that could not be written.
        """
        with best_effort("note what OpenTok said of recordings"):
            self.record(remotes, room=room)

    def record(
        self, remotes: list[Remote], *, from_callback: bool = False, room: Room | None = None
    ) -> None:
        """Write down what OpenTok said, unless more recent news is here already.

        What it answers is so now; a callback brings back nothing that was deleted since. `room` is
        that of new recordings, if the caller has just looked it up.
        """
        # Each once: a list that grows while it is read may name one twice.
        told = {archive.id: archive for archive in map(self.model.from_remote, remotes)}
        archives = [told[archive_id] for archive_id in sorted(told)]
        for _ in range(WRITES - 1):
            try:
                self._write(archives, from_callback=from_callback, room=room)
                return
            except IntegrityError:
                # A room was deleted after it was looked up, or another process has inserted one of
                # them. This time the room is not found, and the recording is.
                room = None
        self._write(archives, from_callback=from_callback, room=None)

    def _write(self, archives: list[Archive], *, from_callback: bool, room: Room | None) -> None:
        news = _updates(archives, known=self._known(archives), from_callback=from_callback)
        if not news:
            return  # as most of the time, and then without a lock on anything
        new = [archive for archive in news if archive._state.adding]
        known = [archive for archive in news if not archive._state.adding]
        if room:
            for archive in new:
                archive.room, archive.room_name = room, room.name
        else:
            _placed(new)
        with transaction.atomic():
            self.bulk_create(new)
            if from_callback:
                record_told(new)
            if known:
                self._update(known, from_callback=from_callback)

    def _known(self, archives: list[Archive], *, lock: bool = False) -> Iterable[Archive]:
        """The rows of these. By hand: Django takes longer to compose this SELECT than the database
        takes to run it. Locks are taken in the order of ids, so that no two wait for each other.
        """
        if not archives:
            return []
        columns = ", ".join(field.attname for field in self.model._meta.concrete_fields)
        ids = [archive.id.hex for archive in archives]
        marks = ", ".join(["%s"] * len(ids))
        query = f"SELECT {columns} FROM archives_archive WHERE id IN ({marks})"  # noqa: S608
        if lock and connections[self.db].features.has_select_for_update:
            query += " ORDER BY id FOR UPDATE"
        return self.raw(query, ids)

    def _update(self, archives: list[Archive], *, from_callback: bool) -> None:
        rows = self._known(archives, lock=True)
        news = _placed(_updates(archives, known=rows, from_callback=from_callback))
        if from_callback:
            record_told(news)
        self.bulk_create(
            news,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["room", "room_name", "folded_names", *UPDATED_FIELDS],
        )


def _with_room(remote: Remote, archive: Archive) -> dict[str, Any]:
    """`room` comes first for those who read it, and again because OpenTok may have such a field."""
    room = {"room": archive.made_in or None}
    return room | remote | room


def _placed(archives: list[Archive]) -> list[Archive]:
    """The same, each with its room and the name of that, unless its row has both already.

    A name that is known already stays, also when the room is gone.
    """
    unplaced = [archive for archive in archives if archive._state.adding or not archive.room_name]
    rooms = Room.objects.by_session(archive.session_id for archive in unplaced) if unplaced else {}
    for archive in unplaced:
        archive.room = rooms.get(archive.session_id)
        if archive.room and not archive.room_name:
            archive.room_name = archive.room.name
    nameless = [archive for archive in unplaced if not archive.room_name]
    if nameless:
        names = DeletedSession.objects.names(archive.session_id for archive in nameless)
        for archive in nameless:
            archive.room_name = names.get(archive.session_id, "")
    return archives


def _updates(
    archives: list[Archive], *, known: Iterable[Archive], from_callback: bool
) -> list[Archive]:
    """Those that say more than their stored rows do, in the same order.

    What comes late leaves out some of what an answer says, which then stays as it is; so does the
    name of the room. Of two times of creation the earlier counts, however late it comes: the other
    is that of a callback which did not say.
    """
    news = []
    rows = {row.id: row for row in known}
    for archive in archives:
        row = rows.get(archive.id)
        archive._state.adding = row is None
        if row:
            archive.known_status = row.known_status = row.status
            archive.room_id, archive.room_name = row.room_id, row.room_name or archive.room_name
            if archive.created_at >= row.created_at - ROUNDING:
                archive.created_at = row.created_at
            # Why it stopped, OpenTok says only while it is making the file.
            archive.reason = archive.reason or row.reason
            if from_callback:
                archive.keep_from(row)
        if archive.updates(row, from_callback=from_callback):
            news.append(archive)
        elif row and archive.created_at != row.created_at:
            row.created_at = archive.created_at
            news.append(row)
    return news

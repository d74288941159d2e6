"""The catalogue of recordings: stored as OpenTok last reported them, and searched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, connections, models, transaction
from django.utils import timezone

from access.notes import best_effort
from archives.entries import record_states, record_told
from archives.search import by_id_or_session
from archives.states import DAY, KEPT_BY_OPENTOK, Status
from rooms import related
from rooms.deleted_sessions import DeletedSession
from rooms.models import Room
from rooms.names import clean_name
from rooms.search import containing
from video import values
from video.answers import Remote

if TYPE_CHECKING:
    from archives.models import Archive

# The columns that news may change. The session determines the room, whose name stays once it is
# known.
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
# Attempts to write news while rooms are deleted and other processes write the same.
WRITES = 3
# OpenTok's `createdAt` is exact to a millisecond at the start, and later to a second.
ROUNDING = timedelta(seconds=1)
# The age of a recording until which its first mention is an event. OpenTok lists all recordings of
# a project, also those that are older than this server, or that it has deleted from its history.
NEW = KEPT_BY_OPENTOK + DAY


class Catalogue(models.Manager["Archive"]):
    def matching(
        self,
        *,
        search: str = "",
        prefix: str = "",
        room: str | None = None,
        session_id: str | None = None,
        **columns: Any,
    ) -> models.QuerySet[Archive]:
        """Recordings with these values. Error: room_not_found, if `room` is unknown and has none.

        With a `prefix` only those of existing rooms whose name starts with it.
        """
        archives = (self.search(search) if search else self.all()).filter(**columns)
        if prefix:
            archives = related.of_rooms(archives, Room.objects.matching(prefix=prefix))
        if room is not None:
            archives = archives.filter(room_name=clean_name(room))
            if prefix or not archives.exists():
                archives = archives.filter(room=Room.objects.find(room))
        if session_id is not None:
            archives = archives.filter(session_id=session_id)
        return archives

    def search(self, term: str) -> models.QuerySet[Archive]:
        """The recording with this id, those of this session, or those with `term` in their name or
        their room's, ignoring case and accents.
        """
        found = by_id_or_session(self.all(), term)
        return containing(self.all(), term, column="folded_names") if found is None else found

    def described(self, remotes: list[Remote]) -> list[dict[str, Any]]:
        """OpenTok's objects, each with the name of its `room`, or None, and with `heldAt`."""
        # Without a join: only rows of an older version of the server need their room.
        rows = self.only("room_name", "room_id", "held_at")
        known: dict[UUID, Archive] = {}
        with best_effort("look up the rooms of recordings"):
            known = rows.in_bulk([remote["id"] for remote in remotes])
        return [
            _described(remote, known.get(UUID(remote["id"])) or self.as_row(remote))
            for remote in remotes
        ]

    def as_row(self, remote: Remote) -> Archive:
        """OpenTok's object as an unsaved row with its room, and with the stored name of it."""
        archive = self.model.from_remote(remote)
        with best_effort("look up the room of a recording"):
            kept = self.filter(pk=archive.pk).values_list("room_name", flat=True).first()
            archive.room_name = kept or ""
            _placed([archive])
        return archive

    def apply_callback(self, remote: Remote) -> None:
        """Store a callback, which may come late, more than once and in any order."""
        self.record([remote], from_callback=True)
        self.filter(pk=remote["id"]).update(called_back_at=timezone.now())

    def note(self, remotes: list[Remote], *, room: Room | None = None) -> list[Archive]:
        """`record` answers of OpenTok, but only log database errors: the next answer repairs it.

        `room` is that of new recordings, if the caller knows it. Returns the rows, with their
        rooms.
        """
        archives = self._rows(remotes)
        with best_effort("note what OpenTok said of recordings"):
            self._record(archives, room=room)
        return archives

    def record(self, remotes: list[Remote], *, from_callback: bool = False) -> None:
        """Store OpenTok's objects, unless the stored rows are more recent. An answer is current; a
        callback does not bring a deleted recording back.
        """
        self._record(self._rows(remotes), from_callback=from_callback)

    def _rows(self, remotes: list[Remote]) -> list[Archive]:
        """Each once, by id: a list that grows while it is read can have one twice."""
        told = {archive.id: archive for archive in map(self.model.from_remote, remotes)}
        return [told[archive_id] for archive_id in sorted(told)]

    def _record(
        self, archives: list[Archive], *, from_callback: bool = False, room: Room | None = None
    ) -> None:
        for _ in range(WRITES - 1):
            try:
                self._write(archives, from_callback=from_callback, room=room)
                return
            except IntegrityError:
                # A room was deleted after it was looked up, or another process has inserted one of
                # the recordings. The next attempt sees that.
                room = None
        self._write(archives, from_callback=from_callback, room=None)

    def _write(self, archives: list[Archive], *, from_callback: bool, room: Room | None) -> None:
        news = _updates(archives, known=self._known(archives), from_callback=from_callback)
        if not news:
            return  # most of the time, and then without locks
        new = [archive for archive in news if archive._state.adding]
        known = [archive for archive in news if not archive._state.adding]
        if room:
            for archive in new:
                archive.room, archive.room_name = room, room.name
        else:
            _placed(new)
        with transaction.atomic():
            self.bulk_create(new)
            record_states(each for each in new if each.created_at > timezone.now() - NEW)
            if from_callback:
                record_told(new)
            if known:
                self._update(known, from_callback=from_callback)

    def _known(self, archives: list[Archive], *, lock: bool = False) -> Iterable[Archive]:
        """The stored rows. By hand: Django takes longer to compose the SELECT than the database
        takes to run it. Rows are locked in the order of ids, to avoid deadlocks.
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
        record_states(news)
        if from_callback:
            record_told(news)
        self.bulk_create(
            news,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["room", "room_name", "folded_names", *UPDATED_FIELDS],
        )


def _described(remote: Remote, archive: Archive) -> dict[str, Any]:
    """`room` comes first for readers, and again to override a field of OpenTok's."""
    room = {"room": archive.made_in or None}
    return room | remote | room | {"heldAt": values.milliseconds(archive.held_at)}


def _placed(archives: list[Archive]) -> list[Archive]:
    """The same rows, with their room and its name, unless the name is known, which stays even if
    the room is deleted.
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
    """The rows with news, compared to the stored ones, in the same order.

    Callbacks leave out some fields, which then keep their values; so does the room's name. The
    earlier `created_at` counts: the later one is the time of a callback without it.
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
            # OpenTok gives the reason only while it is making the file.
            archive.reason = archive.reason or row.reason
            if archive.status == Status.DELETED and row.outlives_opentok:
                archive.status = Status.EXPIRED
            if from_callback:
                archive.keep_from(row)
        if archive.updates(row, from_callback=from_callback):
            news.append(archive)
        elif row and archive.created_at != row.created_at:
            row.created_at = archive.created_at
            news.append(row)
    return news

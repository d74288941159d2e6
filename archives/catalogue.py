"""What is known of recordings here: found by their rooms, and kept as OpenTok last told of them."""

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
from rooms.deleted_sessions import DeletedSession
from rooms.models import Room
from rooms.names import clean_name
from rooms.search import containing
from video import values
from video.answers import Remote

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
# OpenTok tells its time by the millisecond at the start, and later by the second.
ROUNDING = timedelta(seconds=1)


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
        """OpenTok's objects, each with the name of the `room` that it was made in, or None, and
        with `heldAt`, since when it is on hold.
        """
        # Without the join, which only rows need that an older server wrote.
        rows = self.only("room_name", "room_id", "held_at")
        known: dict[UUID, Archive] = {}
        with best_effort("look up the rooms of recordings"):
            known = rows.in_bulk([remote["id"] for remote in remotes])
        return [
            _described(remote, known.get(UUID(remote["id"])) or self.as_row(remote))
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

    def apply_callback(self, remote: Remote) -> None:
        """Write down what a callback tells, which may come late, more than once, in any order."""
        self.record([remote], from_callback=True)
        self.filter(pk=remote["id"]).update(called_back_at=timezone.now())

    def note(self, remotes: list[Remote], *, room: Room | None = None) -> list[Archive]:
        """`record` what OpenTok has done or said, which is so whatever becomes of our note.

        The next look makes up for one that could not be written. `room` is that of new recordings,
        if the caller has just looked it up. Returns what was said as rows, with their rooms.
        """
        archives = self._rows(remotes)
        with best_effort("note what OpenTok said of recordings"):
            self._record(archives, room=room)
        return archives

    def record(self, remotes: list[Remote], *, from_callback: bool = False) -> None:
        """Write down what OpenTok said, unless more recent news is here already.

        What it answers is so now; a callback brings back nothing that was deleted since.
        """
        self._record(self._rows(remotes), from_callback=from_callback)

    def _rows(self, remotes: list[Remote]) -> list[Archive]:
        """Each once, by id: a list that grows while it is read may name one twice."""
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
            record_states(new)
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
    """`room` comes first for those who read it, and again because OpenTok may have such a field."""
    room = {"room": archive.made_in or None}
    return room | remote | room | {"heldAt": values.milliseconds(archive.held_at)}


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

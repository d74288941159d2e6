from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, models, transaction

from audit.models import Entry
from rooms import generation
from rooms.changes import columns, for_event, shown
from rooms.closed_names import ClosedName
from rooms.deleted_sessions import DeletedSession
from rooms.names import clean_name
from rooms.past_sessions import SESSION_TWICE, PastSession
from rooms.policy import ANONYMOUS, Visitor
from rooms.search import containing, starting_with
from rooms.single_flight import SingleFlight
from video import sessions
from video.errors import VideoError
from web.errors import Problem
from web.rows import insert
from webhooks import events

if TYPE_CHECKING:
    from rooms.models import Room

_visits: SingleFlight[Room] = SingleFlight()

# Attempts to insert a new room while rooms of its name are made and deleted.
INSERTS = 10


class RoomQuerySet(models.QuerySet["Room"]):
    """Invalidates the rooms that processes have cached: rooms/generation.py."""

    def update(self, **columns: Any) -> int:
        changed = super().update(**columns)
        if columns.keys() != {"last_used_at"}:
            transaction.on_commit(generation.change)
        return changed

    def delete(self) -> tuple[int, dict[str, int]]:
        deleted = super().delete()
        transaction.on_commit(generation.change)
        return deleted


class RoomManager(models.Manager["Room"]):
    def get_queryset(self) -> RoomQuerySet:
        return RoomQuerySet(self.model, using=self._db)

    def open(
        self, name: str, *, e2ee: bool = False, visitor: Visitor = ANONYMOUS, **policy: Any
    ) -> Room:
        """The room of this name, with a session of this project. It is made at the first visit.

        `e2ee` and `policy` are for a new room. Errors: those of rooms in web/errors.py,
        RateLimited, and those of video.sessions.create_session, after which nothing is stored.
        """
        name = clean_name(name)
        room = self.get_by_name(name)
        if room is None:
            ClosedName.objects.refuse(name)
            visitor.check_may_make_room()
        else:
            room.admit(visitor)
        if room is None or not sessions.owns(room.session_id):
            room = _visits.do(
                name, lambda: self._prepare(name, e2ee=e2ee, visitor=visitor, **policy)
            )
            room.admit(visitor)  # another caller may have made it, or closed it
        room.note_use()
        return room

    def open_existing(self, name: str, *, visitor: Visitor) -> Room:
        """The same for an existing room. Error also: room_not_found."""
        room = self.find(name)
        room.admit(visitor)
        if not sessions.owns(room.session_id):
            room.rotate_session()
        room.note_use()
        return room

    def get_by_name(self, name: str) -> Room | None:
        return self._get("name", name)

    def get_by_session(self, session_id: str) -> Room | None:
        """The room whose present session this is."""
        return self._get("session_id", session_id)

    def of_session(self, session_id: str) -> Room | None:
        """The room whose present or past session this is."""
        if room := self.get_by_session(session_id):
            return room
        past = PastSession.objects.filter(session_id=session_id).select_related("room")
        return next((session.room for session in past), None)

    def _get(self, column: str, value: str) -> Room | None:
        """By hand: Django takes longer to compose the SELECT and to read its row than the database
        takes to run it.
        """
        columns = [field.attname for field in self.model._meta.concrete_fields]
        query = f"SELECT {', '.join(columns)} FROM rooms_room WHERE {column} = %s"  # noqa: S608
        with connections[self.db].cursor() as cursor:
            cursor.execute(query, [value])
            row = cursor.fetchone()
        return self.model.from_db(self.db, columns, [_aware(held) for held in row]) if row else None

    def find(self, name: str) -> Room:
        """The room of this name. Errors: room_name_invalid, room_not_found."""
        if room := self.get_by_name(clean_name(name)):
            return room
        raise Problem("room_not_found")

    def lock(self, name: str) -> Room:
        """The same, and lock the row until the transaction ends."""
        if room := self.select_for_update().filter(name=clean_name(name)).first():
            return room
        raise Problem("room_not_found")

    def remove(self, rooms: list[Room], *, keep_closed: bool = False) -> list[ClosedName]:
        """Delete rooms, whose rows the caller has locked. Recordings keep the rooms'
        recording_days.

        With `keep_closed` visitors cannot make them again. Returns the names that are closed.
        """
        closed = ClosedName.objects.close(room.name for room in rooms) if keep_closed else []
        past = PastSession.objects.filter(room__in=rooms).values_list("session_id", "room__name")
        DeletedSession.objects.remember({room.session_id: room.name for room in rooms} | dict(past))
        for room in rooms:
            Entry.objects.record("room.deleted", room, keep_closed=keep_closed)
            events.record("room.deleted", room=room.name)
            if room.recording_days:
                room.archives.update(recording_days=room.recording_days)
        self.filter(pk__in=[room.pk for room in rooms]).delete()
        return closed

    def add(self, name: str, *, may_reopen: bool = True, **chosen: Any) -> Room:
        """A new room with a session. `chosen` is its policy, and `e2ee`. With `may_reopen` the name
        may be closed, and is open afterwards.

        Errors: room_name_invalid, room_exists, room_closed without `may_reopen`, and those of
        video.sessions.create_session, after which nothing is stored.
        """
        name = clean_name(name)
        if self.get_by_name(name):
            raise Problem("room_exists")
        if not may_reopen:
            ClosedName.objects.refuse(name)  # before OpenTok is asked
        room, is_new = self._make(name, may_reopen=may_reopen, **chosen)
        if not is_new:
            raise Problem("room_exists")
        return room

    def _prepare(self, name: str, *, e2ee: bool, visitor: Visitor, **policy: Any) -> Room:
        """Make the room, or give it a session of the configured project, unless it has one."""
        room = self.get_by_name(name)
        if room and not sessions.owns(room.session_id):
            try:
                room.rotate_session()
            except Problem as error:
                if error.code != "room_not_found":
                    raise
                room = None  # deleted meanwhile, so that it is made anew
        if room is None:
            visitor.check_may_make_room()
            visitor.count("create")
            return self._make(name, e2ee=e2ee, **policy)[0]
        return room

    def _make(
        self, name: str, *, e2ee: bool, may_reopen: bool = False, **policy: Any
    ) -> tuple[Room, bool]:
        """A new room and True, or the one that another process made meanwhile and False.

        `room_closed` for a closed name, unless the maker `may_reopen` it.
        """
        room = self.model(name=name, e2ee=e2ee, session_id=sessions.create_session(e2ee=e2ee))
        room.set_policy(**policy)
        closed, made_with = ClosedName.objects, {"e2ee", *policy}
        for _ in range(INSERTS):
            try:
                with transaction.atomic():
                    insert(room, using=self.db)
                    PastSession.objects.refuse(room.session_id)
                    (closed.reopen if may_reopen else closed.refuse)(name)
                    chosen = columns(room, made_with)
                    Entry.objects.record("room.made", room, **shown(chosen))
                    events.record("room.created", room=name, **for_event(chosen))
                return room, True
            except IntegrityError:
                if there := self.get_by_name(name):
                    return there, False
                if self.filter(session_id=room.session_id).exists():
                    raise VideoError("opentok_failed", SESSION_TWICE) from None
            # The other room of this name was deleted before it was read.
        raise Problem("room_not_found")

    def matching(
        self, *, search: str = "", prefix: str = "", **columns: Any
    ) -> models.QuerySet[Room]:
        """Rooms that `search` finds, with this prefix of their name and these columns."""
        rooms = self.search(search) if search else self.all()
        if prefix:
            rooms = starting_with(rooms, prefix)
        return rooms.filter(**columns)

    def search(self, term: str) -> models.QuerySet[Room]:
        """Rooms with `term` in their name, ignoring case and accents, or with this session."""
        term = term.strip()
        if room := self.of_session(term):
            return self.filter(pk=room.pk)
        return containing(self.all(), term, column="folded_name")

    def name_of_session(self, session_id: str) -> str:
        """The name of a session's room, also of a deleted one; empty if unknown."""
        if room := self.of_session(session_id):
            return room.name
        return DeletedSession.objects.names([session_id]).get(session_id, "")

    def by_session(self, session_ids: Iterable[str]) -> dict[str, Room]:
        """The rooms of these sessions, present or past."""
        wanted = set(session_ids)
        rooms = {room.session_id: room for room in self.filter(session_id__in=wanted).order_by()}
        if not_now := wanted - rooms.keys():
            past = PastSession.objects.filter(session_id__in=not_now).select_related("room")
            rooms |= {session.session_id: session.room for session in past.order_by()}
        return rooms


def _aware(held: Any) -> Any:
    """A value of a row, with a time zone: SQLite's moments are naive, in UTC."""
    is_naive = isinstance(held, datetime) and held.tzinfo is None
    return held.replace(tzinfo=UTC) if is_naive else held

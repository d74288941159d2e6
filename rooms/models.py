from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, connections, models, transaction
from django.utils import timezone

from access.usage import NotesUse
from audit.models import Entry
from rooms import generation
from rooms.bans import Ban as Ban  # a model of this app
from rooms.changes import columns, shown
from rooms.closed_names import ClosedName
from rooms.conferences import Conference as Conference  # a model of this app
from rooms.deleted_sessions import DeletedSession
from rooms.guests import Guest as Guest  # a model of this app
from rooms.names import MAX_LENGTH, clean_name
from rooms.ownership import Owned
from rooms.policy import ANONYMOUS, Policy, Visitor
from rooms.presence import count_people
from rooms.search import containing, starting_with
from rooms.single_flight import SingleFlight
from video import sessions
from video.errors import VideoError
from web.errors import Problem
from web.folding import FoldedField
from web.rows import has_row, insert

_visits: SingleFlight[Room] = SingleFlight()

# How often a new room is inserted while others of its name come and go.
INSERTS = 10
SESSION_TWICE = "a new session that a room has, or had, already"


class Role(models.TextChoices):
    """What a token allows; the names are OpenTok's."""

    SUBSCRIBER = "subscriber"
    PUBLISHER = "publisher"
    PUBLISHER_ONLY = "publisheronly", "Publisher only"
    MODERATOR = "moderator"


class RoomQuerySet(models.QuerySet["Room"]):
    """Tells the other processes what changes: rooms/generation.py."""

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
        """The room of this name with a session that can be joined; made at the first visit.

        `e2ee` and the policy count for a room that does not exist yet. Errors: those of rooms in
        web/errors.py, RateLimited, and what video.sessions.create_session raises, in which case
        nothing is stored.
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
        """The same, of a room that is there. `room_not_found` also if it is deleted meanwhile."""
        room = self.find(name)
        room.admit(visitor)
        if not sessions.owns(room.session_id):
            room.rotate_session()
        room.note_use()
        return room

    def get_by_name(self, name: str) -> Room | None:
        return self._get("name", name)

    def get_by_session(self, session_id: str) -> Room | None:
        """The room that has this session now."""
        return self._get("session_id", session_id)

    def of_session(self, session_id: str) -> Room | None:
        """The room that has, or had, this session."""
        if room := self.get_by_session(session_id):
            return room
        past = PastSession.objects.filter(session_id=session_id).select_related("room")
        return next((session.room for session in past), None)

    def _get(self, column: str, value: str) -> Room | None:
        """By hand: Django would take longer to compose this SELECT and to take its row apart than
        the database takes to run it.
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
        """The same, locked until the transaction ends."""
        if room := self.select_for_update().filter(name=clean_name(name)).first():
            return room
        raise Problem("room_not_found")

    def remove(self, rooms: list[Room], *, keep_closed: bool = False) -> list[ClosedName]:
        """Delete these rooms, whose rows the caller has locked.

        With `keep_closed` no visitor makes them anew; returns the names that are closed by that.
        """
        closed = ClosedName.objects.close(room.name for room in rooms) if keep_closed else []
        past = PastSession.objects.filter(room__in=rooms).values_list("session_id", "room__name")
        DeletedSession.objects.remember({room.session_id: room.name for room in rooms} | dict(past))
        for room in rooms:
            Entry.objects.record("room.deleted", room, keep_closed=keep_closed)
        self.filter(pk__in=[room.pk for room in rooms]).delete()
        return closed

    def add(self, name: str, **chosen: Any) -> Room:
        """A new room with a session, also of a name that was kept closed, which ends with it.

        `chosen` is its policy and whether it is `e2ee`.

        Errors: room_name_invalid, room_exists, and what video.sessions.create_session
        raises, in which case nothing is stored.
        """
        name = clean_name(name)
        if self.get_by_name(name):
            raise Problem("room_exists")
        room, is_new = self._make(name, on_purpose=True, **chosen)
        if not is_new:
            raise Problem("room_exists")
        return room

    def _prepare(self, name: str, *, e2ee: bool, visitor: Visitor, **policy: Any) -> Room:
        """Make the room, or give it a session of the configured project, unless that is done."""
        room = self.get_by_name(name)
        if room and not sessions.owns(room.session_id):
            try:
                room.rotate_session()
            except Problem as error:
                if error.code != "room_not_found":
                    raise
                room = None  # deleted meanwhile, so that this is a first visit again
        if room is None:
            visitor.check_may_make_room()
            visitor.count("create")
            return self._make(name, e2ee=e2ee, **policy)[0]
        return room

    def _make(
        self, name: str, *, e2ee: bool, on_purpose: bool = False, **policy: Any
    ) -> tuple[Room, bool]:
        """A new room and True, or the one that another process made meanwhile and False.

        `room_closed` for a closed name, unless it is made `on_purpose`.
        """
        room = self.model(name=name, e2ee=e2ee, session_id=sessions.create_session(e2ee=e2ee))
        room.set_policy(**policy)
        closed, made_with = ClosedName.objects, {"e2ee", *policy}
        for _ in range(INSERTS):
            try:
                with transaction.atomic():
                    insert(room, using=self.db)
                    _refuse_past(room.session_id)
                    (closed.reopen if on_purpose else closed.refuse)(name)
                    Entry.objects.record("room.made", room, **shown(columns(room, made_with)))
                return room, True
            except IntegrityError:
                if there := self.get_by_name(name):
                    return there, False
                if self.filter(session_id=room.session_id).exists():
                    raise VideoError("opentok_failed", SESSION_TWICE) from None
            # The room that was in the way was deleted before it could be read.
        raise Problem("room_not_found")

    def matching(
        self, *, search: str = "", prefix: str = "", **columns: Any
    ) -> models.QuerySet[Room]:
        """Rooms as `search` finds them, with these values and this beginning of their name."""
        rooms = self.search(search) if search else self.all()
        if prefix:
            rooms = starting_with(rooms, prefix)
        return rooms.filter(**columns)

    def search(self, term: str) -> models.QuerySet[Room]:
        """Rooms with `term` in their name, in any case and with or without accents; or the one
        whose session it is.
        """
        term = term.strip()
        if room := self.of_session(term):
            return self.filter(pk=room.pk)
        return containing(self.all(), term, column="folded_name")

    def name_of_session(self, session_id: str) -> str:
        """The name of its room, also of one that was deleted; empty if it is unknown."""
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


class Room(Policy, Owned, NotesUse, models.Model):
    """A name that people can say, and the session that it stands for."""

    name = models.CharField(max_length=MAX_LENGTH, unique=True)
    folded_name = FoldedField(sources=["name"])
    session_id = models.CharField(max_length=255, unique=True)
    e2ee = models.BooleanField("end-to-end encrypted", default=False)
    token_role = models.CharField(
        max_length=20,
        choices=Role,
        blank=True,
        help_text="What those who join may do. Empty: as TOKEN_ROLE says for every room.",
    )
    created_at = models.DateTimeField(
        "created", default=timezone.now, editable=False, db_index=True
    )
    last_used_at = models.DateTimeField(
        "last used", default=timezone.now, editable=False, db_index=True
    )

    objects = RoomManager()

    class Meta:
        ordering = ["-last_used_at", "-id"]
        # Of staff: rooms/own_rooms.py.
        permissions = [("only_own_rooms", "Works with own rooms only")]
        indexes = [
            models.Index(
                fields=["last_used_at"], condition=models.Q(e2ee=True), name="room_e2ee_last_used"
            ),
            models.Index(
                fields=["last_used_at"],
                condition=models.Q(record_meetings=True),
                name="room_recorded_last_used",
            ),
            models.Index(fields=["owner", "last_used_at", "id"], name="room_owner_last_used"),
            models.Index(fields=["folded_name", "id"], name="room_folded_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def room_name(self) -> str:
        """As recordings and all else that belongs to a room have it."""
        return self.name

    def save(self, *how: Any, **named: Any) -> None:
        is_new = self._state.adding
        super().save(*how, **named)
        if not is_new:
            transaction.on_commit(generation.change)

    def delete(self, *how: Any, **named: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*how, **named)
        transaction.on_commit(generation.change)
        return deleted

    def admit(self, visitor: Visitor) -> None:
        super().admit(visitor)
        if self.max_participants:
            people = count_people(self.session_id, room_name=self.name)
            if people >= self.max_participants:
                raise Problem("room_full")

    def rotate_session(self) -> None:
        """Give the room a new session; the old one stays known, for its recordings. Guests who were
        let into that one have to ask again.

        When two do this at once, the first one's session is the room's.
        """
        replaced = self.session_id
        session_id = sessions.create_session(e2ee=self.e2ee)
        try:
            with transaction.atomic():
                mine = Room.objects.filter(pk=self.pk, session_id=replaced)
                if mine.update(session_id=session_id):
                    PastSession.objects.create(room=self, session_id=replaced)
                    self.guests.all().delete()
                    _refuse_past(session_id)
                    Entry.objects.record("session.renewed", self, before=replaced, after=session_id)
        except IntegrityError:  # whose text has the session id, on PostgreSQL
            raise VideoError("opentok_failed", SESSION_TWICE) from None
        try:
            self.refresh_from_db(fields=["session_id"])
        except Room.DoesNotExist:  # deleted while OpenTok was asked
            raise Problem("room_not_found") from None


class PastSession(models.Model):
    """A session that a room had before it got a new one."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="past_sessions")
    session_id = models.CharField(max_length=255, unique=True)
    replaced_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-replaced_at", "-id"]

    def __str__(self) -> str:
        return self.session_id


def _refuse_past(session_id: str) -> None:
    """Raise `opentok_failed` for a new session that was a room's before, whose recordings it has.

    Asked in the transaction that has written it: until that ends, no room can give it up.
    """
    if has_row(PastSession, session_id=session_id):
        raise VideoError("opentok_failed", SESSION_TWICE)


def _aware(held: Any) -> Any:
    """A value of a row; SQLite's moments are in UTC and do not say so."""
    is_naive = isinstance(held, datetime) and held.tzinfo is None
    return held.replace(tzinfo=UTC) if is_naive else held

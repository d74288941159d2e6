from __future__ import annotations

from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from access.usage import NotesUse
from audit.models import Entry
from rooms import generation

# Models of this app.
from rooms.bans import Ban as Ban
from rooms.conferences import Conference as Conference
from rooms.guests import Guest as Guest
from rooms.managers import RoomManager
from rooms.names import MAX_LENGTH
from rooms.ownership import Owned
from rooms.past_sessions import SESSION_TWICE
from rooms.past_sessions import PastSession as PastSession
from rooms.policy import Policy, Visitor
from rooms.presence import count_people
from video import sessions
from video.errors import VideoError
from web.errors import Problem
from web.folding import FoldedField


class Role(models.TextChoices):
    """What a token allows; the names are OpenTok's."""

    SUBSCRIBER = "subscriber"
    PUBLISHER = "publisher"
    PUBLISHER_ONLY = "publisheronly", "Publisher only"
    MODERATOR = "moderator"


class Room(Policy, Owned, NotesUse, models.Model):
    """A name, and the session that clients join under it."""

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
                condition=models.Q(closed=True),
                name="room_closed_last_used",
            ),
            models.Index(
                fields=["last_used_at"],
                condition=models.Q(record_meetings=True),
                name="room_recorded_last_used",
            ),
            models.Index(
                fields=["recording_days"],
                condition=models.Q(recording_days__isnull=False),
                name="room_recording_days",
            ),
            models.Index(fields=["owner", "last_used_at", "id"], name="room_owner_last_used"),
            models.Index(fields=["folded_name", "id"], name="room_folded_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def room_name(self) -> str:
        """The same attribute as of recordings and other rows of a room."""
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
        """Give the room a new session. The old one stays known, for its recordings. Admitted guests
        have to ask again.

        Of two concurrent calls the first one wins.
        """
        replaced = self.session_id
        session_id = sessions.create_session(e2ee=self.e2ee)
        try:
            with transaction.atomic():
                mine = Room.objects.filter(pk=self.pk, session_id=replaced)
                if mine.update(session_id=session_id):
                    PastSession.objects.create(room=self, session_id=replaced)
                    self.guests.all().delete()
                    PastSession.objects.refuse(session_id)
                    Entry.objects.record("session.renewed", self, before=replaced, after=session_id)
        except IntegrityError:  # whose text has the session id, on PostgreSQL
            raise VideoError("opentok_failed", SESSION_TWICE) from None
        try:
            self.refresh_from_db(fields=["session_id"])
        except Room.DoesNotExist:  # deleted while OpenTok was asked
            raise Problem("room_not_found") from None

"""Guests of a room with a waiting room: they ask to be let in, and a moderator decides.

A guest keeps asking for credentials while they wait, by which it is known that they still do.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from video import ids
from web.errors import Problem

if TYPE_CHECKING:
    from rooms.models import Room

MAX_NAME = 100
MAX_WAITING = 100  # in a room
# A guest who has not asked for so long has gone away.
GONE_AFTER = timedelta(seconds=90)
NOTED_EVERY = timedelta(seconds=10)
KEPT_FOR = timedelta(hours=24)


class GuestManager(models.Manager["Guest"]):
    def ask(self, room: Room, name: str) -> Guest:
        """A guest who waits from now on. Error: waiting_room_full."""
        self.filter(asked_at__lt=timezone.now() - KEPT_FOR).delete()
        if self.waiting(room).count() >= MAX_WAITING:
            raise Problem("waiting_room_full")
        try:
            with transaction.atomic():
                return self.create(room=room, name=name)
        except IntegrityError:  # deleted meanwhile
            raise Problem("room_not_found") from None

    def waiting(self, room: Room) -> models.QuerySet[Guest]:
        """Those who wait now, the first one first; at most MAX_WAITING."""
        since = timezone.now() - GONE_AFTER
        return self.filter(room=room, is_admitted=None, seen_at__gt=since)[:MAX_WAITING]

    def decide(self, room: Room, ticket: uuid.UUID, *, admit: bool) -> Guest:
        """Let the guest in, or turn them away. Error: guest_not_found."""
        guest = self.filter(room=room, ticket=ticket).first()
        if guest is None or not self.filter(pk=guest.pk).update(is_admitted=admit):
            raise Problem("guest_not_found")
        guest.is_admitted = admit
        return guest

    def refuse_unadmitted(self, room_id: int, ticket: str) -> None:
        """Errors: admission_required, admission_pending, admission_refused."""
        now = timezone.now()
        guest = self.filter(room_id=room_id, ticket=ticket).first() if ids.is_uuid(ticket) else None
        if guest is None or guest.asked_at < now - KEPT_FOR:
            raise Problem("admission_required")
        if guest.is_admitted is None:
            guest.note_that_they_wait(now)
            raise Problem("admission_pending")
        if not guest.is_admitted:
            raise Problem("admission_refused")


class Guest(models.Model):
    """`is_admitted` is None until a moderator has decided."""

    ticket = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    room = models.ForeignKey("rooms.Room", on_delete=models.CASCADE, related_name="guests")
    name = models.CharField(max_length=MAX_NAME)
    asked_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    seen_at = models.DateTimeField(default=timezone.now, editable=False)
    is_admitted = models.BooleanField(null=True, default=None)

    objects = GuestManager()

    class Meta:
        ordering = ["asked_at", "ticket"]

    def __str__(self) -> str:
        return self.name

    def note_that_they_wait(self, now: datetime) -> None:
        if self.seen_at < now - NOTED_EVERY:
            Guest.objects.filter(pk=self.pk).update(seen_at=now)

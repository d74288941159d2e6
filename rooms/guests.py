"""Guests of a room with a waiting room, whom a moderator lets in or turns away.

A guest has a secret ticket, and a public id, which is a hash of the ticket. Waiting guests poll for
credentials, by which the server knows that they are still there.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from audit.models import Entry
from meetings.models import Connection
from video import ids
from web.errors import Problem
from web.rows import delete_some

if TYPE_CHECKING:
    from rooms.models import Room

MAX_NAME = 100
MAX_WAITING = 100  # in a room
# Guests who have not polled for so long have left.
GONE_AFTER = timedelta(seconds=90)
NOTED_EVERY = timedelta(seconds=10)
KEPT_FOR = timedelta(hours=24)
# How many old rows a new one deletes.
FORGOTTEN_AT_ONCE = 100

# The connection data of a guest's token.
DATA = re.compile(r'\{"guest":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"\}', re.ASCII)


def id_of(ticket: str) -> uuid.UUID:
    """The id of the guest with this ticket. A fast hash is enough, since tickets are random."""
    return uuid.UUID(bytes=hashlib.sha256(ticket.encode()).digest()[:16])


def connection_data(ticket: str) -> str:
    """The connection data of a guest's token: the guest's id, as JSON."""
    return f'{{"guest":"{id_of(ticket)}"}}'


class GuestManager(models.Manager["Guest"]):
    def ask(self, room: Room, name: str) -> str:
        """Add a waiting guest. Returns the ticket, of which only the hash is stored.

        Errors: waiting_room_full, room_not_found.
        """
        if self.waiting(room).count() >= MAX_WAITING:
            raise Problem("waiting_room_full")
        self._forget_old()
        ticket = secrets.token_urlsafe(24)
        try:
            with transaction.atomic():
                self.create(pk=id_of(ticket), room=room, name=name)
        except IntegrityError:  # deleted meanwhile
            raise Problem("room_not_found") from None
        return ticket

    def cancel(self, room: Room, ticket: str) -> None:
        """End the ticket of a guest who gives up. Error: guest_not_found."""
        deleted, _ = self.filter(room=room, pk=id_of(ticket)).delete()
        if not deleted:
            raise Problem("guest_not_found")

    def waiting(self, room: Room) -> models.QuerySet[Guest]:
        """The waiting guests, the first one first; at most MAX_WAITING."""
        since = timezone.now() - GONE_AFTER
        return self.filter(room=room, is_admitted=None, seen_at__gt=since)[:MAX_WAITING]

    def decide(self, room: Room, guest_id: str, *, admit: bool) -> Guest:
        """Let a guest in, or turn them away. Error: guest_not_found."""
        known = self.filter(room=room, pk=guest_id) if ids.is_uuid(guest_id) else self.none()
        guest = known.first()
        with transaction.atomic():
            if guest is None or not self.filter(pk=guest.pk).update(is_admitted=admit):
                raise Problem("guest_not_found")
            guest.is_admitted = admit
            what = "guest.admitted" if admit else "guest.refused"
            Entry.objects.record(what, guest, room=room.name)
        return guest

    def check_ticket(self, room_id: int, ticket: str) -> None:
        """Pass only for the ticket of a guest who was let in.

        Errors: admission_required, admission_pending, admission_refused.
        """
        now = timezone.now()
        guest = self.filter(room_id=room_id, pk=id_of(ticket)).first() if ticket else None
        if guest is None or guest.asked_at < now - KEPT_FOR:
            raise Problem("admission_required")
        if guest.is_admitted is None:
            guest.note_waiting(now)
            raise Problem("admission_pending")
        if not guest.is_admitted:
            raise Problem("admission_refused")
        if not guest.has_joined:
            self.filter(pk=guest.pk).update(has_joined=True)

    def end_removed(self, room: Room, connection_id: str) -> None:
        """End the ticket of a guest whom a moderator has disconnected.

        Only callbacks tell which guest a connection is, since OpenTok's lists have no connection
        data. So the tickets of guests with unknown connections end as well: without callbacks,
        those of all guests who have joined.
        """
        is_meant = models.Q(connection_id=connection_id) | models.Q(connection_id=None)
        self.filter(is_meant, room=room, has_joined=True).delete()

    def end_banned(self, room: Room, identity: str) -> None:
        """End the ticket of the guest with this connection data, if it is a guest's."""
        if found := DATA.fullmatch(identity):
            self.filter(room=room, pk=found[1]).delete()

    def end_joined(self, room: Room) -> None:
        """End the tickets of all guests who have joined, after all were disconnected."""
        self.filter(room=room, has_joined=True).delete()

    def apply_callback(self, session_id: str, told: dict[str, Any]) -> None:
        """Note a guest's connection, or end the ticket of a guest whom a moderator has
        disconnected, possibly with another app.
        """
        connection = told.get("connection")
        if not isinstance(connection, dict) or not ids.is_uuid(connection.get("id")):
            return
        data, connection_id = connection.get("data"), connection["id"]
        found = DATA.fullmatch(data) if isinstance(data, str) else None
        if told["event"] == "connectionDestroyed" and told.get("reason") == "forceDisconnected":
            # Not all of OpenTok's callbacks of this kind have the data.
            is_meant = models.Q(connection_id=connection_id)
            is_meant |= models.Q(pk=found[1] if found else None)
            self.filter(is_meant, room__session_id=session_id).delete()
        # A repeated callback may be about an earlier connection.
        elif told["event"] == "connectionCreated" and found and not _has_left(connection_id):
            guest = self.filter(pk=found[1], room__session_id=session_id)
            guest.update(connection_id=connection_id)

    def _forget_old(self) -> None:
        """Delete some old guests whenever one is added."""
        delete_some(self.filter(asked_at__lt=timezone.now() - KEPT_FOR), FORGOTTEN_AT_ONCE)


def _has_left(connection_id: str) -> bool:
    return Connection.objects.filter(pk=connection_id, left_at__isnull=False).exists()


class Guest(models.Model):
    """`is_admitted` is None until a moderator decides. `has_joined` is set once the guest has got
    credentials. `connection_id` is the latest connection that a callback has reported.
    """

    # The column once held the ticket itself.
    id = models.UUIDField(primary_key=True, editable=False, db_column="ticket")
    room = models.ForeignKey("rooms.Room", on_delete=models.CASCADE, related_name="guests")
    name = models.CharField(max_length=MAX_NAME)
    asked_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    seen_at = models.DateTimeField(default=timezone.now, editable=False)
    is_admitted = models.BooleanField(null=True, default=None)
    has_joined = models.BooleanField(default=False, db_default=False, editable=False)
    connection_id = models.UUIDField(null=True, default=None, editable=False)

    objects = GuestManager()

    class Meta:
        ordering = ["asked_at", "id"]

    def __str__(self) -> str:
        return self.name

    def note_waiting(self, now: datetime) -> None:
        if self.seen_at < now - NOTED_EVERY:
            Guest.objects.filter(pk=self.pk).update(seen_at=now)

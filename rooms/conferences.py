"""Conferences, by which phones join a room: a PIN for callers, and a conversation of Vonage's Voice
API, in which they meet the room's session.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from django.db import IntegrityError, models

from web.errors import Problem

if TYPE_CHECKING:
    from rooms.models import Room

PIN_DIGITS = 10


class ConferenceManager(models.Manager["Conference"]):
    def of_room(self, room: Room) -> Conference:
        """The room's conference, made when it is first needed. Error: room_not_found."""
        while True:
            if found := self.filter(room=room).first():
                return found
            try:
                self.bulk_create([self.model(room=room)], ignore_conflicts=True)
            except IntegrityError:
                raise Problem("room_not_found") from None


def new_pin() -> str:
    """Digits to key in on a phone, too many to be guessed by calls."""
    return str(secrets.randbelow(9 * 10 ** (PIN_DIGITS - 1)) + 10 ** (PIN_DIGITS - 1))


def new_conversation() -> str:
    return f"room-{uuid.uuid4()}"


class Conference(models.Model):
    room = models.OneToOneField("rooms.Room", on_delete=models.CASCADE)
    pin = models.CharField(max_length=PIN_DIGITS, unique=True, default=new_pin)
    conversation = models.CharField(max_length=41, unique=True, default=new_conversation)

    objects = ConferenceManager()

    def __str__(self) -> str:
        return self.conversation

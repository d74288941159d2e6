"""Invitations to a room: links with a role and an end of their own; see access/invitations.py."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from access.invitations import Invitation
from rooms.models import Room


def invite(room: Room, *, role: str, lifetime: int) -> Invitation:
    """`lifetime` is in seconds, and of the link: its tokens last as long as any in this room."""
    until = timezone.now() + timedelta(seconds=lifetime)
    return Invitation(room.pk, room.invitation_generation, role, until)


def revoke_all(room: Room) -> None:
    """All that were made before. People who have joined by one stay in the room; guests who were
    let in have to ask again.
    """
    room.guests.all().delete()
    Room.objects.filter(pk=room.pk).update(invitation_generation=F("invitation_generation") + 1)

"""Making and revoking invitations to a room. What they are: access/invitations.py."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from access.invitations import Invitation
from audit.models import Entry
from rooms.models import Room


def invite(room: Room, *, role: str, lifetime: int) -> Invitation:
    """An invitation that expires after `lifetime` seconds. Its tokens have the room's lifetime."""
    until = timezone.now() + timedelta(seconds=lifetime)
    Entry.objects.note("invitation.made", room, role=role, expires_at=until)
    return Invitation(room.pk, room.invitation_generation, role, until)


def revoke_all(room: Room) -> None:
    """Revoke all invitations. People in the room stay; admitted guests have to ask again."""
    with transaction.atomic():
        room.guests.all().delete()
        Room.objects.filter(pk=room.pk).update(invitation_generation=F("invitation_generation") + 1)
        Entry.objects.record("invitations.revoked", room)

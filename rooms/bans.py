"""Bans of people from a room, until the meeting ends or for good.

OpenTok cannot revoke a token, and knows people only by the connection data of their tokens: by
`identity` in data that is a JSON object, or else by all of the data. No token is made with banned
data, and people with an older token are disconnected when a callback reports them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from audit.models import Entry
from meetings.models import MAX_DATA, MAX_NAME, Connection, Meeting, identity_of
from meetings.presence import present, running_meeting
from rooms.guests import Guest
from video import ids, moderation
from video.errors import VideoError
from web.errors import Problem
from web.rows import has_row

if TYPE_CHECKING:
    from rooms.models import Room

MAX_BANS = 1000  # in a room


class BanManager(models.Manager["Ban"]):
    def add(self, room: Room, identity: str, *, name: str = "", until_meeting_ends: bool) -> Ban:
        """Ban an identity. The ticket of a guest ends as well.

        Errors: identity_missing, no_meeting (that could end), bans_full, room_not_found.
        """
        if not identity:
            raise Problem("identity_missing")
        meeting = running_meeting(room.session_id) if until_meeting_ends else None
        if until_meeting_ends and meeting is None:
            raise Problem("no_meeting")
        self.filter(room=room).filter(
            Q(meeting__ended_at__isnull=False) | Q(identity=identity)
        ).delete()
        if self.filter(room=room).count() >= MAX_BANS:
            raise Problem("bans_full")
        try:
            with transaction.atomic():
                ban = self.create(room=room, identity=identity, name=name, meeting=meeting)
                until = "meeting_ends" if meeting else None
                Entry.objects.record("ban.made", ban, room=room.name, until=until)
                Guest.objects.end_banned(room, identity)
                return ban
        except IntegrityError:  # deleted meanwhile
            raise Problem("room_not_found") from None

    def add_connected(self, room: Room, connection_id: str, *, until_meeting_ends: bool) -> Ban:
        """Ban the client of a connection, and disconnect it. Errors also: connection_not_found, and
        those of video.moderation.disconnect.
        """
        if not ids.is_uuid(connection_id):
            raise Problem("connection_not_found")
        connection = Connection.objects.filter(
            pk=connection_id, meeting__session_id=room.session_id
        ).first()
        if connection is None:
            raise Problem("connection_not_found")
        identity = identity_of(connection.data)
        ban = self.add(room, identity, name=connection.name, until_meeting_ends=until_meeting_ends)
        try:
            moderation.disconnect(room.session_id, connection_id)
        except VideoError as error:
            if error.code != "connection_not_found":  # or they have left by themselves
                raise
        else:
            Entry.objects.note("person.removed", room, connection=connection_id, why="banned")
        return ban

    def lift(self, room: Room, ban_id: int) -> None:
        """Error: ban_not_found."""
        with transaction.atomic():
            ban = self.current(room).filter(pk=ban_id).first()
            if ban is None or not self.filter(pk=ban_id).delete()[0]:
                raise Problem("ban_not_found")
            Entry.objects.record("ban.lifted", ban, room=room.name)

    def current(self, room: Room) -> models.QuerySet[Ban]:
        return self.filter(Q(meeting=None) | Q(meeting__ended_at=None), room=room)

    def banned_in(self, room: Room) -> list[Connection]:
        """The clients in the room who are banned."""
        # A quick check, since most rooms have no bans.
        if not has_row(Ban, room_id=room.pk):
            return []
        banned = set(self.current(room).values_list("identity", flat=True))
        clients = present(room.session_id)
        return [client for client in clients if identity_of(client.data) in banned]

    def is_banned(self, room: Room, data: str) -> bool:
        """Whether a client with this connection data is banned."""
        identity = identity_of(data)
        # A quick check, since most rooms have no bans.
        if not identity or not has_row(Ban, room_id=room.pk):
            return False
        return self.current(room).filter(identity=identity).exists()


class Ban(models.Model):
    """It ends with its meeting; without one it is permanent."""

    room = models.ForeignKey("rooms.Room", on_delete=models.CASCADE, related_name="bans")
    identity = models.CharField(max_length=MAX_DATA)
    name = models.CharField(max_length=MAX_NAME, blank=True)
    meeting = models.ForeignKey(Meeting, null=True, blank=True, on_delete=models.CASCADE)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    objects = BanManager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name or self.identity

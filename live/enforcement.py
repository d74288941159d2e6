"""Disconnects banned people, the last ones of those who are too many for a room, and people who
come into a closed room.

Requests for credentials refuse them, so these came with an older token, or at the same moment. They
are disconnected when a callback reports them. The worker repeats what failed, except for closed
rooms, in which people may stay who were there before.
"""

from collections.abc import Iterator

from django.db.models import Count, Exists, OuterRef, Q

from audit.actors import SERVER, acting_as
from audit.models import Entry
from live.managers import CALL
from live.operations import failure_logged
from meetings.models import Connection, Meeting
from meetings.presence import people
from rooms.models import Ban, Room
from rooms.presence import look
from video import moderation
from video.errors import VideoError


def enforce(room: Room) -> None:
    for connection, why in _unwanted(room):
        with failure_logged("throw somebody out"), acting_as(SERVER):
            _throw_out(room, connection, why=why)


def keep_out(room: Room, connection_id: str) -> None:
    """Disconnect a person who has come into a closed room. Calls have come by a request of a
    program.
    """
    arrived = people(room.session_id).exclude(data=CALL)
    for connection in arrived.filter(pk=connection_id):
        with failure_logged("throw somebody out"), acting_as(SERVER):
            _throw_out(room, connection, why="room_closed")


def enforce_all() -> None:
    """Called every few seconds in each process; idempotent."""
    in_use = Meeting.objects.filter(ended_at=None).order_by().values("session_id")
    there = people(OuterRef("session_id")).order_by().values("meeting")
    is_full = Q(max_participants__lt=there.annotate(count=Count("pk")).values("count"))
    has_bans = Exists(Ban.objects.filter(room=OuterRef("pk")))
    for room in Room.objects.filter(is_full | has_bans, session_id__in=in_use).order_by():
        if any(_unwanted(room)):
            with failure_logged("look who is in a room"):
                look(room.session_id, room_name=room.name)  # they may have left, unreported
                enforce(room)


def _unwanted(room: Room) -> Iterator[tuple[Connection, str]]:
    """The connections to end, each with the reason for the audit log."""
    banned = Ban.objects.banned_in(room)
    yield from ((connection, "banned") for connection in banned)
    if room.max_participants:
        # In the order in which they came, not in that of the callbacks.
        others = people(room.session_id).exclude(pk__in=[each.pk for each in banned])
        yield from ((connection, "room_full") for connection in others[room.max_participants :])


def _throw_out(room: Room, connection: Connection, *, why: str) -> None:
    try:
        moderation.disconnect(room.session_id, connection.pk)
    except VideoError as error:
        if error.code != "connection_not_found":  # or they have left by themselves
            raise
    else:
        Entry.objects.note("person.removed", room, connection=connection.pk, why=why)

"""Throws out who should not be in a room: those with a ban, and the last who came to a full one.

Both are refused when they ask for credentials; these came with an older token, or at one moment.
"""

from itertools import chain

from audit.actors import SERVER, acting_as
from audit.models import Entry
from live.operations import failure_logged
from meetings.models import Connection
from meetings.presence import people
from rooms.models import Ban, Room
from video import moderation


def enforce(room: Room, arrived: Connection) -> None:
    session_id = room.session_id
    banned = [arrived] if Ban.objects.is_banned(room, arrived.data) else []
    # All of them, since whoever came before may be told of after.
    too_many = people(session_id)[room.max_participants :] if room.max_participants else []
    for connection in chain(banned, too_many):
        with failure_logged("throw somebody out"):
            moderation.disconnect(session_id, connection.pk)
            why = "banned" if connection in banned else "room_full"
            with acting_as(SERVER):
                Entry.objects.note("person.removed", room, connection=connection.pk, why=why)

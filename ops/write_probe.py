"""Whether the database takes writes, found out by one that leaves nothing."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from archives.models import Archive
from rooms.closed_names import ClosedName
from rooms.deleted_sessions import DeletedSession
from rooms.models import PastSession, Room


def try_to_write() -> None:
    """Insert, change and delete a room and a recording. Raises what the database raises.

    In one transaction, so that no other one sees them; committed, because SQLite touches the disk
    only then.
    """
    archive_id = uuid4()
    text = f"probe 🚪 {archive_id}"  # which takes UTF-8
    with transaction.atomic():
        Room.objects.bulk_create([Room(name=text, session_id=text)])
        Archive.objects.bulk_create([Archive(id=archive_id, session_id=text)])
        room, archive = Room.objects.filter(name=text), Archive.objects.filter(pk=archive_id)
        room.update(last_used_at=timezone.now())
        archive.update(updated_at=timezone.now())
        archive.delete()
        PastSession.objects.create(room=room.get(), session_id=text)
        # Not by Room.objects.remove, which would leave an entry in the audit log.
        DeletedSession.objects.remember({text: text})
        DeletedSession.objects.filter(session_id=text).delete()
        closed = ClosedName.objects.close([text])
        ClosedName.objects.filter(pk__in=[name.pk for name in closed]).delete()
        room.delete()

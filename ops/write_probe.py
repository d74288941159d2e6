"""A write to the database that leaves nothing behind."""

from uuid import uuid4

from django.db import transaction

from archives.models import Archive


def try_to_write() -> None:
    """Insert and delete a recording. Raises the database's error.

    In one transaction, so that no other one sees it; and committed, because SQLite writes to the
    disk only then.
    """
    archive_id = uuid4()
    with transaction.atomic():
        # With a character that takes UTF-8.
        Archive.objects.bulk_create([Archive(id=archive_id, session_id=f"probe 🚪 {archive_id}")])
        Archive.objects.filter(pk=archive_id).delete()

import time

from django.db import migrations, transaction
from django.db.models import OuterRef, Subquery

BATCH = 1000


def fill(apps, schema_editor):
    """Give each recording the name of its room.

    In short transactions, so that nobody waits for long; what is done stays done if it is ended
    half way. A recording without a room gets no name: none is known.
    """
    database = schema_editor.connection.alias
    archives = apps.get_model("archives", "Archive").objects.using(database)
    rooms = apps.get_model("rooms", "Room").objects.using(database)
    name = rooms.filter(pk=OuterRef("room")).values("name")
    # By the primary key alone: with more in the query SQLite would read all rows for each batch.
    ids = archives.order_by("pk").values_list("pk", flat=True)
    batch = list(ids[:BATCH])
    while batch:
        started = time.monotonic()
        with transaction.atomic(using=database):
            # Locked in the order in which the server locks them, or the two could wait for each
            # other. If a room is being deleted, its recordings have none once they are locked.
            found = ids.filter(pk__in=batch, room__isnull=False, room_name="")
            archives.filter(pk__in=list(found.select_for_update())).update(room_name=Subquery(name))
        if schema_editor.connection.vendor == "sqlite":
            # Those who wait for its one lock look for it now and then.
            time.sleep(time.monotonic() - started)
        batch = list(ids.filter(pk__gt=batch[-1])[:BATCH])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0003_room_name"),
        ("rooms", "0002_policies"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]

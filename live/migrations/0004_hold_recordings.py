from importlib import import_module

from django.db import migrations

first = import_module("live.migrations.0002_groups")


def let_those_hold_who_may_delete(apps, schema_editor):
    """All groups and people who could hold recordings until now, staff's own groups as well."""
    database = schema_editor.connection.alias
    delete = first._permission(apps, database, "archives.delete_archive")
    hold = first._permission(apps, database, "archives.hold_archive")
    hold.group_set.add(*delete.group_set.all())
    hold.user_set.add(*delete.user_set.all())


class Migration(migrations.Migration):
    dependencies = [("live", "0003_moderators_ban")]

    # On the way back nobody asks for the permission, and it may stay.
    operations = [migrations.RunPython(let_those_hold_who_may_delete, migrations.RunPython.noop)]

from importlib import import_module

from django.db import migrations

first = import_module("live.migrations.0002_groups")
BANS = ["rooms.add_ban", "rooms.delete_ban"]


def let_moderators_ban(apps, schema_editor):
    """Unless the group is staff's own: not as the migration before has made it."""
    if group := _group(apps, schema_editor, first.MODERATORS):
        group.permissions.add(*_permissions(apps, schema_editor))


def stop_moderators_from_banning(apps, schema_editor):
    if group := _group(apps, schema_editor, [*first.MODERATORS, *BANS]):
        group.permissions.remove(*_permissions(apps, schema_editor))


def _group(apps, schema_editor, labels):
    """Moderators, if they may do this and no more."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    group = groups.filter(name="Moderators").first()
    if group is None:
        return None
    held = group.permissions.values_list("content_type__app_label", "codename")
    return group if {".".join(each) for each in held} == set(labels) else None


def _permissions(apps, schema_editor):
    return [first._permission(apps, schema_editor.connection.alias, each) for each in BANS]


class Migration(migrations.Migration):
    dependencies = [("live", "0002_groups")]

    operations = [migrations.RunPython(let_moderators_ban, stop_moderators_from_banning)]

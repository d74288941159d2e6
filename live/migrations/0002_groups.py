from django.db import migrations

VIEWERS = [
    "archives.view_archive",
    "live.view_activity",
    "meetings.view_connection",
    "meetings.view_meeting",
    "meetings.view_stream",
    "rooms.view_ban",
    "rooms.view_closedname",
    "rooms.view_guest",
    "rooms.view_pastsession",
    "rooms.view_room",
]
MODERATORS = [
    *VIEWERS,
    "archives.change_archive",
    "live.change_activity",
    "rooms.change_guest",
    "rooms.change_room",
]
MANAGERS = [
    *MODERATORS,
    "archives.delete_archive",
    "rooms.add_ban",
    "rooms.add_room",
    "rooms.change_ban",
    "rooms.delete_ban",
    "rooms.delete_closedname",
    "rooms.delete_room",
]
GROUPS = {"Viewers": VIEWERS, "Moderators": MODERATORS, "Managers": MANAGERS}
NAMES = {"archive": "recording", "closedname": "closed name", "pastsession": "past session"}


def make_groups(apps, schema_editor):
    """A group that is there already is somebody's own, and stays as it is."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name, permissions in GROUPS.items():
        group, is_new = groups.get_or_create(name=name)
        if is_new:
            group.permissions.set([_permission(apps, groups.db, each) for each in permissions])


def _permission(apps, database, label):
    """Django makes permissions only after the last migration, and leaves those that are there."""
    app, codename = label.split(".")
    action, model = codename.split("_")
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    content_type, _ = content_types.get_or_create(app_label=app, model=model)
    permission, _ = (
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(
            content_type=content_type,
            codename=codename,
            defaults={"name": f"Can {action} {NAMES.get(model, model)}"},
        )
    )
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("live", "0001_initial"),
    ]

    # On the way back the groups stay, with the people whom staff put into them.
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]

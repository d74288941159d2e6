from django.db import migrations

from web.folding import fold_all


def fill(apps, schema_editor):
    rows = apps.get_model("rooms", "Room").objects.using(schema_editor.connection.alias)
    fold_all(rows.all(), "folded_name")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0014_folded_name"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]

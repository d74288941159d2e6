from django.db import migrations

from web.folding import fold_all


def fill(apps, schema_editor):
    rows = apps.get_model("archives", "Archive").objects.using(schema_editor.connection.alias)
    fold_all(rows.all(), "folded_names")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0007_folded_names"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]

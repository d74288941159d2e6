from django.db import migrations

from web.folding import FoldedField


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0006_share_generation"),
    ]

    operations = [
        migrations.AddField(
            model_name="archive",
            name="folded_names",
            field=FoldedField(sources=["room_name", "name"]),
        ),
    ]

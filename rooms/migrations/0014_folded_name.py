from django.db import migrations

from web.folding import FoldedField


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0013_weekly_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="room",
            name="folded_name",
            field=FoldedField(sources=["name"]),
        ),
    ]

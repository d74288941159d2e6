from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0015_fill_folded_name"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="room",
            index=models.Index(fields=["folded_name", "id"], name="room_folded_name"),
        ),
    ]

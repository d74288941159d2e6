from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0011_owner"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="room",
            index=models.Index(fields=["owner", "last_used_at", "id"], name="room_owner_last_used"),
        ),
    ]

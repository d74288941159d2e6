from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0009_record_meetings"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="room",
            index=models.Index(
                fields=["last_used_at"],
                condition=models.Q(record_meetings=True),
                name="room_recorded_last_used",
            ),
        ),
    ]

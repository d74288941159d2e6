from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0019_recording_days_index"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="room",
            index=models.Index(
                fields=["last_used_at"],
                condition=models.Q(closed=True),
                name="room_closed_last_used",
            ),
        ),
    ]

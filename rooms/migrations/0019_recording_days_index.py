from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0018_recording_days"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="room",
            index=models.Index(
                condition=models.Q(("recording_days__isnull", False)),
                fields=["recording_days"],
                name="room_recording_days",
            ),
        ),
    ]

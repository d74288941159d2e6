from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("meetings", "0001_initial"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="meeting",
            index=models.Index(
                fields=["started_at", "id"],
                condition=models.Q(("ended_at__isnull", True)),
                name="meeting_running",
            ),
        ),
        AddIndexMeanwhile(
            model_name="meeting",
            index=models.Index(
                fields=["started_at", "people", "person_seconds"], name="meeting_use"
            ),
        ),
    ]

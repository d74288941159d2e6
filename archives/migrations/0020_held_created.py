from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0019_recording_days_index"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="archive",
            index=models.Index(
                condition=models.Q(("held_at__isnull", False)),
                fields=["created_at", "id"],
                name="archive_held_created",
            ),
        ),
        migrations.RemoveIndex(model_name="archive", name="archive_held"),
    ]

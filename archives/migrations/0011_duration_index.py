from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0010_archive_trigrams"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="archive",
            index=models.Index(fields=["duration", "id"], name="archive_duration"),
        ),
    ]

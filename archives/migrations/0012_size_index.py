from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0011_duration_index"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="archive",
            index=models.Index(fields=["size", "id"], name="archive_size"),
        ),
    ]

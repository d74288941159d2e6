from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0008_fill_folded_names"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="archive",
            index=models.Index(fields=["folded_names", "id"], name="archive_folded_names"),
        ),
    ]

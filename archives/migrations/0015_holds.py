from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("archives", "0014_held_at"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="archive",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("hold_archive", "Can hold recording")],
                "verbose_name": "recording",
            },
        ),
        AddIndexMeanwhile(
            model_name="archive",
            index=models.Index(
                condition=models.Q(("held_at__isnull", False)),
                fields=["held_at"],
                name="archive_held",
            ),
        ),
    ]

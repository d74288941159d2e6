from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0017_deleting_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="archive",
            name="recording_days",
            field=models.IntegerField(blank=True, editable=False, null=True),
        ),
    ]

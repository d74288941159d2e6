from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0012_owner_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="room",
            name="weekly_hours",
            field=models.TextField(db_default="", default="", editable=False),
        ),
        migrations.AlterField(
            model_name="room",
            name="opens_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="opens"),
        ),
        migrations.AlterField(
            model_name="room",
            name="closes_at",
            field=models.DateTimeField(
                blank=True,
                help_text="No token is good for longer.",
                null=True,
                verbose_name="closes",
            ),
        ),
    ]

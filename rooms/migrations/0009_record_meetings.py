from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0008_limits_and_bans"),
    ]

    operations = [
        migrations.AddField(
            model_name="room",
            name="record_meetings",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A recording starts when the first person joins, and ends when all have left. Not of end-to-end encrypted rooms. Consent is asked for only if that is set as well.",
                verbose_name="record every meeting",
            ),
        ),
    ]

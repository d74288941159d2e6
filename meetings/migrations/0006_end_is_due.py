from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("meetings", "0005_limited_from"),
    ]

    operations = [
        migrations.AddField(
            model_name="mute",
            name="end_is_due",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

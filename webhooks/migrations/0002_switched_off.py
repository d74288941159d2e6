from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_webhooks")]

    operations = [
        migrations.AddField(
            "endpoint",
            "switched_off_at",
            models.DateTimeField("switched off", editable=False, null=True),
        ),
    ]

from django.db import migrations, models

from web.indexes import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("webhooks", "0002_switched_off")]

    operations = [
        AddIndexMeanwhile(
            "delivery",
            models.Index(
                condition=models.Q(("state", "failed")),
                fields=["endpoint", "id"],
                name="webhook_given_up",
            ),
        ),
    ]

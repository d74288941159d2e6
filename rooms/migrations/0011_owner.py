import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("rooms", "0010_record_meetings_index"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="room",
            options={
                "ordering": ["-last_used_at", "-id"],
                "permissions": [("only_own_rooms", "Works with own rooms only")],
            },
        ),
        migrations.AddField(
            model_name="room",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="A user name. Empty: nobody's.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="room",
            name="notes",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="For staff alone. Visitors do not see it.",
                max_length=1000,
            ),
        ),
    ]

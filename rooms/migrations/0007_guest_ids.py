from django.db import migrations, models


class Migration(migrations.Migration):
    """A guest's row has an id, which is a hash of the ticket, in place of the ticket itself.

    The column keeps its name, and servers of before can go on while they are being replaced. Guests
    who wait meanwhile have to ask again.
    """

    dependencies = [
        ("rooms", "0006_guests"),
    ]

    operations = [
        # Else old tickets would be listed as ids, and after going back, ids would count as tickets.
        migrations.RunSQL("DELETE FROM rooms_guest", "DELETE FROM rooms_guest"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("guest", "ticket", "id"),
                migrations.AlterModelOptions("guest", options={"ordering": ["asked_at", "id"]}),
                migrations.AlterField(
                    "guest",
                    "id",
                    models.UUIDField(
                        db_column="ticket", editable=False, primary_key=True, serialize=False
                    ),
                ),
            ]
        ),
        migrations.AddField(
            "guest",
            "has_joined",
            models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            "guest", "connection_id", models.UUIDField(default=None, editable=False, null=True)
        ),
    ]

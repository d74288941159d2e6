import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def add_column(name, definition, field):
    """A column with a default, by a statement that both databases carry out without touching a row.

    On SQLite Django's own makes the whole table anew.
    """
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"ALTER TABLE rooms_room ADD COLUMN {name} {definition}",
                f"ALTER TABLE rooms_room DROP COLUMN {name}",
            )
        ],
        state_operations=[migrations.AddField("room", name, field)],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0005_conference"),
    ]

    operations = [
        add_column(
            "waiting_room",
            "bool DEFAULT false NOT NULL",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Visitors wait until a moderator of the room lets them in.",
            ),
        ),
        add_column(
            "recording_consent",
            "bool DEFAULT false NOT NULL",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Visitors have to agree to being recorded before they join.",
                verbose_name="consent to recording",
            ),
        ),
        add_column(
            "invitation_generation",
            "integer DEFAULT 0 NOT NULL",
            models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.CreateModel(
            name="Guest",
            fields=[
                (
                    "ticket",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, editable=False
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("is_admitted", models.BooleanField(default=None, null=True)),
                (
                    "room",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="guests",
                        to="rooms.room",
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "ticket"],
            },
        ),
    ]

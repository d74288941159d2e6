import django.core.validators
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
        ("rooms", "0001_initial"),
    ]

    operations = [
        add_column(
            "access_code",
            "varchar(128) DEFAULT '' NOT NULL",
            models.CharField(db_default="", default="", editable=False, max_length=128),
        ),
        add_column(
            "closed",
            "bool DEFAULT false NOT NULL",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Nobody gets in, whatever else is set here.",
            ),
        ),
        migrations.AddField(
            model_name="room",
            name="closes_at",
            field=models.DateTimeField(
                blank=True,
                help_text="In UTC. No token is good for longer.",
                null=True,
                verbose_name="closes",
            ),
        ),
        migrations.AddField(
            model_name="room",
            name="opens_at",
            field=models.DateTimeField(
                blank=True, help_text="In UTC.", null=True, verbose_name="opens"
            ),
        ),
        migrations.AddField(
            model_name="room",
            name="token_lifetime",
            field=models.IntegerField(
                blank=True,
                help_text="Seconds that a token is good for. Empty: as TOKEN_TTL says for every room.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(60),
                    django.core.validators.MaxValueValidator(2592000),
                ],
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0002_last_callback"),
    ]

    operations = [
        # A column with a default, by a statement that both databases carry out without touching a
        # row. On SQLite Django's own makes the whole table anew.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE archives_archive "
                    "ADD COLUMN room_name varchar(200) DEFAULT '' NOT NULL",
                    "ALTER TABLE archives_archive DROP COLUMN room_name",
                )
            ],
            state_operations=[
                migrations.AddField(
                    "archive",
                    "room_name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Of the room that it was made in; it stays when that room is deleted.",
                        max_length=200,
                        verbose_name="name of the room",
                    ),
                )
            ],
        ),
    ]

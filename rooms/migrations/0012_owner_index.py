from django.db import migrations, models


class AddIndexMeanwhile(migrations.AddIndex):
    """Lets others write while PostgreSQL makes the index. SQLite makes it in a second or two."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        # One that was given up half way stays there, is of no use, and has this name.
        schema_editor.remove_index(model, self.index, concurrently=True)
        schema_editor.add_index(model, self.index, concurrently=True)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("rooms", "0010_owner"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="room",
            index=models.Index(fields=["owner", "last_used_at", "id"], name="room_owner_last_used"),
        ),
    ]

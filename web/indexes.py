"""For migrations: indexes of tables that are in use meanwhile."""

from typing import Any

from django.db import migrations


class AddIndexMeanwhile(migrations.AddIndex):
    """Lets others write while PostgreSQL makes the index. SQLite makes it in a second or two.

    The migration has to be `atomic = False`.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        # One that was given up half way stays there, is of no use, and has this name.
        schema_editor.remove_index(model, self.index, concurrently=True)
        schema_editor.add_index(model, self.index, concurrently=True)

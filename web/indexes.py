"""Migration operations that add indexes to tables in use."""

import logging
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, migrations
from django.db.migrations.operations.base import Operation

logger = logging.getLogger(__name__)


class AddIndexMeanwhile(migrations.AddIndex):
    """Add an index without blocking writes on PostgreSQL. SQLite makes it in a second or two.

    The migration has to be `atomic = False`.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        # An interrupted attempt leaves an invalid index of this name.
        schema_editor.remove_index(model, self.index, concurrently=True)
        schema_editor.add_index(model, self.index, concurrently=True)


@dataclass(frozen=True)
class TrigramIndex:
    """An index with which PostgreSQL finds parts of a text. It needs the extension pg_trgm.

    It is not in the model, because SQLite has no such index, and searches work without it.
    """

    name: str
    table: str
    column: str

    @property
    def statement(self) -> str:
        return (
            f"CREATE INDEX CONCURRENTLY {self.name} ON {self.table}"
            f" USING gin ({self.column} gin_trgm_ops)"
        )

    def exists(self, connection: Any) -> bool:
        with connection.cursor() as cursor:
            return self.name in connection.introspection.get_constraints(cursor, self.table)


class AddTrigramIndex(Operation):
    """The migration has to be `atomic = False`. `manage.py doctor` says so if there is no index."""

    reduces_to_sql = False

    def __init__(self, index: TrigramIndex) -> None:
        self.index = index

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            return
        if not _make_trigrams(connection):
            logger.warning("No index %s: PostgreSQL has no pg_trgm.", self.index.name)
            return
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        schema_editor.execute(self.index.statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX IF EXISTS {self.index.name}")

    def describe(self) -> str:
        return f"Create trigram index {self.index.name}"


def _make_trigrams(connection: Any) -> bool:
    """Whether the extension is there, or could be made."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            logger.warning("PostgreSQL makes no extension pg_trgm: %s", error)
        cursor.execute(
            "SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)"
        )
        return cursor.fetchone() is not None

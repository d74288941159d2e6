"""Statements written by hand where they are frequent, and changes of many rows in batches."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, connections, models, transaction

Changed = TypeVar("Changed")

ROWS_AT_ONCE = 500
# Ids of rows are no longer than this.
ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def row_id(text: str) -> int:
    """The id in a path; 0, which no row has, if it is not an id."""
    return int(text) if ROW_ID.fullmatch(text) else 0


def has_row(model: type[models.Model], **columns: str | int | None) -> bool:
    """Whether a row has these values; the names are the database's columns.

    Django takes ten times as long to compose the SELECT as the database takes to run it.
    """
    tests = [
        f"{name} IS NULL" if held is None else f"{name} = %s" for name, held in columns.items()
    ]
    query = f"SELECT 1 FROM {model._meta.db_table} WHERE {' AND '.join(tests)} LIMIT 1"  # noqa: S608
    return read(query, *[held for held in columns.values() if held is not None]) is not None


def read(query: str, *values: str | int) -> tuple[Any, ...] | None:
    """The first row that a SELECT finds."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def write(query: str, *values: str | int | datetime | None) -> tuple[Any, ...] | None:
    """Run a statement that writes one row, and return its RETURNING; None if it wrote no row.

    On SQLite in a transaction, since only transactions queue (config/sqlite).
    """
    adapted = [
        connection.ops.adapt_datetimefield_value(each) if isinstance(each, datetime) else each
        for each in values
    ]
    is_alone = connection.vendor == "postgresql"
    turn = nullcontext() if is_alone else transaction.atomic(savepoint=False)
    with turn, connection.cursor() as cursor:
        cursor.execute(query, adapted)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def delete_in_parts(rows: models.QuerySet[Any]) -> None:
    """Delete rows in batches, which keeps locks short. It works for the audit log as well."""
    some = rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE]
    while pks := list(some.all()):
        models.QuerySet(rows.model).filter(pk__in=pks).delete()


def delete_some(rows: models.QuerySet[Any], most: int) -> None:
    """Delete at most so many rows, and skip those that another process is deleting."""
    with transaction.atomic():
        some = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:most]
        # A list, because PostgreSQL may run a subquery again for each row, and delete more.
        models.QuerySet(rows.model).filter(pk__in=list(some)).delete()


def parts(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Batches of ids that every database takes in one statement."""
    for first in range(0, len(ids), ROWS_AT_ONCE):
        yield ids[first : first + ROWS_AT_ONCE]


def change_in_parts(
    ids: Sequence[Any], change: Callable[[Sequence[Any]], Changed]
) -> Iterator[Changed]:
    """Change rows in batches, each in a transaction of its own, which keeps locks short.

    Yields what `change` returned, once it is committed.
    """
    for part in parts(ids):
        started = time.monotonic()
        with transaction.atomic():
            changed = change(part)
        took = time.monotonic() - started
        yield changed
        if connection.vendor == "sqlite":
            # Waiting writers poll for SQLite's one lock.
            time.sleep(took)


def row_lock(table: str = "") -> str:
    """The clause of a SELECT that locks its rows, or those of one table; empty for SQLite."""
    if not connection.features.has_select_for_update:
        return ""
    return f"FOR UPDATE OF {table}" if table else "FOR UPDATE"


def insert(row: models.Model, *, using: str) -> None:
    """Save a new row, in a third of Django's time, for which other writers wait on SQLite."""
    connection, meta = connections[using], row._meta
    columns = [field for field in meta.concrete_fields if not field.primary_key]
    names = ", ".join(field.attname for field in columns)
    marks = ", ".join(["%s"] * len(columns))
    query = f"INSERT INTO {meta.db_table} ({names}) VALUES ({marks}) RETURNING id"  # noqa: S608
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in columns
    ]
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, using

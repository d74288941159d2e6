"""Statements on single rows, by hand where many requests wait for them."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, connections, models, transaction

Changed = TypeVar("Changed")

ROWS_AT_ONCE = 500
# No row has an id that is longer.
ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def row_id(text: str) -> int:
    """The id that a path names; that of no row for what is none."""
    return int(text) if ROW_ID.fullmatch(text) else 0


def has_row(model: type[models.Model], **columns: str | int | None) -> bool:
    """Whether there is one with these values; the names are the database's.

    Django takes ten times as long to compose this SELECT as the database to run it.
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
    """Run a statement that writes one row, and return what it returns; None if it wrote none.

    PostgreSQL commits it by itself. On SQLite only transactions take turns (config/sqlite).
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
    """Some at a time, so that nobody waits for long; also of a model whose own rows stay."""
    some = rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE]
    while pks := list(some.all()):
        models.QuerySet(rows.model).filter(pk__in=pks).delete()


def delete_some(rows: models.QuerySet[Any], most: int) -> None:
    """At most so many, without a wait for those that another process deletes."""
    with transaction.atomic():
        some = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:most]
        # As a list: PostgreSQL may run a subquery anew for each row, and delete more.
        models.QuerySet(rows.model).filter(pk__in=list(some)).delete()


def parts(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As many at a time as every database takes in one statement."""
    for first in range(0, len(ids), ROWS_AT_ONCE):
        yield ids[first : first + ROWS_AT_ONCE]


def change_in_parts(
    ids: Sequence[Any], change: Callable[[Sequence[Any]], Changed]
) -> Iterator[Changed]:
    """Some at a time, each in a transaction of its own, so that nobody waits for long; yields what
    `change` returned, once that is committed.
    """
    for part in parts(ids):
        started = time.monotonic()
        with transaction.atomic():
            changed = change(part)
        took = time.monotonic() - started
        yield changed
        if connection.vendor == "sqlite":
            # Those who wait for its one lock look for it now and then.
            time.sleep(took)


def row_lock(table: str = "") -> str:
    """The end of a SELECT that locks its rows, or those of one of its tables. SQLite has none."""
    if not connection.features.has_select_for_update:
        return ""
    return f"FOR UPDATE OF {table}" if table else "FOR UPDATE"


def insert(row: models.Model, *, using: str) -> None:
    """Save a new row. Django takes three times as long, while on SQLite all other writers wait."""
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

"""Folded text, for a search that ignores case and accents."""

import time
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.db import connections, models, transaction

# Characters. An index of PostgreSQL takes 2,704 bytes at most, and the time to decompose a text is
# quadratic in the number of consecutive accents.
LONGEST = 300
BATCH = 200


def folded(text: str) -> str:
    """The beginning of `text`, without accents and capitals."""
    text = text[:LONGEST]
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFD", text)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", bare.casefold())[:LONGEST]


class FoldedField(models.TextField):
    """The columns `sources`, folded, a line for each; set whenever the row is saved.

    NULL in rows of an older version of the server until `fold_all` fills it.
    """

    def __init__(self, *, sources: Sequence[str], **options: Any) -> None:
        self.sources = sources
        super().__init__(**options | {"null": True, "editable": False})

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        return name, path, arguments, options | {"sources": self.sources}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = "\n".join(folded(getattr(model_instance, source)) for source in self.sources)
        setattr(model_instance, self.attname, text)
        return text


def fold_all(rows: models.QuerySet[Any], column: str) -> None:
    """Fill a FoldedField where it is NULL, the oldest rows first, since they lie side by side.

    In short transactions, which let other writers in between.
    """
    since: dict[str, Any] = {}
    missing = rows.filter(**{f"{column}__isnull": True}).order_by("created_at")
    while batch := _fold(missing.filter(**since)[:BATCH], column):
        since = {"created_at__gte": max(row.created_at for row in batch)}


def _fold(rows: models.QuerySet[Any], column: str) -> list[Any]:
    """Fill it in the first of these rows, and return them."""
    started = time.monotonic()
    field: Any = rows.model._meta.get_field(column)
    with transaction.atomic(using=rows.db):
        ids = list(rows.values_list("pk", flat=True))
        all_rows = rows.model._default_manager.using(rows.db)
        # Locked in the order in which the server locks them, or the two could wait for each other.
        mine = all_rows.filter(pk__in=ids).order_by("pk")
        batch = list(mine.only("pk", "created_at", *field.sources).select_for_update())
        for row in batch:
            field.pre_save(row, add=False)
        all_rows.bulk_update(batch, [column])
    if batch and connections[rows.db].vendor == "sqlite":
        # Waiting writers poll for SQLite's one lock.
        time.sleep(time.monotonic() - started)
    return batch

"""Searches by names of rooms, quick on large tables."""

import re
from typing import Any, TypeVar

from django.db import connections, models
from django.db.models.expressions import OrderBy
from django.db.models.functions import Left, StrIndex
from django.db.models.lookups import Exact, GreaterThan

from staff.large_tables import CappedPaginator
from web.folding import folded
from web.indexes import TrigramIndex

# Ids that are looked up first.
MOST = CappedPaginator.most

Row = TypeVar("Row", bound=models.Model)

TRIGRAMS = TrigramIndex("room_trigrams", "rooms_room", "folded_name")
# What PostgreSQL needs to look for a text in an index of trigrams.
THREE_LETTERS = re.compile(r"[^\W_]{3}")


def starting_with(
    rows: models.QuerySet[Row], beginning: str, *then: str, column: str = "name"
) -> models.QuerySet[Row]:
    """The rows whose `column` has this prefix, ordered by it and `then` by others.

    An index for LIKE on these columns has the first ones at once.
    """
    rows = rows.filter(begins(beginning, column, vendor=connections[rows.db].vendor))
    if connections[rows.db].vendor == "sqlite":
        return rows.order_by(column, *then)
    return rows.order_by(_AsIndexedForLike(models.F(column)), *then)


def begins(beginning: str, column: str = "name", *, vendor: str) -> models.Q:
    """The condition for a prefix of `column`, in a form that uses the index."""
    if vendor == "sqlite":
        # LIKE ignores case there, and cannot use the index.
        end = beginning + chr(0x10FFFF)
        return models.Q(**{f"{column}__gte": beginning, f"{column}__lt": end})
    return models.Q(**{f"{column}__startswith": beginning})


def containing(rows: models.QuerySet[Row], term: str, *, column: str) -> models.QuerySet[Row]:
    """The rows with `term` in this FoldedField, ignoring case and accents."""
    has_term = _has(folded(term.strip()), column)
    return found(rows, all_of(rows).filter(has_term), in_each=has_term)


def beginning_with(rows: models.QuerySet[Row], text: str, *, column: str) -> models.QuerySet[Row]:
    """The rows whose `column` begins with `text`, in the order that they have."""
    condition = begins(text, column, vendor=connections[rows.db].vendor)
    # With the other condition SQLite would read and sort all that begin so.
    in_each = Exact(Left(column, len(text)), models.Value(text))
    return found(rows, all_of(rows).filter(condition), in_each=in_each)


def found(
    rows: models.QuerySet[Row], *by_index: models.QuerySet[Row], in_each: Any
) -> models.QuerySet[Row]:
    """The rows that are in one of the querysets `by_index`, in any order and with any filter.
    `in_each` is the same as a condition for many rows, which are read one after the other.
    """
    # First the ids, without an order or a filter. With an order planners would walk the dates of
    # all rows, and with a filter read each row, which is quick only if there are many of these.
    ids: list[Any] = []
    for first in by_index:
        ids += first.values_list("pk", flat=True)[: MOST + 1]
    return rows.filter(in_each) if len(ids) > MOST else rows.filter(pk__in=ids)


def all_of(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """All rows of the model, unordered."""
    return rows.model._default_manager.using(rows.db).order_by()


def _has(term: str, column: str) -> Any:
    """A condition. With fewer than three letters it is one that cannot use the index of trigrams,
    since PostgreSQL would read all of that index and then each row.
    """
    if THREE_LETTERS.search(term):
        return models.Q(**{f"{column}__contains": term})
    return GreaterThan(StrIndex(models.F(column), models.Value(term)), 0)


class _AsIndexedForLike(OrderBy):
    """The order of PostgreSQL's indexes for LIKE: by code points."""

    # Django parses the text of an ordering for ASC or DESC.
    template = "%(expression)s USING ~<~ /* ASC */"

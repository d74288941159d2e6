"""Rows by the beginning of a room's name, as many as there may be."""

from typing import TypeVar

from django.db import connections, models
from django.db.models.expressions import OrderBy

Row = TypeVar("Row", bound=models.Model)


def starting_with(
    rows: models.QuerySet[Row], beginning: str, *then: str, column: str = "name"
) -> models.QuerySet[Row]:
    """Those of `rows` whose `column` starts so, by that column and `then` by others.

    An index for LIKE on these columns finds the first ones at once.
    """
    rows = rows.filter(begins(beginning, column, vendor=connections[rows.db].vendor))
    if connections[rows.db].vendor == "sqlite":
        return rows.order_by(column, *then)
    return rows.order_by(_AsIndexedForLike(models.F(column)), *then)


def begins(beginning: str, column: str = "name", *, vendor: str) -> models.Q:
    """The condition that `column` starts so, as an index of this database answers it."""
    if vendor == "sqlite":
        # LIKE ignores case there, and therefore the index.
        end = beginning + chr(0x10FFFF)
        return models.Q(**{f"{column}__gte": beginning, f"{column}__lt": end})
    return models.Q(**{f"{column}__startswith": beginning})


class _AsIndexedForLike(OrderBy):
    """The order of PostgreSQL's indexes for LIKE: by code points."""

    # Django takes an ordering's text apart where it finds ASC or DESC.
    template = "%(expression)s USING ~<~ /* ASC */"

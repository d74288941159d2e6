"""Rooms by the beginning of their name, as many as there may be."""

from typing import TypeVar

from django.db import connections, models
from django.db.models.expressions import OrderBy

Row = TypeVar("Row", bound=models.Model)


def starting_with(rooms: models.QuerySet[Row], beginning: str) -> models.QuerySet[Row]:
    """Those of `rooms` whose name starts so, by name: an index finds the first ones at once."""
    if connections[rooms.db].vendor == "sqlite":
        # LIKE ignores case there, and therefore the index.
        rooms = rooms.filter(name__gte=beginning, name__lt=beginning + chr(0x10FFFF))
        return rooms.order_by("name")
    rooms = rooms.filter(name__startswith=beginning)
    return rooms.order_by(_AsIndexedForLike(models.F("name")))


class _AsIndexedForLike(OrderBy):
    """The order of the index that Django makes on PostgreSQL for LIKE: by code points."""

    # Django takes an ordering's text apart where it finds ASC or DESC.
    template = "%(expression)s USING ~<~ /* ASC */"

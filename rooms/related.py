"""Rows that belong to some of the rooms, found quickly whether the rooms are few or many."""

from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from rooms.models import Room
from rooms.past_sessions import sessions_of
from staff.large_tables import CappedPaginator

Row = TypeVar("Row", bound=Model)

FEW = CappedPaginator.most


def few(values: QuerySet[Any, Any]) -> list[Any] | None:
    """All of the values; None if there are more than FEW."""
    found = list(values[: FEW + 1])
    return found if len(found) <= FEW else None


def among(rows: QuerySet[Room], rooms: QuerySet[Room]) -> QuerySet[Room]:
    """The rows that are among `rooms`."""
    if (found := few(rooms.order_by().values_list("pk", flat=True))) is not None:
        return rows.filter(pk__in=found)
    return rows.filter(Exists(rooms.order_by().filter(pk=OuterRef("pk"))))


def of_rooms(rows: QuerySet[Row], rooms: QuerySet[Room]) -> QuerySet[Row]:
    """The rows whose `room` is one of `rooms`."""
    if (found := few(rooms.order_by().values_list("pk", flat=True))) is not None:
        return rows.filter(room__in=found)
    return rows.filter(Exists(rooms.order_by().filter(pk=OuterRef("room_id"))))


def of_sessions(rows: QuerySet[Row], rooms: QuerySet[Room]) -> QuerySet[Row]:
    """The rows whose `session_id` is, or was, the session of one of `rooms`."""
    if (found := few(sessions_of(rooms).values_list("session_id", flat=True))) is not None:
        # A subquery by the index of sessions: with a search SQLite would use another index.
        mine = rows.model._default_manager.filter(session_id__in=found).order_by()
        return rows.filter(pk__in=mine.values("pk"))
    of_row = OuterRef("session_id")
    present = rooms.order_by().filter(session_id=of_row).values("pk")
    past = rooms.order_by().filter(past_sessions__session_id=of_row).values("pk")
    # Looked up for one row after the other, until there are enough. With IN, or EXISTS twice,
    # databases would first read all of the rooms.
    return rows.filter(IsNull(Coalesce(Subquery(present), Subquery(past)), False))

"""Rows that belong to some of the rooms, found quickly whether the rooms are few or many."""

from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from rooms.models import PastSession, Room
from rooms.search import all_of, found

Row = TypeVar("Row", bound=Model)


def among(rows: QuerySet[Room], rooms: QuerySet[Room]) -> QuerySet[Room]:
    """The rows that are among `rooms`."""
    rooms = rooms.order_by()
    in_each = Exists(rooms.filter(pk=OuterRef("pk")))
    return found(rows, rooms, in_each=in_each)


def of_rooms(rows: QuerySet[Row], rooms: QuerySet[Room]) -> QuerySet[Row]:
    """The rows whose `room` is one of `rooms`."""
    ids = rooms.order_by().values("pk")
    return found(rows, all_of(rows).filter(room__in=ids), in_each=is_of_room(rooms))


def is_of_room(rooms: QuerySet[Room]) -> Exists:
    """The condition that the `room` of a row is one of `rooms`, for very many rooms."""
    return Exists(rooms.order_by().filter(pk=OuterRef("room_id")))


def of_sessions(rows: QuerySet[Row], rooms: QuerySet[Room]) -> QuerySet[Row]:
    """The rows whose `session_id` is, or was, the session of one of `rooms`."""
    rooms, of_row = rooms.order_by(), OuterRef("session_id")
    present = rooms.filter(session_id=of_row).values("pk")
    past = rooms.filter(past_sessions__session_id=of_row).values("pk")
    # Not with IN, for which SQLite would first read all of the rooms, although few have any.
    of_past = PastSession.objects.filter(is_of_room(rooms)).order_by()
    # In two steps: databases do not use indexes for a union, nor for two conditions with OR.
    return found(
        rows,
        all_of(rows).filter(session_id__in=rooms.values("session_id")),
        all_of(rows).filter(session_id__in=of_past.values("session_id")),
        in_each=IsNull(Coalesce(Subquery(present), Subquery(past)), False),
    )

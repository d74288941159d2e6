"""Restricts staff with the permission `rooms.only_own_rooms` to their own rooms: those that they
own, and those whose names begin with one of their prefixes.
"""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import connections
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from access.permissions import has_own_rooms_only
from rooms import related
from rooms.models import Room
from rooms.names import composed
from rooms.search import begins
from staff.models import NamePrefix


def own_rooms(user: Any) -> QuerySet[Room]:
    rooms = Room.objects.order_by()
    vendor = connections[rooms.db].vendor
    own = Q(owner=user)
    for prefix in NamePrefix.objects.filter(user=user).values_list("prefix", flat=True):
        own |= begins(composed(prefix), vendor=vendor)
    return rooms.filter(own)


class OwnRoomsOnly(ModelAdmin):
    """Base of the admin of a model whose rows belong to a room.

    Lists, pages, actions and our own views take their rows from `get_queryset`, so that rows of
    other rooms do not exist for such staff.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        user: Any = request.user
        if not has_own_rooms_only(user):
            return rows
        return self.of_rooms(rows, own_rooms(user))

    def of_rooms(self, rows: QuerySet[Any], own: QuerySet[Room]) -> QuerySet[Any]:
        """The rows of these rooms, by the column `room` unless it is overridden."""
        return related.of_rooms(rows, own)

"""Staff with the permission `rooms.only_own_rooms` work with the rooms that they own alone."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from access.permissions import has_own_rooms_only
from rooms.models import Room


class OwnRoomsOnly(ModelAdmin):
    """Base of the admin of a model whose rows belong to a room.

    Lists, pages, actions and our own views take their rows from `get_queryset`, so that a row of
    somebody else's room is not there for such staff.
    """

    # The column that tells whose a row is, and what of a room it has.
    room_field, room_value = "room", "pk"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        user: Any = request.user
        if not has_own_rooms_only(user):
            return rows
        return self.of_rooms(rows, Room.objects.filter(owner=user).order_by())

    def of_rooms(self, rows: QuerySet[Any], own: QuerySet[Room]) -> QuerySet[Any]:
        return rows.filter(**{f"{self.room_field}__in": own.values(self.room_value)})

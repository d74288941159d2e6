"""Staff with the permission `rooms.only_own_rooms` work with the rooms that they own alone."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from rooms.models import Room


def has_own_rooms_only(user: Any) -> bool:
    """Superusers have each permission, this one as well, but work with all rooms."""
    return not user.is_superuser and user.has_perm("rooms.only_own_rooms")


class OwnRoomsOnly(ModelAdmin):
    """Base of the admin of a model whose rows belong to a room.

    Lists, pages, actions and our own views take their rows from `get_queryset`, so that a row of
    somebody else's room is not there for such staff.
    """

    room_field = "room"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        user: Any = request.user
        if not has_own_rooms_only(user):
            return rows
        return self.of_rooms(rows, Room.objects.filter(owner=user).order_by())

    def of_rooms(self, rows: QuerySet[Any], own: QuerySet[Room]) -> QuerySet[Any]:
        return rows.filter(**{f"{self.room_field}__in": own})

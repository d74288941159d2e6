"""Names that stay closed although their room was deleted: asking for one makes no room."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from audit.models import Entry
from rooms.names import MAX_LENGTH
from web.errors import Problem
from web.rows import has_row


class ClosedNameManager(models.Manager["ClosedName"]):
    """There is a room of a name or a closed name, and never both.

    So a deletion closes the name while it holds the room's row, and the maker of a room looks here
    only after inserting it: until then a deletion may be under way.
    """

    def close(self, names: Iterable[str]) -> list[ClosedName]:
        names = list(names)
        self.bulk_create([self.model(name=name) for name in names], ignore_conflicts=True)
        return list(self.filter(name__in=names).order_by("id"))

    def refuse(self, name: str) -> None:
        """Raise `room_closed` if this name is closed, the same as for a closed room."""
        if has_row(self.model, name=name):
            raise Problem("room_closed")

    def open_again(self, names: list[ClosedName]) -> None:
        """By staff, who have locked the rows."""
        for name in names:
            Entry.objects.record("name.opened", name, room=name.name)
        self.filter(pk__in=[name.pk for name in names]).delete()

    def reopen(self, name: str) -> None:
        self.filter(name=name).delete()


class ClosedName(models.Model):
    """Until staff open the name again, or make a room of this name, as a key that may manage rooms
    can do.
    """

    name = models.CharField(max_length=MAX_LENGTH, unique=True)
    closed_at = models.DateTimeField("closed", default=timezone.now, editable=False, db_index=True)

    objects = ClosedNameManager()

    class Meta:
        ordering = ["-closed_at", "-id"]

    def __str__(self) -> str:
        return self.name

"""Names of deleted rooms that stay closed: asking for one makes no room."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from audit.models import Entry
from rooms.names import MAX_LENGTH
from web.errors import Problem
from web.rows import has_row


class ClosedNameManager(models.Manager["ClosedName"]):
    """A name has a room or is closed, and never both.

    So a deletion closes the name while it locks the room, and a new room is checked here only after
    its INSERT, which waits for a deletion.
    """

    def close(self, names: Iterable[str]) -> list[ClosedName]:
        names = list(names)
        self.bulk_create([self.model(name=name) for name in names], ignore_conflicts=True)
        return list(self.filter(name__in=names).order_by("id"))

    def refuse(self, name: str) -> None:
        """Error: room_closed, as for a closed room."""
        if has_row(self.model, name=name):
            raise Problem("room_closed")

    def open_again(self, names: list[ClosedName]) -> None:
        """By staff. The caller has locked the rows."""
        for name in names:
            Entry.objects.record("name.opened", name, room=name.name)
        self.filter(pk__in=[name.pk for name in names]).delete()

    def reopen(self, name: str) -> None:
        self.filter(name=name).delete()


class ClosedName(models.Model):
    """It stays until staff open the name again, or until staff or a key with `manage` make a room
    of this name.
    """

    name = models.CharField(max_length=MAX_LENGTH, unique=True)
    closed_at = models.DateTimeField("closed", default=timezone.now, editable=False, db_index=True)

    objects = ClosedNameManager()

    class Meta:
        ordering = ["-closed_at", "-id"]

    def __str__(self) -> str:
        return self.name

"""The sessions of deleted rooms, in which people may go on recording."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from rooms.names import MAX_LENGTH


class DeletedSessionManager(models.Manager["DeletedSession"]):
    def remember(self, names: dict[str, str]) -> None:
        """`names` are those of rooms, by session id."""
        rows = [self.model(session_id=key, room_name=name) for key, name in names.items()]
        self.bulk_create(rows, ignore_conflicts=True)

    def names(self, session_ids: Iterable[str]) -> dict[str, str]:
        found = self.filter(session_id__in=set(session_ids))
        return dict(found.values_list("session_id", "room_name"))


class DeletedSession(models.Model):
    """It names the recordings of the session. It has no effect on who may see them."""

    session_id = models.CharField(max_length=255, primary_key=True)
    room_name = models.CharField(max_length=MAX_LENGTH)

    objects = DeletedSessionManager()

    def __str__(self) -> str:
        return self.session_id

"""Earlier sessions of rooms, for their recordings and for people who are still in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from video.errors import VideoError
from web.rows import has_row

if TYPE_CHECKING:
    from rooms.models import Room

SESSION_TWICE = "a new session that a room has, or had, already"


class PastSessionManager(models.Manager["PastSession"]):
    def refuse(self, session_id: str) -> None:
        """Raise `opentok_failed` for a new session that was a room's before, whose recordings it
        has.

        Asked in the transaction that has written it: until that ends, no room can give it up.
        """
        if has_row(PastSession, session_id=session_id):
            raise VideoError("opentok_failed", SESSION_TWICE)


class PastSession(models.Model):
    """A session of a room before it got a new one."""

    room = models.ForeignKey("Room", on_delete=models.CASCADE, related_name="past_sessions")
    session_id = models.CharField(max_length=255, unique=True)
    replaced_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PastSessionManager()

    class Meta:
        ordering = ["-replaced_at", "-id"]

    def __str__(self) -> str:
        return self.session_id


def sessions_of(rooms: models.QuerySet[Room]) -> models.QuerySet[Any]:
    """The ids of the present and past sessions of rooms, for a condition `session_id__in`.

    A union, because databases do not use indexes for two conditions with OR.
    """
    past = PastSession.objects.order_by().filter(room__in=rooms)
    return rooms.order_by().values("session_id").union(past.values("session_id"), all=True)

"""Whom the server has muted.

OpenTok mutes for a moment: people can unmute themselves, and it tells of neither. So this is what
was done, and not how it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from audit.actors import ActorKind, current_actor

if TYPE_CHECKING:
    from meetings.models import Stream

KEPT_FOR = timedelta(days=30)
# The `stream_id` of all streams of a session together.
ALL = ""


class MuteManager(models.Manager["Mute"]):
    def note(self, session_id: str, stream_id: str = ALL, *, spared: Iterable[str] = ()) -> None:
        """That a stream was muted just now; or all of them but the `spared`, and those to come."""
        actor = current_actor()
        told = {
            "muted_at": timezone.now(),
            "muted_by": (actor.name or ActorKind(actor.kind).label)[:200],
            "spared": list(spared),
            "ended_at": None,
        }
        self.update_or_create(session_id=session_id, stream_id=stream_id, defaults=told)

    def note_end(self, session_id: str) -> None:
        """That streams which begin from now on are not muted any more."""
        now = timezone.now()
        self.filter(session_id=session_id, stream_id=ALL, ended_at=None).update(ended_at=now)

    def of_all(self, session_id: str) -> Mute | None:
        """By which new streams are muted, if they are."""
        return self.filter(session_id=session_id, stream_id=ALL, ended_at=None).first()


class Mute(models.Model):
    """The last one of a stream, or of all streams of a session.

    One of all mutes the streams that begin later as well, until `ended_at`.
    """

    session_id = models.CharField(max_length=255)
    stream_id = models.CharField(max_length=36, blank=True)
    spared = models.JSONField(default=list)
    muted_at = models.DateTimeField(db_index=True)
    muted_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)

    objects = MuteManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session_id", "stream_id"], name="mute_of_stream")
        ]

    def __str__(self) -> str:
        return f"{self.muted_by}, {self.muted_at:%Y-%m-%d %H:%M}"

    def moment_for(self, stream_id: str, stream: Stream | None) -> datetime | None:
        """When it muted this stream, None if it did not. What callbacks have not told of may have
        begun at any time.
        """
        if self.stream_id == stream_id:
            return self.muted_at
        if self.stream_id != ALL or stream_id in self.spared:
            return None
        if stream is None:
            return None if self.ended_at else self.muted_at
        begun_late = self.ended_at and stream.started_at > self.ended_at
        return None if begun_late else max(self.muted_at, stream.started_at)

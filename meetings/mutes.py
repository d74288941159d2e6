"""Mutes by this server.

People can unmute themselves, and OpenTok reports neither. So these rows say what was done, and not
the present state.
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
        """Note that a stream was muted; or all but the `spared` ones, and all later ones."""
        actor = current_actor()
        told = {
            "muted_at": timezone.now(),
            "muted_by": (actor.name or ActorKind(actor.kind).label)[:200],
            "spared": list(spared),
            "ended_at": None,
            "end_is_due": False,
        }
        self.update_or_create(session_id=session_id, stream_id=stream_id, defaults=told)

    def note_end(self, session_id: str, *, is_due: bool = False) -> bool:
        """Note that new streams are muted no longer, and whether OpenTok has yet to be told.
        Returns whether they were muted.
        """
        running = self.filter(session_id=session_id, stream_id=ALL, ended_at=None)
        return running.update(ended_at=timezone.now(), end_is_due=is_due) > 0

    def note_end_told(self, session_id: str) -> None:
        """Note that OpenTok knows of the end."""
        due = self.filter(session_id=session_id, stream_id=ALL, end_is_due=True)
        due.update(end_is_due=False)

    def of_all(self, session_id: str) -> Mute | None:
        """The mute that applies to new streams, if there is one."""
        return self.filter(session_id=session_id, stream_id=ALL, ended_at=None).first()


class Mute(models.Model):
    """The last mute of a stream, or of all streams of a session, which also mutes streams that
    begin before `ended_at`.
    """

    session_id = models.CharField(max_length=255)
    stream_id = models.CharField(max_length=36, blank=True)
    spared = models.JSONField(default=list)
    muted_at = models.DateTimeField(db_index=True)
    muted_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)
    # OpenTok takes no end of a mute while nobody is connected.
    end_is_due = models.BooleanField(default=False, db_default=False)

    objects = MuteManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session_id", "stream_id"], name="mute_of_stream")
        ]

    def __str__(self) -> str:
        return f"{self.muted_by}, {self.muted_at:%Y-%m-%d %H:%M}"

    def moment_for(self, stream_id: str, stream: Stream | None) -> datetime | None:
        """When it muted a stream, None if it did not. `stream` is None if no callback told of it,
        so that its start is unknown.
        """
        if self.stream_id == stream_id:
            return self.muted_at
        if self.stream_id != ALL or stream_id in self.spared:
            return None
        if stream is None:
            return None if self.ended_at else self.muted_at
        begun_late = self.ended_at and stream.started_at > self.ended_at
        return None if begun_late else max(self.muted_at, stream.started_at)

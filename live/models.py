from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from live.managers import ActivityManager
from rooms.models import Room
from rooms.names import MAX_LENGTH
from video import values
from video.answers import Remote

# Fields with columns, and secrets: streamName is the key to an RTMP server.
NOT_IN_DETAILS = {"id", "captionId", "sessionId", "connectionId", "streamId", "status", "reason",
                  "createdAt", "updatedAt", "projectId", "partnerId", "applicationId", "event",
                  "streamName", "token", "password", "auth", "headers"}  # fmt: skip
OVER = {"stopped", "failed", "ended"}


class Kind(models.TextChoices):
    BROADCAST = "broadcast"
    CAPTIONS = "captions"
    RENDER = "render"
    CALL = "call"
    AUDIO_CONNECTOR = "audio_connector", "Audio connector"


class Activity(models.Model):
    """An activity in a room's session other than a recording, as OpenTok last reported it."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="OpenTok's.")
    kind = models.CharField(max_length=20, choices=Kind)
    room = models.ForeignKey(
        Room, null=True, blank=True, on_delete=models.SET_NULL, related_name="activities"
    )
    room_name = models.CharField("name of the room", max_length=MAX_LENGTH, blank=True)
    session_id = models.CharField(max_length=255)
    connection_id = models.CharField(max_length=36, blank=True)
    stream_id = models.CharField(max_length=36, blank=True)
    status = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField("started", default=timezone.now)
    updated_at = models.DateTimeField("updated", default=timezone.now)
    ends_at = models.DateTimeField(
        "ends", help_text="It is stopped then, if nothing has stopped it before."
    )
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    details = models.JSONField(default=dict, help_text="The rest of what OpenTok says about it.")

    objects = ActivityManager()

    # OpenTok's object, if it was just asked.
    answer: Remote | None = None

    class Meta:
        verbose_name_plural = "activities"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="activity_created"),
            models.Index(fields=["kind", "created_at", "id"], name="activity_kind_created"),
            models.Index(fields=["room_name", "created_at", "id"], name="activity_room_created"),
            models.Index(
                fields=["session_id", "kind"],
                condition=models.Q(ended_at__isnull=True),
                name="activity_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} in {self.room_name or self.session_id}"

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    def take_over(self, remote: Remote) -> bool:
        """Take news from OpenTok's object, without saving. Returns whether there were any.

        Late news, and news about an activity that has ended, are ignored.
        """
        status = values.text(remote.get("status"))[:20] or self.status
        moment = values.moment(remote.get("updatedAt"))
        is_late = moment is not None and moment < self.updated_at and not self._state.adding
        if not self.is_running or (is_late and status not in OVER):
            return False
        before = (self.status, self.stream_id, self.connection_id, self.details)
        self.status = status
        self.reason = values.text(remote.get("reason")) or self.reason
        self.stream_id = values.text(remote.get("streamId"))[:36] or self.stream_id
        self.connection_id = values.text(remote.get("connectionId"))[:36] or self.connection_id
        self.details = self.details | _storable(remote)
        self.updated_at = moment or timezone.now()
        if status in OVER:
            self.ended_at = self.updated_at
        return before != (self.status, self.stream_id, self.connection_id, self.details)

    def end(self, *, status: str = "stopped") -> None:
        """End it, without saving."""
        if self.is_running:
            self.status, self.ended_at = status, timezone.now()
            self.updated_at = max(self.updated_at, self.ended_at)


def _storable(value: Any) -> Any:
    """`value` without the members in NOT_IN_DETAILS, at any depth, and without the query of a URL,
    which may be secret.
    """
    if isinstance(value, dict):
        kept = {key: _storable(held) for key, held in value.items() if key not in NOT_IN_DETAILS}
        if isinstance(kept.get("url"), str):
            kept["url"] = kept["url"].partition("?")[0]
        return kept
    return [_storable(held) for held in value] if isinstance(value, list) else value

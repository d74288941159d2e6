"""Meetings: who was connected to a session, and what they published, by OpenTok's callbacks."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from meetings.mutes import Mute as Mute  # a model of this app
from video import values

MAX_ID = 36  # a UUID
MAX_NAME = 200
MAX_REASON = 40
MAX_KIND = 20
MAX_DATA = 1000  # OpenTok's limit, in bytes


class Meeting(models.Model):
    """It lasts from the first client who connects to a session to the last who leaves."""

    session_id = models.CharField(max_length=255)
    room_name = models.CharField("name of the room", max_length=MAX_NAME, blank=True)
    started_at = models.DateTimeField("started")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    # The start for the limit of its length; a late callback can move `started_at`.
    limited_from = models.DateTimeField(null=True, editable=False)
    # Set at the end, because the connections are deleted after ATTENDANCE_DAYS.
    people = models.IntegerField(default=0)
    person_seconds = models.IntegerField(
        default=0, help_text="Of all people together; an hour of three people is 10,800."
    )
    # The last warning that was sent, in seconds before the end.
    warned = models.IntegerField(null=True, editable=False)

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["started_at", "id"], name="meeting_started"),
            models.Index(fields=["room_name", "started_at", "id"], name="meeting_room_started"),
            models.Index(fields=["session_id", "started_at"], name="meeting_session_started"),
            models.Index(
                fields=["started_at", "id"],
                condition=models.Q(ended_at__isnull=True),
                name="meeting_running",
            ),
            # All columns that meetings/use.py adds up.
            models.Index(fields=["started_at", "people", "person_seconds"], name="meeting_use"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["session_id"],
                condition=models.Q(ended_at__isnull=True),
                name="meeting_one_now",
            )
        ]

    def __str__(self) -> str:
        started_at = timezone.localtime(self.started_at)
        return f"{self.room_name or self.session_id}, {started_at:%Y-%m-%d %H:%M}"


class Connection(models.Model):
    """A client of a meeting. `data` is the connection data of the token: personal data."""

    # OpenTok's own.
    id = models.CharField(max_length=MAX_ID, primary_key=True, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="connections")
    data = models.TextField(blank=True)
    connected_at = models.DateTimeField("connected")
    left_at = models.DateTimeField("left", null=True, blank=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True, help_text="Why they left.")

    class Meta:
        ordering = ["connected_at", "id"]
        # For ops/person_page.py; it includes people in the audit log and in events.
        permissions = [("forget_person", "Can export and forget what is held of people")]

    def __str__(self) -> str:
        return self.name or self.pk

    @property
    def name(self) -> str:
        """The name in the data, or else of a stream; empty without either."""
        told = name_in(self.data)
        return told or next((stream.name for stream in self.streams.all() if stream.name), "")


class Stream(models.Model):
    """What a client publishes: a camera, a screen, or only sound."""

    id = models.CharField(max_length=MAX_ID, primary_key=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="streams")
    name = models.CharField(max_length=MAX_NAME, blank=True)
    # OpenTok's `videoType`: camera, screen or custom; empty for only sound.
    kind = models.CharField(max_length=MAX_KIND, blank=True)
    started_at = models.DateTimeField("started")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True, help_text="Why it ended.")

    class Meta:
        ordering = ["started_at", "id"]

    def __str__(self) -> str:
        return self.name or self.pk


def name_in(data: str) -> str:
    """`name` in connection data that is a JSON object; empty without one."""
    return values.text(values.json_object(data).get("name")).strip()[:MAX_NAME]


def person_in(data: str) -> str:
    """`identity` in connection data that is a JSON object; empty without one."""
    return values.text(values.json_object(data).get("identity"))


def identity_of(data: str) -> str:
    """The identity for bans: `identity` in data that is a JSON object, else all of the data."""
    return person_in(data) or data

"""Who was connected to a session, and what they published, as OpenTok tells it."""

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
    """From the first who connects to a session to the last who leaves it."""

    session_id = models.CharField(max_length=255)
    room_name = models.CharField("name of the room", max_length=MAX_NAME, blank=True)
    started_at = models.DateTimeField("started")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    # What the limit of its length counts from. A callback that comes late can move the start.
    limited_from = models.DateTimeField(null=True, editable=False)
    # Of a meeting that is over; what they count is deleted after ATTENDANCE_DAYS.
    people = models.IntegerField(default=0)
    person_seconds = models.IntegerField(
        default=0, help_text="Of all people together; an hour of three people is 10,800."
    )
    # The last warning that the end is near, in seconds before it.
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
            # All that meetings/use.py adds up.
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
    """A client of a meeting. `data` is what the token told of them: personal data."""

    # OpenTok's own.
    id = models.CharField(max_length=MAX_ID, primary_key=True, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="connections")
    data = models.TextField(blank=True)
    connected_at = models.DateTimeField("connected")
    left_at = models.DateTimeField("left", null=True, blank=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True, help_text="Why they left.")

    class Meta:
        ordering = ["connected_at", "id"]
        # Of staff: ops/person_page.py. It takes in what the audit log and webhooks have of people.
        permissions = [("forget_person", "Can export and forget what is held of people")]

    def __str__(self) -> str:
        return self.name or self.pk

    @property
    def name(self) -> str:
        """As the data or, without one there, a stream of theirs says it; empty if none does."""
        told = name_in(self.data)
        return told or next((stream.name for stream in self.streams.all() if stream.name), "")


class Stream(models.Model):
    """What a client publishes or published: a camera, a screen, or sound alone."""

    id = models.CharField(max_length=MAX_ID, primary_key=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="streams")
    name = models.CharField(max_length=MAX_NAME, blank=True)
    # OpenTok's `videoType`: camera, screen, custom; absent for sound alone.
    kind = models.CharField(max_length=MAX_KIND, blank=True)
    started_at = models.DateTimeField("started")
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True, help_text="Why it ended.")

    class Meta:
        ordering = ["started_at", "id"]

    def __str__(self) -> str:
        return self.name or self.pk


def name_in(data: str) -> str:
    """`name` in data that is a JSON object; empty if there is none."""
    return values.text(values.json_object(data).get("name")).strip()[:MAX_NAME]


def identity_of(data: str) -> str:
    """Who it is, for bans: `identity` in data that is a JSON object, else all of the data."""
    told = values.json_object(data).get("identity")
    return told if isinstance(told, str) and told else data

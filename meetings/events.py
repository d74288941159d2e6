"""Events for webhooks about meetings and people."""

from __future__ import annotations

from typing import Any

from meetings.models import Connection, Meeting
from meetings.presence import NO_PERSON
from webhooks import events


def meeting_started(meeting: Meeting) -> None:
    events.record(
        "meeting.started",
        room=meeting.room_name,
        meeting=meeting.pk,
        startedAt=meeting.started_at,
    )


def meeting_ended(meeting_id: int) -> None:
    if events.are_wanted():
        meeting = Meeting.objects.get(pk=meeting_id)
        events.record(
            "meeting.ended",
            room=meeting.room_name,
            meeting=meeting.pk,
            startedAt=meeting.started_at,
            endedAt=meeting.ended_at,
            people=meeting.people,
        )


def joined(connection: Connection, room: str) -> None:
    _tell_of("participant.joined", connection, room)


def left(connection: Connection, room: str) -> None:
    gone = {"leftAt": connection.left_at, "reason": connection.reason}
    _tell_of("participant.left", connection, room, **gone)


def _tell_of(event: str, connection: Connection, room: str, **more: Any) -> None:
    """Record it, unless the client is a rendered page or a bot."""
    if events.are_wanted() and connection.data not in NO_PERSON:
        events.record(
            event,
            room=room,
            meeting=connection.meeting_id,
            connection=connection.pk,
            name=connection.name,
            joinedAt=connection.connected_at,
            **more,
        )

"""Who is in a session now, as far as callbacks have told."""

from typing import Any

from django.db import models

from meetings.models import Connection, Meeting

# What clients are that are not people, by their connection data.
NO_PERSON = {"render": "A rendered page", "audio_connector": "An audio connector"}


def present(session_id: str | models.OuterRef) -> models.QuerySet[Connection]:
    """All clients, in the order in which they came."""
    return Connection.objects.filter(
        meeting__session_id=session_id, meeting__ended_at=None, left_at=None
    )


def people_of(meetings: Any) -> models.QuerySet[Connection]:
    """The people in these meetings, unordered."""
    there = Connection.objects.filter(meeting__in=meetings, left_at=None)
    return there.exclude(data__in=NO_PERSON).order_by()


def people(session_id: str | models.OuterRef) -> models.QuerySet[Connection]:
    return present(session_id).exclude(data__in=NO_PERSON)


def there_are(count: int) -> str:
    """A sentence about how many people are in a room."""
    people = "1 person is" if count == 1 else f"{count or 'no'} people are"
    return f"As far as OpenTok has reported, {people} there now."


def running_meeting(session_id: str) -> Meeting | None:
    return Meeting.objects.filter(session_id=session_id, ended_at=None).first()

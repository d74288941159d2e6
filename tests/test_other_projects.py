"""What ran in sessions of an earlier OpenTok project, after the project has changed."""

import base64
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from archives.models import Archive
from archives.states import Status
from live.deadlines import meet_deadlines
from live.models import Activity
from live.recording import keep_recordings
from meetings.models import Connection, Meeting
from ops.worker import tidy
from rooms.models import Room
from video import archives as door

pytestmark = pytest.mark.django_db(transaction=True)

# Which says that its project is 999.
SESSION = "1_" + base64.urlsafe_b64encode(b"1~999~~1~abc~").decode().rstrip("=")


def ago(**span):
    return timezone.now() - timedelta(**span)


@pytest.fixture
def room(opentok):
    return Room.objects.create(name="standup", session_id=SESSION, record_meetings=True)


def meeting(room, **span):
    found = Meeting.objects.create(session_id=SESSION, started_at=ago(**span), room_name=room.name)
    Connection.objects.create(
        pk=str(uuid.uuid4()), meeting=found, connected_at=ago(**span), data="{}"
    )
    return found


def recording(room, **span):
    return Archive.objects.create(
        id=uuid.uuid4(), session_id=SESSION, status="started", room=room, created_at=ago(**span)
    )


def call(**span):
    return Activity.objects.create(
        id=uuid.uuid4(), kind="call", session_id=SESSION, status="started", created_at=ago(days=9),
        ends_at=ago(**span), connection_id=str(uuid.uuid4()),
    )  # fmt: skip


def test_a_meeting_ends_now(room):
    found = meeting(room, hours=2)
    tidy()
    found.refresh_from_db()
    assert found.ended_at > ago(minutes=1)
    assert (found.people, found.person_seconds // 60) == (1, 120)


def test_who_was_in_an_old_meeting_is_forgotten(room):
    found = meeting(room, days=400)
    tidy()
    found.refresh_from_db()
    assert found.ended_at - found.started_at == timedelta(days=1)
    assert not Connection.objects.exists()


def test_a_call_ends_once_it_is_overdue(room, caplog):
    overdue, other = call(days=1), call(days=-1)
    meet_deadlines()
    assert "session_invalid" not in caplog.text
    tidy()
    overdue.refresh_from_db()
    other.refresh_from_db()
    assert (overdue.status, overdue.is_running, other.is_running) == ("stopped", False, True)


def test_a_recording_is_given_up_once_no_file_can_be_left(room, monkeypatch):
    asked = []
    for name in ("stop_archive", "get_archive"):
        monkeypatch.setattr(door, name, asked.append)
    old, new = recording(room, days=5), recording(room, days=1)
    keep_recordings()
    tidy()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == (Status.FAILED, Status.STARTED)
    assert "another OpenTok project" in old.reason
    assert asked == []

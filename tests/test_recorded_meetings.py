"""Rooms that record every meeting: by callbacks, and by housekeeping where these are lost."""

import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from archives.models import Archive
from live import recording
from live.recording import keep_recordings
from meetings.models import Connection, Meeting
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import Server
from tests.test_api_meetings import connect, eventually, monitor

MINUTES = timedelta(minutes=1)


@pytest.fixture
def program(server):
    return Program(server, can="manage,moderate")


@pytest.fixture
def quiet(program, opentok):
    """A room that is to be recorded, of which no callback tells."""
    program.post("rooms", name="standup", recordMeetings=True)
    return Room.objects.get()


@pytest.fixture
def room(quiet, server, opentok):
    monitor(opentok, f"{server.url}/callbacks")
    return quiet


def recordings(opentok):
    """The statuses at OpenTok, the newest first."""
    listed = opentok.call("GET", opentok.archives_path).json()
    return [each["status"] for each in listed["items"]]


def newest():
    return Archive.objects.order_by("-created_at", "-pk").first()


def made_earlier(span):
    """Have the recordings, and the meeting, begin so much earlier."""
    for archive in Archive.objects.all():
        moved = {"created_at": archive.created_at - span}
        if archive.updated_at:
            moved["updated_at"] = archive.updated_at - span
        Archive.objects.filter(pk=archive.pk).update(**moved)
    for meeting in Meeting.objects.all():
        started_at = meeting.started_at - span
        Meeting.objects.filter(pk=meeting.pk).update(started_at=started_at)


def hidden_from_callbacks(opentok):
    """As if they were lost from now on."""
    monitor(opentok, "http://127.0.0.1:9/callbacks")


def test_each_recording_without_a_file_is_asked_about_in_its_turn(db, monkeypatch):
    asked = set()
    monkeypatch.setattr(recording, "MAX_QUESTIONS", 2)
    monkeypatch.setattr(recording, "_ask_about", lambda archive: asked.add(archive.pk))
    for hours in (1, 2, 3):
        created_at = timezone.now() - timedelta(hours=hours)
        Archive.objects.create(
            id=uuid.uuid4(), session_id="1_x", status="stopped", created_at=created_at
        )
    for _ in range(60):  # by chance one is left out of all once in 10**10 times
        recording.ask_about_recordings()
    assert len(asked) == 3


# The policy


def test_the_policy_is_set_and_reset_over_the_api(program):
    assert program.post("rooms", name="a", recordMeetings=True).json()["recordMeetings"] is True
    assert program.patch("rooms/a", recordMeetings=False).json()["recordMeetings"] is False
    assert refusal(program.patch("rooms/a", recordMeetings=None)) == (400, "invalid")


def test_consent_is_still_asked_for_where_the_room_asks_for_it(program, server, quiet):
    program.patch("rooms/standup", recordingConsent=True)
    assert refusal(server.get("/room/standup")) == (403, "consent_required")
    agreed = server.get("/room/standup", headers={"X-Recording-Consent": "yes"})
    assert agreed.status_code == 200


# By callbacks


def test_the_first_who_connects_starts_one_recording_under_the_rooms_name(room, opentok):
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: connect(opentok, room), range(4)))
    eventually(lambda: Archive.objects.count(), 1)
    eventually(lambda: Connection.objects.count(), 4)
    keep_recordings()
    assert recordings(opentok) in (["started"], ["paused"])
    assert newest().room_name == "standup"


def test_a_room_without_the_policy_is_not_recorded(room, program, opentok):
    program.patch("rooms/standup", recordMeetings=False)
    connect(opentok, room)
    eventually(lambda: Meeting.objects.count(), 1)
    keep_recordings()
    assert recordings(opentok) == []


def test_pages_alone_are_not_recorded(room, opentok):
    connect(opentok, room, "render")
    eventually(lambda: Meeting.objects.count(), 1)
    keep_recordings()
    assert recordings(opentok) == []


def test_an_encrypted_room_is_left_alone(program, server, opentok):
    monitor(opentok, f"{server.url}/callbacks")
    program.post("rooms", name="secret", recordMeetings=True, e2ee=True)
    connect(opentok, Room.objects.get())
    eventually(lambda: Meeting.objects.count(), 1)
    keep_recordings()
    assert not [each for each in opentok.requests() if each["path"].endswith("/archive")]


def test_a_recording_that_others_have_started_is_enough(quiet, opentok):
    """Of which this server has not heard."""
    connect(opentok, quiet)
    body = {"sessionId": quiet.session_id}
    assert opentok.call("POST", opentok.archives_path, json=body).status_code == 200
    call_command("housekeeping")
    assert len(recordings(opentok)) == 1
    assert Archive.objects.count() == 1


# By housekeeping


def test_without_a_callback_housekeeping_starts_the_recording(quiet, opentok):
    connect(opentok, quiet)
    call_command("housekeeping")
    assert len(recordings(opentok)) == 1
    call_command("housekeeping")
    assert len(recordings(opentok)) == 1


@pytest.mark.parametrize("secret", ["", "of archives alone"])
def test_where_no_callbacks_of_sessions_come_a_meeting_is_found_in_seconds(
    quiet, opentok, settings, secret
):
    meeting = Meeting.objects.create(session_id="1_x", started_at=timezone.now())
    there = meeting.connections.create(pk=str(uuid.uuid4()), connected_at=meeting.started_at)
    there.streams.create(
        pk=str(uuid.uuid4()), started_at=meeting.started_at
    )  # as callbacks have told
    connect(opentok, quiet)
    keep_recordings()
    assert recordings(opentok) == []
    settings.CALLBACK_SECRET = secret
    meeting.delete()
    keep_recordings()
    assert len(recordings(opentok)) == 1


def test_processes_that_start_it_at_once_make_one_recording(quiet, opentok):
    connect(opentok, quiet)
    environment = Server(OPENTOK_API_URL=opentok.url).environment
    command = [sys.executable, "manage.py", "housekeeping"]
    processes = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert len(recordings(opentok)) == 1


def test_a_recording_stops_when_the_room_has_been_empty_for_a_minute(room, opentok):
    person = connect(opentok, room)
    eventually(lambda: Archive.objects.count(), 1)
    opentok.disconnect(room.session_id, person)
    eventually(lambda: Meeting.objects.filter(ended_at=None).count(), 0)
    hidden_from_callbacks(opentok)
    keep_recordings()
    assert newest().status in {"started", "paused"}
    Meeting.objects.update(ended_at=timezone.now() - MINUTES)
    keep_recordings()
    assert newest().status == "stopped"
    assert recordings(opentok) == ["stopped"]


def test_a_recording_of_the_longest_length_is_followed_by_another(room, opentok, settings):
    settings.MAX_RECORDING_MINUTES = 30
    opentok.publish(room.session_id, connect(opentok, room))
    eventually(lambda: Archive.objects.count(), 1)
    hidden_from_callbacks(opentok)
    made_earlier(29 * MINUTES)
    keep_recordings()
    assert len(recordings(opentok)) == 1
    made_earlier(2 * MINUTES)
    keep_recordings()
    assert recordings(opentok) == ["started", "stopped"]
    keep_recordings()
    assert recordings(opentok) == ["started", "stopped"]


def test_after_the_longest_length_recording_goes_on_once_somebody_publishes(
    room, program, opentok, settings
):
    settings.MAX_RECORDING_MINUTES = 30
    person = connect(opentok, room)
    stream = opentok.publish(room.session_id, person)
    eventually(lambda: Archive.objects.count(), 1)
    hidden_from_callbacks(opentok)
    opentok.advance(10)
    opentok.unpublish(room.session_id, stream)
    made_earlier(31 * MINUTES)
    keep_recordings()
    opentok.advance(10)
    program.get(f"archives/{newest().pk}")  # whose length is that of what was published
    keep_recordings()
    assert recordings(opentok) == ["available"]
    opentok.publish(room.session_id, person)
    keep_recordings()
    assert recordings(opentok) == ["started", "available"]


def test_after_an_end_of_opentoks_recording_goes_on_once_somebody_publishes(room, opentok):
    person = connect(opentok, room)
    eventually(lambda: Archive.objects.count(), 1)
    opentok.advance(61)  # nobody publishes
    eventually(lambda: newest().status, "stopped")
    made_earlier(2 * MINUTES)
    keep_recordings()
    assert len(recordings(opentok)) == 1
    opentok.publish(room.session_id, person)
    keep_recordings()
    assert recordings(opentok)[0] == "started"
    assert len(recordings(opentok)) == 2


def test_a_recording_that_was_stopped_by_hand_stays_so_until_the_next_meeting(
    room, program, opentok
):
    person = connect(opentok, room)
    opentok.publish(room.session_id, person)
    eventually(lambda: Archive.objects.count(), 1)
    program.call("POST", f"archives/{newest().pk}/stop")
    opentok.advance(10)
    program.get(f"archives/{newest().pk}")
    assert newest().status == "available"
    made_earlier(2 * MINUTES)
    keep_recordings()
    assert len(recordings(opentok)) == 1
    opentok.disconnect(room.session_id, person)
    eventually(lambda: Meeting.objects.filter(ended_at=None).count(), 0)
    connect(opentok, room)
    eventually(lambda: Archive.objects.count(), 2)


def test_a_recording_that_failed_just_now_is_not_started_over_and_over(room, opentok):
    opentok.publish(room.session_id, connect(opentok, room))
    eventually(lambda: Archive.objects.count(), 1)
    opentok.control("POST", f"/archives/{newest().pk}/fail")
    eventually(lambda: newest().status, "failed")
    keep_recordings()
    assert len(recordings(opentok)) == 1
    made_earlier(2 * MINUTES)
    keep_recordings()
    assert len(recordings(opentok)) == 2


def test_an_opentok_that_fails_is_logged_and_tried_again(quiet, opentok, caplog):
    connect(opentok, quiet)
    recording.find_meetings(used_within=MINUTES)
    opentok.fault(status=500, path="/archive")
    keep_recordings()
    assert "Could not record a meeting: opentok_failed" in caplog.text
    opentok.control("DELETE", "/faults")
    keep_recordings()
    assert len(recordings(opentok)) == 1


# What callbacks did not tell


@pytest.mark.parametrize("ending", ["stop", "DELETE"])
def test_housekeeping_asks_about_recordings_of_which_no_callback_came(quiet, opentok, ending):
    Room.objects.update(record_meetings=False)
    person = connect(opentok, quiet)
    opentok.publish(quiet.session_id, person)
    archive = Archive.objects.start(quiet.session_id)
    path = f"{opentok.archives_path}/{archive['id']}"
    opentok.call("POST", f"{path}/stop")
    opentok.advance(60)
    if ending == "DELETE":
        opentok.call("DELETE", path)
    call_command("housekeeping")
    assert newest().status == "started"  # callbacks may be on their way
    made_earlier(11 * MINUTES)
    call_command("housekeeping")
    assert newest().status == ("available" if ending == "stop" else "deleted")


def test_a_recording_in_a_dead_end_is_not_asked_about_for_ever(quiet, opentok):
    opentok.publish(quiet.session_id, connect(opentok, quiet))
    Archive.objects.start(quiet.session_id)
    made_earlier(timedelta(days=5))
    recording.ask_about_recordings()
    assert opentok.requests()[-1]["method"] == "POST"

"""What the server keeps about recordings, so that staff can look for them."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from archives.models import Archive
from rooms.models import Room
from tests.problems import raises
from video import values

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(opentok):
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    return room


def remote(**fields):
    """What OpenTok might say about an archive."""
    return {
        "id": str(uuid.uuid4()), "sessionId": "1_x", "status": "started",
        "createdAt": 1727870434974, "updatedAt": 1727870434977,
    } | fields  # fmt: skip


def test_a_recording_is_named_after_its_room_and_recorded(room):
    started = Archive.objects.start(room.session_id)
    row = Archive.objects.get()
    assert started["name"] == "standup"
    assert (str(row.id), row.room, row.status) == (started["id"], room, "started")
    assert row.created_at.timestamp() == started["createdAt"] / 1000


def test_it_is_named_after_the_room_that_has_moved_to_a_newer_session(room, opentok):
    past = room.session_id
    room.rotate_session()
    assert Archive.objects.start(past)["name"] == "standup"
    assert Archive.objects.get().room == room


def test_a_session_of_no_room_is_recorded_without_a_name(room, opentok):
    past = room.session_id
    Room.objects.all().delete()
    assert Archive.objects.start(past)["name"] in {"", None}
    assert Archive.objects.get().room is None


def test_a_refused_start_records_nothing(opentok):
    room = Room.objects.open("empty")
    with raises("nobody_connected"):
        Archive.objects.start(room.session_id)
    assert not Archive.objects.exists()


def test_the_catalogue_follows_a_recording_to_its_end(room, opentok):
    started = Archive.objects.start(room.session_id)
    opentok.advance(30)
    Archive.objects.stop(started["id"])
    assert Archive.objects.get().status == "stopped"
    opentok.advance(60)
    fetched = Archive.objects.fetch(started["id"])
    row = Archive.objects.get()
    assert (row.status, row.size) == ("available", fetched["size"])
    assert row.duration == 30
    assert row.reason == "user initiated"
    opentok.advance(73 * 3600)
    Archive.objects.fetch_list()
    assert Archive.objects.get().status == "expired"


def test_a_download_link_is_never_stored(room, opentok):
    started = Archive.objects.start(room.session_id)
    Archive.objects.stop(started["id"])
    opentok.advance(60)
    link = Archive.objects.fetch(started["id"])["url"]
    row = Archive.objects.values().get()
    assert link.startswith("http")
    assert link not in json.dumps(row, default=str)
    assert "url" not in row["details"]
    assert row["details"]["outputMode"] == "composed"


def test_a_recording_that_is_gone_at_opentok_is_marked_as_deleted(room, opentok):
    started = Archive.objects.start(room.session_id)
    opentok.fault(status=404, body={"message": "Archive not found"})
    with raises("archive_deleted"):
        Archive.objects.fetch(started["id"])
    assert Archive.objects.get().status == "deleted"


def test_listing_records_what_others_have_started(room, opentok):
    started = Archive.objects.start(room.session_id)
    Archive.objects.all().delete()
    Archive.objects.fetch_list()
    assert str(Archive.objects.get().id) == started["id"]
    assert Archive.objects.get().room == room


@pytest.mark.parametrize(
    ("known", "late"),
    [
        ({"status": "stopped"}, {"status": "started", "updatedAt": 1727870434000}),
        ({"status": "available", "size": 5}, {"status": "stopped"}),
        ({"status": "uploaded"}, {"status": "stopped"}),
        ({"status": "expired"}, {"status": "available"}),
        ({"status": "paused"}, {"status": "started", "updatedAt": 1727870434000}),
    ],
)
def test_news_that_comes_late_changes_nothing(known, late):
    said = remote(**known)
    Archive.objects.record([said])
    Archive.objects.record([said | late])
    assert Archive.objects.get().status == known["status"]


def test_of_started_and_paused_the_later_one_counts():
    said = remote(status="paused")
    Archive.objects.record([said])
    Archive.objects.record([said | {"status": "started", "updatedAt": said["updatedAt"] + 1}])
    assert Archive.objects.get().status == "started"


def test_the_same_news_is_written_once(django_assert_num_queries):
    said = remote()
    Archive.objects.record([said])
    with django_assert_num_queries(1):
        Archive.objects.record([said])


def test_a_recording_is_stopped_and_noted_by_few_statements(room, django_assert_max_num_queries):
    started = Archive.objects.start(room.session_id)
    with django_assert_max_num_queries(8):
        Archive.objects.stop(started["id"])


def test_old_recordings_that_are_new_to_this_server_are_no_events(monkeypatch):
    events = []
    monkeypatch.setattr("webhooks.events.record", lambda event, **data: events.append(event))
    old = remote(status="expired")
    hours = timezone.now() - timedelta(hours=95)
    recent = remote(status="available", createdAt=values.milliseconds(hours))
    Archive.objects.record([old, recent])
    assert events == ["recording.available"]
    Archive.objects.record([old | {"status": "deleted"}])
    assert events == ["recording.available", "recording.deleted"]


def test_a_thousand_recordings_are_recorded_together():
    Archive.objects.record([remote() for _ in range(1000)])
    assert Archive.objects.count() == 1000


@pytest.mark.parametrize(
    "strange",
    [
        {"createdAt": None, "updatedAt": "yesterday"},
        {"createdAt": 10**30, "updatedAt": -1},
        {"duration": 10**30, "size": -5},
        {"duration": "long", "size": None},
        {"name": 5, "reason": ["x"]},
        {"status": "a status that OpenTok has yet to think of"},
        {"sessionId": "1_" + "x" * 1000},
        {"streams": [{"deep": [1, 2.5, None]}]},
    ],
)
def test_whatever_opentok_says_can_be_recorded(strange):
    Archive.objects.record([remote(**strange)])
    assert Archive.objects.count() == 1


def test_a_recording_outlives_its_room(room):
    Archive.objects.start(room.session_id)
    room.delete()
    assert Archive.objects.get().room is None


def test_the_link_of_a_transcription_is_not_stored_either():
    said = remote(
        transcription={"status": "available", "url": "https://signed", "hasSummary": False}
    )
    Archive.objects.record([said])
    assert Archive.objects.get().details == {
        "transcription": {"status": "available", "hasSummary": False}
    }


def test_a_recording_of_another_project_is_not_taken_for_deleted(opentok):
    foreign = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"
    said = remote(sessionId=foreign)
    Archive.objects.record([said])
    with raises("archive_not_found"):
        Archive.objects.fetch(said["id"])
    assert Archive.objects.get().status == "started"


def test_what_opentok_speaks_of_is_not_deleted_any_more(room, opentok):
    started = Archive.objects.start(room.session_id)
    opentok.fault(status=404, times=1)
    with raises("archive_deleted"):
        Archive.objects.fetch(started["id"])
    Archive.objects.fetch(started["id"])
    assert Archive.objects.get().status == "started"

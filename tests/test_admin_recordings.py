"""What staff see on the page of a recording, and do with several of them."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from archives.models import Archive
from meetings.models import Connection, Meeting, Stream
from rooms.models import Room
from tests.test_admin_actions import ARCHIVES, staff

pytestmark = pytest.mark.django_db

SESSION = "1_a"


def made(minutes_ago=60, **fields):
    """A recording of a minute, which started so long ago."""
    created_at = timezone.now() - timedelta(minutes=minutes_ago)
    common = {"id": uuid.uuid4(), "session_id": SESSION, "room_name": "standup", "name": "standup",
              "status": "available", "duration": 60, "created_at": created_at,
              "updated_at": created_at + timedelta(minutes=2)}  # fmt: skip
    return Archive.objects.create(**common | fields)


def was_there(name, came, left=None, *, data=None, session=SESSION):
    """Somebody who came and left so many minutes ago."""
    now = timezone.now()
    gone = now - timedelta(minutes=left) if left is not None else None
    meeting, _ = Meeting.objects.get_or_create(
        session_id=session, ended_at=None, defaults={"started_at": now - timedelta(minutes=120)}
    )
    data = f'{{"name": "{name}"}}' if data is None else data
    return Connection.objects.create(
        id=str(uuid.uuid4()), meeting=meeting, data=data, left_at=gone,
        connected_at=now - timedelta(minutes=came),
    )  # fmt: skip


def page(client, row):
    response = client.get(f"{ARCHIVES}{row.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def choose(client, name, rows, **more):
    chosen = {"action": name, "_selected_action": [row.pk for row in rows]}
    return client.post(ARCHIVES, chosen | more, follow=True).content.decode()


# The page


def test_the_page_has_the_whole_id_and_says_when_the_file_is_gone(admin_client):
    row = made()
    text = page(admin_client, row)
    assert f'<code class="whole">{row.pk}</code>' in text
    assert "gone in 2\xa0days, 23\xa0hours" in text
    assert "keeps files for 72 hours" in text
    assert 'href="/readme/docs/operations.md#recordings-that-last"' in text
    assert ">Open the file</a>" in text
    assert "save it from the player’s menu" in text
    assert ">Download</a>" not in text
    assert f"<h2>standup, {timezone.localtime(row.created_at):%Y-%m-%d %H:%M}</h2>" in text


def test_a_running_recording_says_how_long_it_has_been(admin_client):
    row = made(minutes_ago=3, status="started", duration=0)
    assert "3:0" in page(admin_client, row)
    assert "so far" in page(admin_client, row)
    assert "gone in" not in page(admin_client, row)


@pytest.mark.parametrize(
    ("status", "words"),
    [("started", "made once the recording has ended"), ("stopped", "being made by OpenTok"),
     ("uploaded", "in the storage that is set at OpenTok"), ("failed", "none, as the recording"),
     ("expired", "gone: OpenTok kept it for 72 hours"), ("deleted", "gone: it was deleted")],
)  # fmt: skip
def test_the_page_of_a_recording_without_a_file_says_why(admin_client, status, words):
    text = page(admin_client, made(status=status))
    assert words in text
    assert ("/act/revoke_shares/" in text) == (status not in {"failed", "expired", "deleted"})


def test_a_file_that_must_have_gone_unheard_of_is_neither_played_nor_shared(admin_client):
    row = made(minutes_ago=73 * 60)
    text = page(admin_client, row)
    assert "gone, as far as is known: OpenTok keeps files for 72 hours" in text
    assert "/watch/" not in text
    assert "/act/share/" not in text
    assert "/act/revoke_shares/" in text
    told = admin_client.post(f"{ARCHIVES}{row.pk}/act/share/", follow=True).content.decode()
    assert "The recording is gone, as far as is known: it was left as it is." in told
    fresh = page(admin_client, made(minutes_ago=71 * 60))
    assert "/watch/" in fresh
    assert "/act/share/" in fresh
    unsaid = made(minutes_ago=73 * 60, updated_at=None)  # of a recording that may have been long
    assert "/watch/" in page(admin_client, unsaid)


@pytest.mark.parametrize("player", ["video", "audio"])
def test_a_player_gets_an_error_and_no_page(admin_client, opentok, player):
    row = made()
    headers = {"Sec-Fetch-Dest": player}
    opentok.fault(path=f"/archive/{row.pk}", status=404, times=1)
    answer = admin_client.get(f"{ARCHIVES}{row.pk}/watch/", headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (410, "text/plain; charset=utf-8")
    told = row.remote | {"status": "expired"}
    opentok.fault(path=f"/archive/{row.pk}", status=200, body=told, times=1)
    answer = admin_client.get(f"{ARCHIVES}{row.pk}/watch/", headers=headers)
    assert (answer.status_code, answer.content) == (404, b"There is no file to open now.")
    assert '<ul class="messagelist"' not in page(admin_client, row)


def test_lengths_of_an_hour_and_more_have_hours(admin_client):
    made(duration=3599)
    made(duration=3 * 3600 + 62)
    listed = admin_client.get(ARCHIVES).content.decode()
    assert 'class="field-length">59:59<' in listed
    assert 'class="field-length">3:01:02<' in listed


def test_the_page_names_who_was_there_while_it_was_recorded(admin_client):
    row = made()
    was_there("Anna", 61, 10)
    was_there("Ben", 59.5)
    was_there("Early", 80, 61)
    was_there("Late", 58.5)
    was_there("Elsewhere", 61, session="1_b")
    was_there("", 61, data="render")
    text = page(admin_client, row)
    for name, is_named in [
        ("Anna", True), ("Ben", True), ("Early", False), ("Late", False), ("Elsewhere", False),
    ]:  # fmt: skip
        assert (f"<bdi>{name}</bdi>" in text) == is_named, name
    assert "still there" in text
    assert "No name" not in text


def test_who_is_there_has_the_name_that_a_stream_tells_and_no_markup(admin_client):
    row = made(minutes_ago=1, status="started", duration=0)
    connection = was_there("", 0.5, data="")
    Stream.objects.create(
        id="s", connection=connection, name="<b>Cleo</b>", started_at=timezone.now()
    )
    assert "<bdi>&lt;b&gt;Cleo&lt;/b&gt;</bdi>" in page(admin_client, row)


def test_who_was_there_is_for_staff_who_may_see_meetings():
    row = made()
    was_there("Anna", 61)
    client = staff("view_archive")
    assert "Who was there" not in page(client, row)


def test_the_page_asks_no_more_queries_for_more_people(admin_client, django_assert_max_num_queries):
    row = made()
    for number in range(30):
        was_there(f"{number}", 61)
    page(admin_client, row)
    with django_assert_max_num_queries(10):
        page(admin_client, row)


@pytest.mark.parametrize(
    ("status", "hours", "is_silent"),
    [("started", 13, True), ("started", 11, False), ("stopped", 2, True), ("stopped", 0.5, False),
     ("available", 70, False), ("failed", 70, False)],
)  # fmt: skip
def test_a_recording_without_news_for_longer_than_can_be_says_so(
    admin_client, status, hours, is_silent
):
    row = made(minutes_ago=hours * 60, status=status)
    row.updated_at = row.created_at
    row.save()
    assert ("no news since 20" in page(admin_client, row)) == is_silent
    listed = admin_client.get(ARCHIVES).content.decode()
    assert ("no news since 20" in listed) == is_silent


# Several at once


@pytest.fixture
def running(opentok):
    """Two recordings of two rooms."""
    rows = []
    for name in ("one", "two"):
        room = Room.objects.open(name)
        opentok.connect(room.session_id)
        rows.append(Archive.objects.get(pk=Archive.objects.start(room.session_id)["id"]))
    return rows


def statuses(rows):
    return [Archive.objects.get(pk=row.pk).status for row in rows]


def test_several_recordings_are_stopped_and_deleted_after_asking(admin_client, running, opentok):
    asked = choose(admin_client, "stop_selected", running)
    assert "Yes, stop recording" in asked
    assert statuses(running) == ["started", "started"]
    told = choose(admin_client, "stop_selected", running, confirmed="yes")
    assert re.search(r"“\w+” of [\d: -]+, “\w+” of [\d: -]+: Stopped the recording\.", told)
    assert statuses(running) == ["stopped", "stopped"]
    assert LogEntry.objects.count() == 2
    opentok.advance(60)
    for row in running:
        Archive.objects.fetch(str(row.pk))
    asked = choose(admin_client, "remove_selected", running)
    assert "gone for good" in asked
    choose(admin_client, "remove_selected", running, confirmed="yes")
    assert statuses(running) == ["deleted", "deleted"]


def test_of_several_recordings_each_failure_is_told_and_the_others_stop(
    admin_client, running, opentok
):
    opentok.fault(status=500, path=f"/archive/{running[0].pk}", times=9)
    ended = made()
    told = choose(admin_client, "stop_selected", [*running, ended], confirmed="yes")
    assert told.count("The video service answered with an error") == 1
    assert told.count("Stopped the recording.") == 1
    assert "The recording is available by now: it was left as it is." in told
    assert sorted(statuses(running)) == ["started", "stopped"]


def test_one_on_hold_of_several_is_left_and_said_to_be_on_hold(admin_client, opentok):
    held = made(status="available")
    Archive.objects.filter(pk=held.pk).update(held_at=timezone.now())
    told = choose(admin_client, "remove_selected", [held], confirmed="yes")
    assert "The recording is on hold: it was left as it is." in told
    assert statuses([held]) == ["available"]


def test_what_takes_longer_than_opentok_may_is_left_for_another_time(
    admin_client, running, settings
):
    settings.OPENTOK_TIMEOUT = -1
    told = choose(admin_client, "stop_selected", running, confirmed="yes")
    assert "That took too long. Choose the other 2 again." in told
    assert statuses(running) == ["started", "started"]


def test_recordings_are_stopped_a_few_at_a_time(admin_client):
    rows = [made(status="started") for _ in range(11)]
    told = choose(admin_client, "stop_selected", rows, confirmed="yes")
    assert "Choose at most 10 recordings" in told
    assert statuses(rows) == ["started"] * 11


def test_as_many_recordings_as_a_page_shows_are_stopped_one_after_the_other(admin_client):
    rows = [made(status="started") for _ in range(11)]
    asked = choose(admin_client, "stop_selected", rows)
    assert asked.count('name="_selected_action"') == 11
    assert "Without JavaScript only 10 can be done at a time" in asked
    assert "Without JavaScript" not in choose(admin_client, "stop_selected", rows[:10])
    rows += [made(status="started") for _ in range(190)]
    assert "Choose at most 200 recordings" in choose(admin_client, "stop_selected", rows)


def test_staff_who_may_only_look_change_nothing(running):
    client = staff("view_archive")
    choose(client, "stop_selected", running, confirmed="yes")
    choose(client, "remove_selected", running, confirmed="yes")
    assert statuses(running) == ["started", "started"]

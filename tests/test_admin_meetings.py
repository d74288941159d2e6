"""Meetings in the admin, and the people of a room by name."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from meetings.models import Connection, Meeting, Stream
from rooms import search
from rooms.models import Ban, Room
from rooms.search import beginning_with
from staff.models import TimeZone
from tests.test_admin_actions import ROOMS, moderate, offered, people, staff
from tests.test_api_moderation import sent

pytestmark = pytest.mark.django_db

MEETINGS = "/admin/meetings/meeting/"
ANNA = '{"name": "Anna <b>", "identity": "user-1"}'


@pytest.fixture
def room(opentok):
    return Room.objects.open("standup")


def met(room, *, ended=True, **more):
    """A meeting of the room with Anna in it."""
    start = timezone.now() - timedelta(minutes=30)
    end = start + timedelta(minutes=20) if ended else None
    chosen = {"session_id": room.session_id, "room_name": room.name, "started_at": start,
              "ended_at": end, "people": 1 if ended else 0}  # fmt: skip
    meeting = Meeting.objects.create(**chosen | more)
    meeting.connections.create(
        pk=str(uuid.uuid4()),
        data=ANNA,
        connected_at=start,
        left_at=end,
        reason="clientDisconnected",
    )
    return meeting


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_meetings_of_now_and_of_the_past(admin_client, room):
    met(room)
    met(room, ended=False)
    shown = text(admin_client.get(MEETINGS))
    assert shown.count(">standup</td>") == 2
    assert shown.count('class="state started">running<') == 1
    assert '<td class="field-minutes">20</td>' in shown
    assert "running<" not in text(admin_client.get(f"{MEETINGS}?running=no"))
    assert "0 meetings" in text(admin_client.get(f"{MEETINGS}?started_at=yesterday"))


@pytest.mark.parametrize("most", [5000, 0], ids=["few", "many"])
def test_meetings_are_found_by_the_beginning_of_their_rooms_name(room, monkeypatch, most):
    monkeypatch.setattr(search, "MOST", most)
    now = timezone.now()
    earlier = met(room, room_name="Zürich %_", started_at=now - timedelta(days=2))
    later = met(room, room_name="Zürich ", started_at=now - timedelta(days=1))
    for name in "zürich %_", "Zürich", "a Zürich ", "ZÜRICH %", "Züric% ":
        met(room, room_name=name, session_id=f"1_{name}")
    found = beginning_with(Meeting.objects.all(), "Zürich ", column="room_name")
    assert list(found) == [later, earlier]


def test_the_list_finds_meetings_by_the_beginning_of_their_rooms_name(admin_client, room):
    met(room)
    met(room, room_name="hall", session_id="1_hall")
    shown = text(admin_client.get(f"{MEETINGS}?q=stand"))
    assert "standup" in shown
    assert "hall" not in shown


def test_a_meetings_page_says_who_was_there_and_links_to_the_room(admin_client, room):
    meeting = met(room)
    shown = text(admin_client.get(f"{MEETINGS}{meeting.pk}/change/"))
    assert "<bdi>Anna &lt;b&gt;</bdi>" in shown
    assert f'href="/admin/rooms/room/{room.pk}/change/"' in shown
    assert f'href="{MEETINGS}{meeting.pk}/attendance.csv"' in shown
    assert f'href="/admin/archives/archive/?q={room.session_id}">Recordings<' in shown
    assert "/history/" not in shown  # of which it has none


def test_all_times_of_a_meetings_page_are_in_the_persons_zone(admin_client, admin_user, room):
    TimeZone.objects.create(user=admin_user, name="Asia/Tokyo")
    start = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
    meeting = met(room, started_at=start, ended_at=start + timedelta(minutes=45))
    shown = text(admin_client.get(f"{MEETINGS}{meeting.pk}/change/"))
    assert "standup, 2026-03-02 05:30" in shown
    assert "2026-03-02 06:15" in shown
    assert "2026-03-01" not in re.sub(r"(?s)<section.*", "", shown)


def test_attendance_is_downloaded_as_csv(admin_client, room):
    meeting = met(room)
    answer = admin_client.get(f"{MEETINGS}{meeting.pk}/attendance.csv")
    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (header[0], row[0], row[3]) == ("Name", "Anna <b>", "20.0")
    for number in ("0", "9" * 30):
        assert admin_client.get(f"{MEETINGS}{number}/attendance.csv").status_code == 404


def test_pages_and_bots_are_not_in_the_attendance(admin_client, room):
    meeting = met(room)
    for data in ("render", "audio_connector"):
        meeting.connections.create(pk=data, data=data, connected_at=meeting.started_at)
    shown = text(admin_client.get(f"{MEETINGS}{meeting.pk}/change/"))
    assert "Anna" in shown
    assert "No name" not in shown
    answer = admin_client.get(f"{MEETINGS}{meeting.pk}/attendance.csv")
    assert len(list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))) == 2


def test_the_attendance_as_csv_has_times_in_the_persons_zone(admin_client, admin_user, room):
    TimeZone.objects.create(user=admin_user, name="Asia/Tokyo")
    start = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
    meeting = met(room, started_at=start, ended_at=None)
    meeting.connections.update(connected_at=start, left_at=None)
    answer = admin_client.get(f"{MEETINGS}{meeting.pk}/attendance.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["Connected"], row["Left"]) == ("2026-03-02 05:30:00", "")
    assert row["Time zone"] == "Asia/Tokyo"


def test_staff_without_the_right_see_no_meetings(room):
    meeting = met(room)
    agent = staff("view_room")
    for path in ("", f"{meeting.pk}/change/", f"{meeting.pk}/attendance.csv"):
        assert agent.get(MEETINGS + path).status_code == 403
    page = text(agent.get(f"/admin/rooms/room/{room.pk}/change/"))
    assert 'id="meetings-title"' not in page


def test_nobody_changes_or_deletes_meetings(admin_client, room):
    meeting = met(room)
    assert admin_client.get(f"{MEETINGS}add/").status_code == 403
    assert admin_client.post(f"{MEETINGS}{meeting.pk}/change/", {}).status_code == 403
    assert admin_client.post(f"{MEETINGS}{meeting.pk}/delete/", {}).status_code == 403


def test_a_rooms_page_lists_its_meetings(admin_client, room):
    meeting = met(room)
    page = text(admin_client.get(f"/admin/rooms/room/{room.pk}/change/"))
    assert f'href="{MEETINGS}{meeting.pk}/change/"' in page
    assert f'href="{MEETINGS}{meeting.pk}/attendance.csv"' in page
    room.rotate_session()
    later = text(admin_client.get(f"/admin/rooms/room/{room.pk}/change/"))
    assert f'href="{MEETINGS}{meeting.pk}/change/"' in later


def present(room, opentok):
    """Anna is in the room, and callbacks have told so."""
    connection = opentok.connect(room.session_id)
    meeting = Meeting.objects.create(
        session_id=room.session_id, room_name=room.name, started_at=timezone.now()
    )
    Connection.objects.create(
        pk=connection, meeting=meeting, data=ANNA, connected_at=timezone.now()
    )
    return connection


def test_a_rooms_page_shows_people_by_name_with_what_they_publish(admin_client, room, opentok):
    connection = present(room, opentok)
    stream, unknown = opentok.publish(room.session_id), opentok.publish(room.session_id)
    Stream.objects.create(pk=stream, connection_id=connection, started_at=timezone.now())
    told = people(admin_client, room)
    (anna,) = [person for person in told["people"] if person["id"] == connection]
    assert anna["name"] == "Anna <b>"
    assert [(each["id"], each["kind"]) for each in anna["streams"]] == [(stream, "camera")]
    assert [each["id"] for each in told["streams"]] == [unknown]


def test_what_disconnects_people_says_how_many_before(admin_client, room, opentok):
    path = f"/admin/rooms/room/{room.pk}/change/"
    assert text(admin_client.get(path)).count("no people are there now.") == 3
    present(room, opentok)
    shown = text(admin_client.get(path))
    # static/console.js writes its own count there.
    assert (
        shown.count("<span data-count>As far as OpenTok has reported, 1 person is there now.<") == 3
    )
    shown = re.sub("<[^>]*>", "", shown)
    assert shown.count("1 person is there now. Everybody in the room is disconnected") == 2


@pytest.mark.parametrize(("what", "ends"), [("ban", False), ("ban-for-now", True)])
def test_somebody_who_is_banned_leaves_and_is_listed_until_the_ban_is_lifted(
    admin_client, room, opentok, what, ends
):
    connection = present(room, opentok)
    assert "Banned Anna" in moderate(admin_client, room, what, connection).json()["done"]
    told = people(admin_client, room)
    assert connection not in [person["id"] for person in told["people"]]
    if ends:  # with the meeting: nobody is there any more
        assert told["bans"] == []
        return
    ban = Ban.objects.get()
    assert (ban.identity, told["bans"]) == (
        "user-1",
        [{"id": str(ban.pk), "name": "Anna <b>", "ends": False}],
    )
    assert "done" in moderate(admin_client, room, "lift", ban.pk).json()
    assert "problem" in moderate(admin_client, room, "lift", ban.pk).json()
    assert people(admin_client, room)["bans"] == []


@pytest.mark.parametrize(
    ("what", "which"), [("lift", "9" * 5000), ("lift", "9" * 18), ("ban", "%00"), ("ban", "x")]
)
def test_what_is_no_id_of_a_ban_or_a_person_does_nothing(admin_client, room, what, which):
    answer = moderate(admin_client, room, what, which)
    assert answer.status_code == 404 or "problem" in answer.json()
    assert not Ban.objects.exists()


def test_who_has_no_identity_cannot_be_banned_and_that_is_said(admin_client, room, opentok):
    connection = present(room, opentok)
    Connection.objects.update(data="")
    assert "problem" in moderate(admin_client, room, "ban", connection).json()
    assert connection in [person["id"] for person in people(admin_client, room)["people"]]


def test_a_rooms_page_tells_who_can_be_banned_and_what_is_no_person(admin_client, room, opentok):
    anna, unknown = present(room, opentok), opentok.connect(room.session_id)
    page, bot, named = (opentok.connect(room.session_id) for _ in range(3))
    meeting = Meeting.objects.get()
    for pk, data in ((page, "render"), (bot, "audio_connector"), (named, "Ben")):
        meeting.connections.create(pk=pk, data=data, connected_at=timezone.now())
    told = {each["id"]: each for each in people(admin_client, room)["people"]}
    assert {pk for pk, each in told.items() if each["bannable"]} == {anna, named}
    assert (told[page]["bot"], told[bot]["bot"]) == ("A rendered page", "An audio connector")
    assert not any(told[pk]["bot"] for pk in (anna, unknown, named))


def test_a_rooms_page_says_that_there_are_more_bans_than_it_shows(admin_client, room):
    for number in range(101):
        Ban.objects.create(room=room, identity=f"user-{number}")
    told = people(admin_client, room)
    assert (len(told["bans"]), told["has_more_bans"]) == (100, True)
    Ban.objects.first().delete()
    assert not people(admin_client, room)["has_more_bans"]


def test_a_message_of_staff_reaches_all_as_the_join_pages_chat_shows_it(
    admin_client, room, opentok
):
    opentok.connect(room.session_id)
    path = f"/admin/rooms/room/{room.pk}/people/signal/all/"
    assert admin_client.post(path, {"text": " Five minutes left "}).json() == {
        "done": "Sent a message to all."
    }
    method, what, signal = sent(opentok)
    assert (method, what, signal["type"]) == ("POST", "signal", "chat")
    assert json.loads(signal["data"]) == {"name": "The host", "text": "Five minutes left"}
    assert admin_client.post(path, {"text": "  "}).status_code == 404


@pytest.mark.parametrize("kind", ["recording", "captions", "broadcast"])
def test_what_runs_in_a_room_is_started_and_stopped_on_its_page(admin_client, room, opentok, kind):
    opentok.connect(room.session_id)
    for verb, other in (("start", "stop"), ("stop", "start")):
        assert f"{verb}_{kind}" in offered(admin_client, ROOMS, room)
        assert f"{other}_{kind}" not in offered(admin_client, ROOMS, room)
        path = f"/admin/rooms/room/{room.pk}/act/{verb}_{kind}/"
        assert f"{verb.capitalize()}" in text(admin_client.post(path, follow=True))
        running = people(admin_client, room)["running"]
        assert running == ([kind] if verb == "start" else [])


def test_a_room_gets_a_new_session_on_its_page(admin_client, room):
    path = f"/admin/rooms/room/{room.pk}/act/renew_session/"
    assert "Gave the room a new session." in text(admin_client.post(path, follow=True))
    assert Room.objects.get().session_id != room.session_id

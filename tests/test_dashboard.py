"""The first page of the admin: what happens now, and how much the rooms were used."""

import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archives.models import Archive
from live.models import Activity
from meetings import use
from meetings.models import Connection, Meeting
from rooms.models import Room
from telemetry import recent
from tests.server_process import Server

pytestmark = pytest.mark.django_db

INDEX, NOW, USE = "/admin/", "/admin/dashboard/now/", "/admin/dashboard/use/"


def minutes_ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def make_room(name="standup"):
    return Room.objects.create(name=name, session_id=f"1_{name}")


def make_meeting(room, *, people=0, **fields):
    """Of the room, with so many people who are there since it began."""
    made = {"session_id": room.session_id, "room_name": room.name, "started_at": minutes_ago(30)}
    meeting = Meeting.objects.create(**made | fields)
    for _ in range(people):
        connect(meeting)
    return meeting


def connect(meeting, **fields):
    made = {"pk": str(uuid.uuid4()), "connected_at": meeting.started_at}
    return Connection.objects.create(meeting=meeting, **made | fields)


def make_archive(room, **fields):
    made = {"id": uuid.uuid4(), "room": room, "room_name": room.name,
            "session_id": room.session_id, "status": "started", "updated_at": timezone.now()}  # fmt: skip
    return Archive.objects.create(**made | fields)


def parts(client, path=NOW):
    """The text of each section of a part, by its heading."""
    response = client.get(path)
    assert response.status_code == 200
    html = response.content.decode()
    sections = [each.split("</section>")[0] for each in html.split("<section")[1:]]
    return {each.split("<h2")[1].split(">")[1].split("<")[0]: each for each in sections}


def test_live_rooms_are_shown_with_their_people_and_what_runs(admin_client):
    room = make_room()
    meeting = make_meeting(room, people=2)
    connect(meeting, left_at=timezone.now())
    connect(meeting, data="render")
    make_archive(room)
    Activity.objects.create(id=uuid.uuid4(), kind="captions", session_id=room.session_id,
                            status="started", ends_at=timezone.now())  # fmt: skip
    shown = parts(admin_client)["Rooms live now"]
    assert f'href="/admin/rooms/room/{room.pk}/change/"' in shown
    assert "1 room, 2 people." in shown
    assert "<td>2</td>" in shown
    assert f'<time datetime="{meeting.started_at:%Y-%m-%dT%H:%M}' in shown
    assert "recording, captions" in shown


def test_a_meeting_that_is_over_is_not_live(admin_client):
    make_meeting(make_room(), people=1, ended_at=timezone.now())
    live = parts(admin_client)["Rooms live now"]
    assert "Nobody is in a room." in live
    assert "turn on session monitoring" in live  # nobody's stream was ever reported
    stream = {"pk": str(uuid.uuid4()), "started_at": timezone.now()}
    Connection.objects.first().streams.create(**stream)
    assert "session monitoring" not in parts(admin_client)["Rooms live now"]


def test_a_live_room_that_was_deleted_has_its_name_and_no_link(admin_client):
    room = make_room("gone")
    make_meeting(room, people=1)
    room.delete()
    shown = parts(admin_client)["Rooms live now"]
    assert "gone" in shown
    assert "<a " not in shown


def test_recordings_that_run_failed_or_go_soon_are_shown_each_in_its_place(admin_client):
    hours = {name: timezone.now() - timedelta(hours=number) for name, number in
             {"old": 71, "fresh": 2, "gone": 73, "last week": 170}.items()}  # fmt: skip
    room = make_room()
    running = [make_archive(room, status=status) for status in ("started", "paused")]
    failed = make_archive(room, status="failed", reason="<b>disk</b>")
    earlier = make_archive(room, status="failed", updated_at=hours["last week"],
                           created_at=hours["last week"])  # fmt: skip
    going = make_archive(room, status="available", created_at=hours["old"], updated_at=hours["old"])
    others = [make_archive(room, status="available", created_at=hours[name], updated_at=hours[name])
              for name in ("fresh", "gone")]  # fmt: skip
    kept = make_archive(room, status="uploaded", created_at=hours["old"], updated_at=hours["old"])
    shown = parts(admin_client)
    places = {
        "Recordings running": running,
        "Recordings failed today": [failed],
        "Files that go within a day": [going],
    }
    for place, wanted in places.items():
        for archive in [*running, failed, earlier, going, *others, kept]:
            assert (str(archive.pk) in shown[place]) == (archive in wanted)
    assert "&lt;b&gt;disk&lt;/b&gt;" in shown["Recordings failed today"]
    assert "2 recordings." in shown["Recordings running"]


def test_a_part_with_nothing_to_show_says_so_and_what_to_do(admin_client, settings):
    shown = parts(admin_client)
    assert "to invite people" in shown["Rooms live now"]
    assert "started on the page of a room" in shown["Recordings running"]
    assert "has failed since midnight" in shown["Recordings failed today"]
    assert "nothing to download" in shown["Files that go within a day"]
    assert "No meeting began" in parts(admin_client, USE)["Last 24 hours"]
    settings.CALLBACK_SECRET = ""
    assert "set CALLBACK_SECRET" in parts(admin_client)["Rooms live now"]


@pytest.mark.parametrize(
    ("permission", "now", "use"),
    [
        ("view_room", {"Rooms live now", "Calls to OpenTok"}, set()),
        ("view_archive", {"Recordings running", "Recordings failed today",
                          "Files that go within a day", "Calls to OpenTok"}, set()),
        ("view_meeting", set(), {"Last 24 hours", "Last 30 days"}),
        ("view_apikey", set(), set()),
    ],
)  # fmt: skip
def test_each_part_is_for_those_who_may_view_what_it_tells_of(client, permission, now, use):
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=permission))
    client.force_login(user)
    assert parts(client).keys() == now
    assert parts(client, USE).keys() == use
    assert parts(client, INDEX).keys() == now | use


@pytest.mark.parametrize("path", [NOW, USE])
def test_who_is_not_logged_in_is_led_to_the_log_in(client, path):
    make_room()
    assert client.get(path).headers["Location"].startswith("/admin/login/")


def test_a_meeting_counts_in_the_hour_and_on_the_day_in_which_it_began(monkeypatch):
    now = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    room = make_room()
    for hours, people in ((0.25, 1), (0.75, 2), (23, 4), (24, 8), (24 * 29, 16), (24 * 31, 32)):
        start = now - timedelta(hours=hours)
        make_meeting(room, started_at=start, ended_at=now, people=0)
        Meeting.objects.filter(started_at=start).update(people=people, person_seconds=people * 60)
    hours, days = use.by_hour(), use.by_day()
    assert (len(hours), len(days)) == (24, 30)
    assert [each.people for each in hours[-2:]] == [2, 1]
    assert (hours[0].start.hour, hours[0].people, hours[0].minutes) == (16, 4, 4)
    assert [each.people for each in days[-2:]] == [12, 3]
    assert (days[0].people, days[0].meetings) == (16, 1)


def test_people_of_a_meeting_that_runs_count_up_to_now():
    meeting = make_meeting(make_room(), people=2, started_at=minutes_ago(0))
    Connection.objects.update(connected_at=minutes_ago(30))
    connect(meeting, data="render")
    today = use.by_day()[-1]
    assert (today.meetings, today.people, today.minutes) == (1, 2, 60)
    for _ in range(2):  # somebody who has reloaded the page
        connect(meeting, data='{"identity": "user-1"}', connected_at=minutes_ago(30))
    today = use.by_day()[-1]
    assert (today.people, today.minutes) == (3, 120)


def test_days_are_those_of_the_persons_time_zone(monkeypatch):
    now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    with timezone.override(ZoneInfo("Europe/Berlin")):  # whose clocks changed the day before
        assert [f"{each.start:%d %H:%M %z}" for each in use.by_day()[-3:]] == [
            "28 00:00 +0100", "29 00:00 +0100", "30 00:00 +0200",
        ]  # fmt: skip
        assert f"{use.by_hour()[-1].start:%H:%M}" == "14:00"


def test_a_chart_can_be_read_by_those_who_do_not_see_it(admin_client):
    make_meeting(make_room(), people=3, started_at=timezone.now())
    shown = parts(admin_client, USE)["Last 24 hours"]
    hour = timezone.localtime().strftime("%H:00")
    assert 'role="img" aria-labelledby="hours-people-name hours-people-summary"' in shown
    assert f">3 in all; the most, 3, at {hour}.<" in shown
    assert "<td>1</td><td>3</td><td>0</td>" in shown
    assert "style=" not in shown


def test_the_page_asks_no_more_queries_for_more_rows(admin_client):
    def queries():
        with CaptureQueriesContext(connection) as found:
            admin_client.get(INDEX)
        return len(found)

    def fill(number):
        room = make_room(f"room-{number}")
        make_meeting(room, people=2)
        make_archive(room)
        make_archive(room, status="failed")

    fill(0)
    few = queries()
    for number in range(1, 30):
        fill(number)
    assert queries() == few


def test_calls_are_counted_for_an_hour(monkeypatch):
    clock = time.time() + 10 * 86_400
    monkeypatch.setattr(time, "time", lambda: clock)
    before = recent.last_hour()
    assert set(before.values()) == {0}
    for kind in ("ok", "archive_not_found", "opentok_timeout", "not_asked"):
        recent.count(kind)
    counted = recent.last_hour()
    assert (counted["answered"], counted["opentok_timeout"], counted["not_asked"]) == (2, 1, 1)
    clock += 59 * 60
    assert recent.last_hour()["answered"] == 2
    clock += 60
    assert recent.last_hour()["answered"] == 0


@pytest.mark.django_db(transaction=True)
def test_calls_of_all_processes_and_the_pauses_of_the_circuit_breaker_are_shown(opentok, client):
    opentok.fault(status=500)
    client.force_login(User.objects.create_superuser("ada"))
    cookies = {name: cookie.value for name, cookie in client.cookies.items()}
    with Server(OPENTOK_API_URL=opentok.url, OPENTOK_FAILURES="2") as server:
        for number in range(12):  # over a connection each, so that one process or the other answers
            assert server.get(f"/room/new-{number}").status_code in {502, 503}
        pages = [requests.get(server.url + NOW, cookies=cookies).text for _ in range(6)]
    for page in pages:
        failed = int(re.search(r"(\d+) × an error at OpenTok", page)[1])
        not_made = int(re.search(r"(\d+) more (was|were) not made", page)[1])
        assert failed == len(opentok.requests()) >= 2
        assert failed + not_made == 12
        assert re.search(r"Asking was paused \d times?, the last time until \d\d:\d\d:\d\d", page)

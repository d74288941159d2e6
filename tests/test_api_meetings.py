"""Who is in a room, who was, who has to stay out, and limits of people and of time: over HTTP, with
callbacks from the local OpenTok.
"""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from live.deadlines import SIGNAL, meet_deadlines
from meetings.models import Meeting
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import Server

SECRET = settings.CALLBACK_SECRET
ANNA = '{"name": "Anna", "identity": "user-1"}'


@pytest.fixture
def program(server):
    return Program(server, can="manage,moderate")


@pytest.fixture
def room(server, opentok, program):
    monitor(opentok, f"{server.url}/callbacks")
    program.post("rooms", name="standup")
    return Room.objects.get()


def monitor(opentok, url, *, held=False):
    """Have all that happens told there; at once, or when it is sent by hand."""
    hook = {"urls": {"all": url}, "secret": SECRET, "held": held}
    opentok.control("POST", "/callback-url", hook)


def connect(opentok, room, data=""):
    made = opentok.control("POST", f"/sessions/{room.session_id}/connections", {"data": data})
    return made["connectionId"]


def connected(opentok, room):
    path = f"/v2/project/{opentok.api_key}/session/{room.session_id}/connection"
    answer = opentok.call("GET", path)
    return {each["connectionId"] for each in answer.json().get("items", [])}


def eventually(look, wanted, *, within=10):
    """What `look` returns, once it is that; callbacks take their time."""
    until = time.monotonic() + within
    while (found := look()) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    assert found == wanted


def people(program):
    return [each["name"] for each in program.get("rooms/standup/presence").json()["items"]]


def test_presence_and_attendance_follow_callbacks(room, opentok, program):
    assert program.get("rooms/standup/presence").json() == {"meeting": None, "items": []}
    anna = connect(opentok, room, ANNA)
    opentok.publish(room.session_id, anna)
    eventually(lambda: people(program), ["Anna"])
    shown = program.get("rooms/standup/presence").json()
    assert (shown["meeting"]["room"], shown["meeting"]["endedAt"]) == ("standup", None)
    eventually(lambda: len(program.get("rooms/standup/presence").json()["items"][0]["streams"]), 1)
    opentok.disconnect(room.session_id, anna)
    eventually(lambda: people(program), [])
    (meeting,) = program.get("meetings?room=standup&running=false").json()["items"]
    assert meeting["people"] == 1
    assert program.get(f"meetings/{meeting['id']}").json() == meeting
    (person,) = program.get(f"meetings/{meeting['id']}/attendance").json()["items"]
    assert (person["name"], person["data"], person["reason"]) == (
        "Anna",
        ANNA,
        "clientDisconnected",
    )
    assert person["leftAt"] == meeting["endedAt"]


def test_attendance_as_a_spreadsheet_has_no_formulas(room, opentok, program):
    connect(opentok, room, '{"name": "=1+1"}')
    eventually(lambda: len(people(program)), 1)
    meeting = Meeting.objects.get()
    answer = program.get(f"meetings/{meeting.pk}/attendance?format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (header[0], row[0], row[2]) == ("Name", "'=1+1", "")


def test_pages_are_in_the_presence_and_not_in_the_attendance(room, opentok, program):
    connect(opentok, room, "render")
    connect(opentok, room, ANNA)
    eventually(lambda: sorted(people(program)), ["", "Anna"])
    path = f"meetings/{Meeting.objects.get().pk}/attendance"
    assert [each["name"] for each in program.get(path).json()["items"]] == ["Anna"]
    assert len(program.get(f"{path}?format=csv").text.splitlines()) == 2


@pytest.mark.parametrize("query", ["format=xml", "format=", "x=1"])
def test_attendance_in_an_unknown_format_is_refused(query, room, opentok, program):
    connect(opentok, room, ANNA)
    eventually(lambda: len(people(program)), 1)
    meeting = Meeting.objects.get()
    assert refusal(program.get(f"meetings/{meeting.pk}/attendance?{query}")) == (400, "invalid")


@pytest.mark.parametrize(
    "path", ["meetings/1", "meetings/99999999999999999999", "meetings/1/attendance"]
)
def test_a_meeting_that_is_not_there_is_a_404(room, program, path):
    assert refusal(program.get(path)) == (404, "meeting_not_found")


@pytest.mark.parametrize("query", ["running=perhaps", "startedAfter=today", "limit=0", "x=1"])
def test_a_query_that_makes_no_sense_is_refused(room, program, query):
    assert refusal(program.get(f"meetings?{query}")) == (400, "invalid")


def test_a_key_for_some_rooms_sees_meetings_of_those_alone(room, server, program):
    school = Program(server, can="manage,moderate", rooms="school-")
    program.post("rooms", name="school-1")
    sessions = {room.name: room.session_id for room in Room.objects.all()} | {"": "1_unknown"}
    for name, session_id in sessions.items():
        Meeting.objects.create(session_id=session_id, room_name=name, started_at=timezone.now())
    assert [each["room"] for each in school.get("meetings").json()["items"]] == ["school-1"]
    assert refusal(school.get("meetings?room=standup")) == (403, "room_not_covered")
    for meeting in Meeting.objects.exclude(room_name="school-1"):
        assert refusal(school.get(f"meetings/{meeting.pk}")) == (403, "room_not_covered")
    assert refusal(school.get("rooms/standup/presence")) == (403, "room_not_covered")
    assert refusal(school.get("rooms/standup/bans")) == (403, "room_not_covered")


def test_a_key_for_some_rooms_loses_meetings_of_a_deleted_room_for_good(server):
    program, school = Program(server), Program(server, rooms="school-")
    program.post("rooms", name="school-1")
    session_id = Room.objects.get().session_id
    met = Meeting.objects.create(
        session_id=session_id, room_name="school-1", started_at=timezone.now()
    )
    paths = ["meetings", "meetings?room=school-1"]
    pages = [f"meetings/{met.pk}", f"meetings/{met.pk}/attendance"]
    program.post("rooms/school-1/session")  # a past session is the room's own
    assert [len(school.get(path).json()["items"]) for path in paths] == [1, 1]
    assert [school.get(page).status_code for page in pages] == [200, 200]
    program.delete("rooms/school-1")
    for _ in range(2):
        assert [school.get(path).json()["items"] for path in paths] == [[], []]
        for page in pages:
            assert refusal(school.get(page)) == (403, "room_not_covered")
        program.post("rooms", name="school-1")
    assert [len(program.get(path).json()["items"]) for path in paths] == [1, 1]
    assert [program.get(page).status_code for page in pages] == [200, 200]


def test_without_callbacks_a_look_says_who_is_there(room, opentok, program):
    monitor(opentok, "http://127.0.0.1:9/")  # nobody listens
    connect(opentok, room)
    assert people(program) == []
    program.get("rooms/standup/connections")
    assert len(program.get("rooms/standup/presence").json()["items"]) == 1


def test_a_command_mends_who_is_where(room, opentok, program):
    anna = connect(opentok, room, ANNA)
    eventually(lambda: people(program), ["Anna"])
    monitor(opentok, "http://127.0.0.1:9/")
    opentok.disconnect(room.session_id, anna)
    call_command("housekeeping")
    assert people(program) == []
    assert Meeting.objects.get().ended_at is not None


# Most people at once


def test_a_full_room_takes_nobody_more_until_somebody_leaves(room, server, opentok, program):
    program.patch("rooms/standup", maxParticipants=1)
    assert server.get("/room/standup").status_code == 200
    anna = connect(opentok, room, ANNA)
    eventually(lambda: people(program), ["Anna"])
    answer = server.get("/room/standup")
    assert refusal(answer) == (403, "room_full")
    assert answer.headers["Retry-After"] == "30"
    assert refusal(program.post("rooms/standup/tokens")) == (403, "room_full")
    opentok.disconnect(room.session_id, anna)
    eventually(lambda: server.get("/room/standup").status_code, 200)


def test_whoever_gets_past_by_racing_is_disconnected(room, opentok, program):
    program.patch("rooms/standup", maxParticipants=2)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: connect(opentok, room), range(6)))
    eventually(lambda: len(connected(opentok, room)), 2)
    eventually(lambda: len(people(program)), 2)
    assert Meeting.objects.count() == 1


def test_pages_take_no_place_of_people(room, server, opentok, program):
    program.patch("rooms/standup", maxParticipants=1)
    connect(opentok, room, "render")
    eventually(lambda: len(people(program)), 1)
    assert server.get("/room/standup").status_code == 200


@pytest.mark.parametrize("secret", ["", "of-callbacks-of-archives-alone-32-letters"])
def test_without_callbacks_opentok_is_asked_whether_a_room_is_full(
    opentok, transactional_db, secret
):
    with Server(OPENTOK_API_URL=opentok.url, CALLBACK_SECRET=secret) as server:
        program = Program(server, can="manage,moderate")
        program.post("rooms", name="standup", maxParticipants=1)
        assert server.get("/room/standup").status_code == 200
        connect(opentok, Room.objects.get())
        assert refusal(server.get("/room/standup")) == (403, "room_full")


@pytest.mark.parametrize("number", [0, -1, 1.5, "many", True, 10**9])
@pytest.mark.parametrize("field", ["maxParticipants", "maxMeetingMinutes"])
def test_a_limit_that_makes_no_sense_is_refused(room, program, field, number):
    assert refusal(program.patch("rooms/standup", **{field: number})) == (400, "invalid")


# The longest meeting


def signals(opentok):
    return [each["body"] for each in opentok.requests() if each["path"].endswith("/signal")]


def begun(minutes):
    """The meeting, as if it had begun so long ago."""
    then = timezone.now() - timedelta(minutes=minutes)
    Meeting.objects.update(started_at=then, limited_from=then)


def test_people_are_warned_once_each_time_and_then_disconnected(room, opentok, program):
    program.patch("rooms/standup", maxMeetingMinutes=10)
    connect(opentok, room, ANNA)
    eventually(lambda: people(program), ["Anna"])
    meet_deadlines()
    assert signals(opentok) == []
    for minutes, count in [(5.5, 1), (6, 1), (9.5, 2), (9.6, 2)]:
        begun(minutes)
        meet_deadlines()
        assert len(signals(opentok)) == count
    assert all(SIGNAL in body for body in signals(opentok))
    assert len(connected(opentok, room)) == 1
    begun(10.1)
    meet_deadlines()
    assert connected(opentok, room) == set()
    assert not Meeting.objects.filter(ended_at=None).exists()


def test_without_callbacks_housekeeping_finds_a_meeting_that_has_a_limit(room, opentok, program):
    monitor(opentok, "http://127.0.0.1:9/")  # nobody listens
    program.patch("rooms/standup", maxMeetingMinutes=10)
    connect(opentok, room, ANNA)
    call_command("housekeeping")
    begun(10.1)
    call_command("housekeeping")
    assert connected(opentok, room) == set()


def test_a_short_meeting_is_not_warned_of_before_it_begins(room, opentok, program):
    program.patch("rooms/standup", maxMeetingMinutes=2)
    connect(opentok, room, ANNA)
    eventually(lambda: people(program), ["Anna"])
    meet_deadlines()
    assert signals(opentok) == []


def test_a_server_meets_deadlines_by_itself(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, WORKER="on") as server:
        monitor(opentok, f"{server.url}/callbacks")
        program = Program(server, can="manage,moderate")
        program.post("rooms", name="standup", maxMeetingMinutes=1)
        room = Room.objects.get()
        connect(opentok, room, ANNA)
        eventually(lambda: people(program), ["Anna"])
        begun(2)
        eventually(lambda: connected(opentok, room), set(), within=30)


# Bans


def test_who_is_banned_is_removed_and_gets_no_token(room, opentok, program):
    anna = connect(opentok, room, ANNA)
    eventually(lambda: people(program), ["Anna"])
    made = program.post("rooms/standup/bans", connectionId=anna)
    assert made.status_code == 201
    ban = made.json()
    assert (ban["identity"], ban["name"], ban["until"]) == ("user-1", "Anna", None)
    assert connected(opentok, room) == set()
    assert refusal(program.post("rooms/standup/tokens", data=ANNA)) == (403, "banned")
    assert refusal(program.post("rooms/standup/tokens", data="user-1")) == (403, "banned")
    assert program.post("rooms/standup/tokens", data="user-2").status_code == 201
    assert program.get("rooms/standup/bans").json()["items"] == [ban]
    assert program.delete(f"rooms/standup/bans/{ban['id']}").status_code == 204
    assert program.post("rooms/standup/tokens", data=ANNA).status_code == 201
    assert refusal(program.delete(f"rooms/standup/bans/{ban['id']}")) == (404, "ban_not_found")


def test_who_comes_with_an_older_token_is_thrown_out(room, opentok, program):
    program.post("rooms/standup/bans", identity="user-1")
    ben = connect(opentok, room, "Ben")
    connect(opentok, room, ANNA)
    eventually(lambda: connected(opentok, room), {ben})


def test_who_is_banned_is_thrown_out_also_if_a_list_has_told_of_them_first(
    server, room, opentok, program
):
    program.post("rooms/standup/bans", identity="user-1")
    monitor(opentok, f"{server.url}/callbacks", held=True)
    anna = connect(opentok, room, ANNA)
    listed = program.get("rooms/standup/connections").json()["items"]
    assert [each["connectionId"] for each in listed] == [anna]
    for held in opentok.callbacks(attempts=0):
        opentok.send_callback(held["id"])
    eventually(lambda: connected(opentok, room), set())


def test_a_ban_until_the_meeting_ends_ends_with_it(room, opentok, program):
    anna, ben = connect(opentok, room, ANNA), connect(opentok, room, "Ben")
    eventually(lambda: len(people(program)), 2)
    program.post("rooms/standup/bans", connectionId=anna, until="meeting_ends")
    assert refusal(program.post("rooms/standup/tokens", data=ANNA)) == (403, "banned")
    opentok.disconnect(room.session_id, ben)
    eventually(lambda: people(program), [])
    assert program.post("rooms/standup/tokens", data=ANNA).status_code == 201
    assert program.get("rooms/standup/bans").json()["items"] == []


def test_who_has_no_data_cannot_be_banned(room, opentok, program):
    anna = connect(opentok, room)
    eventually(lambda: len(people(program)), 1)
    assert refusal(program.post("rooms/standup/bans", connectionId=anna)) == (
        409,
        "identity_missing",
    )
    assert connected(opentok, room) == {anna}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, (400, "invalid")),
        ({"identity": ""}, (400, "invalid")),
        ({"identity": "x" * 1001}, (400, "invalid")),
        ({"identity": "x", "until": "tomorrow"}, (400, "invalid")),
        (
            {"identity": "x", "connectionId": "0a1b2c3d-0000-4000-8000-000000000000"},
            (400, "invalid"),
        ),
        ({"connectionId": "../x"}, (400, "invalid")),
        ({"connectionId": "0a1b2c3d-0000-4000-8000-000000000000"}, (404, "connection_not_found")),
        ({"identity": "x", "until": "meeting_ends"}, (409, "no_meeting")),
    ],
)
def test_a_ban_that_makes_no_sense_is_refused(room, program, body, refused):
    assert refusal(program.post("rooms/standup/bans", **body)) == refused


def test_a_moderator_bans_with_their_token_and_a_publisher_does_not(room, server, program):
    path = "/api/v1/rooms/standup/bans"
    for role, status in [("publisher", 403), ("moderator", 201)]:
        token = program.post("rooms/standup/tokens", role=role).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = server.request("POST", path, headers=headers, json={"identity": "user-1"})
        assert answer.status_code == status

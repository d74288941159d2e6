"""Rooms under /api/v1/, as a program with a key manages them."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from archives.models import Archive
from rooms.models import PastSession, Room
from tests.api_client import Program, refusal

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def names(answer):
    assert answer.status_code == 200
    return [room["name"] for room in answer.json()["items"]]


# Make and read


def test_a_new_room_can_be_joined_at_once(program, server, opentok):
    made = program.post("rooms", name="lobby")
    assert made.status_code == 201
    assert made.headers["Location"] == "/api/v1/rooms/lobby"
    assert server.get("/room/lobby").json()["sessionId"] == made.json()["sessionId"]
    assert [request["path"] for request in opentok.requests()] == ["/session/create"]


def test_a_room_is_read_as_it_was_made(program):
    made = program.post("rooms", name="lobby").json()
    moments = [made["createdAt"], made["lastUsedAt"]]
    assert all(MOMENT.fullmatch(moment) for moment in moments)
    assert made == {
        "name": "lobby", "sessionId": made["sessionId"], "e2ee": False, "closed": False,
        "owner": None, "notes": "", "weeklyHours": None,
        "opensAt": None, "closesAt": None, "hasAccessCode": False, "tokenRole": None,
        "waitingRoom": False, "recordingConsent": False, "recordMeetings": False, "recordingDays": None,
        "maxParticipants": None, "maxMeetingMinutes": None, "tokenLifetime": None, "createdAt": moments[0], "lastUsedAt": moments[1],
        "pastSessions": [],
    }  # fmt: skip
    assert program.get("rooms/lobby").json() == made


def test_a_room_is_made_with_a_policy_and_encryption(program, server, opentok):
    policy = {
        "e2ee": True, "closed": False, "opensAt": "2026-01-01T00:00:00Z",
        "closesAt": "2999-12-31T18:00:00+01:00", "tokenRole": "moderator", "tokenLifetime": 600,
    }  # fmt: skip
    made = program.post("rooms", name="exam", accessCode="open sesame", **policy).json()
    assert made["closesAt"] == "2999-12-31T17:00:00Z"
    assert (made["hasAccessCode"], made["tokenRole"], made["e2ee"]) == (True, "moderator", True)
    assert "sesame" not in str(made)
    assert refusal(server.get("/room/exam")) == (403, "access_code_required")
    assert server.get("/room/exam?code=open%20sesame").status_code == 200
    assert "e2ee=true" in opentok.requests()[0]["body"]


@pytest.mark.parametrize(
    "name", ["a/b", "a/session", "a/tokens", "session", "tokens", "a/", "//", "Zu\u0308rich",
             "50%", "?&#+", "会议", "a\u2028b", "x" * 200, "..", "a/../b"]
)  # fmt: skip
def test_a_room_of_any_name_is_found_where_its_making_said(program, name):
    made = program.post("rooms", name=name)
    path = made.headers["Location"].removeprefix("/api/v1/")
    assert path.startswith("rooms/" + quote(made.json()["name"], safe=""))
    assert program.get(path).json() == made.json()
    assert program.patch(path, closed=True).json()["closed"] is True
    new = program.post(f"rooms/{quote(name, safe='')}/session").json()
    assert new["sessionId"] != made.json()["sessionId"]
    assert program.delete(path).status_code == 204
    assert refusal(program.get(path)) == (404, "room_not_found")


def test_a_name_that_is_taken_is_a_conflict_however_it_is_composed(program, opentok):
    program.post("rooms", name="Zürich")
    assert refusal(program.post("rooms", name="Zu\u0308rich")) == (409, "room_exists")
    assert len(opentok.requests()) == 1


def test_of_two_who_make_the_same_room_at_once_one_is_told_so(program, opentok):
    opentok.fault(path="/session/create", delay=0.3)
    with ThreadPoolExecutor(6) as everybody:
        answers = list(everybody.map(lambda _: program.post("rooms", name="lobby"), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "room_exists"
    }
    (made,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert Room.objects.get().session_id == made["sessionId"]


def test_nothing_is_stored_when_opentok_fails(program, opentok):
    opentok.fault(path="/session/create", status=500)
    assert refusal(program.post("rooms", name="lobby")) == (502, "opentok_failed")
    assert not Room.objects.exists()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "closedAt": None}, "closedAt"),
        ({"name": "x", "sessionId": "1_x"}, "sessionId"),
        ({"name": "x", "hasAccessCode": False}, "hasAccessCode"),
        ({"name": "x", "closed": "perhaps"}, "closed"),
        ({"name": "x", "closed": None}, "closed"),
        ({"name": "x", "e2ee": []}, "e2ee"),
        ({"name": "x", "owner": "nobody of this name"}, "owner"),
        ({"name": "x", "owner": "\0"}, "owner"),
        ({"name": "x", "owner": 1.5}, "owner"),
        ({"name": "x", "notes": None}, "notes"),
        ({"name": "x", "notes": "x" * 1001}, "notes"),
        ({"name": "x", "opensAt": "tomorrow"}, "opensAt"),
        ({"name": "x", "opensAt": "0001-01-01T00:00:00+23:00"}, "opensAt"),
        ({"name": "x", "closesAt": 12}, "closesAt"),
        ({"name": "x", "opensAt": "2030-01-02T00:00:00Z", "closesAt": "2030-01-01T00:00:00Z"}, "closesAt"),
        ({"name": "x", "opensAt": "2030-01-01T00:00:00Z", "closesAt": "2030-01-01T00:00:00Z"}, "closesAt"),
        ({"name": "x", "accessCode": ""}, "accessCode"),
        ({"name": "x", "accessCode": "x" * 129}, "accessCode"),
        ({"name": "x", "accessCode": "\0"}, "accessCode"),
        ({"name": "x", "tokenRole": "boss"}, "tokenRole"),
        ({"name": "x", "tokenRole": ""}, "tokenRole"),
        ({"name": "x", "tokenLifetime": 59}, "tokenLifetime"),
        ({"name": "x", "tokenLifetime": 2_592_001}, "tokenLifetime"),
        ({"name": "x", "\ud800": 1}, "?"),
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_name(program, opentok, body, names):
    answer = program.post("rooms", **body)
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(f"{names}: ")
    assert opentok.requests() == []


@pytest.mark.parametrize("name", [" ", "x" * 201, "a\nb", "\x7f"])
def test_what_is_no_name_is_refused(program, opentok, name):
    assert refusal(program.post("rooms", name=name)) in [
        (400, "room_name_invalid"), (400, "invalid"),
    ]  # fmt: skip
    assert opentok.requests() == []


def test_a_form_is_refused(program):
    answer = program.call("POST", "rooms", data={"name": "lobby"})
    assert refusal(answer) == (415, "unsupported_media_type")
    assert answer.json()["detail"].startswith("Send the body as application/json, with")


def test_a_wrong_choice_is_answered_with_the_choices(program):
    answer = program.post("rooms", name="lobby", tokenRole="host")
    assert refusal(answer) == (400, "invalid")
    told = "tokenRole: “host” is none of: subscriber, publisher, publisheronly, moderator."
    assert answer.json()["detail"] == told


# Change


def test_only_what_is_named_changes(program):
    program.post("rooms", name="lobby", accessCode="1234", tokenLifetime=600)
    changed = program.patch("rooms/lobby", closed=True, tokenRole="subscriber").json()
    assert (changed["closed"], changed["tokenRole"]) == (True, "subscriber")
    assert (changed["hasAccessCode"], changed["tokenLifetime"]) == (True, 600)
    changed = program.patch("rooms/lobby", accessCode=None, tokenRole=None, tokenLifetime=None)
    assert changed.json() == program.get("rooms/lobby").json()
    nothing = [changed.json()[name] for name in ("hasAccessCode", "tokenRole", "tokenLifetime")]
    assert nothing == [False, None, None]
    assert program.patch("rooms/lobby").json() == changed.json()


def test_a_change_that_makes_no_sense_with_what_is_there_is_refused(program):
    program.post("rooms", name="lobby", closesAt="2030-01-01T00:00:00Z")
    answer = program.patch("rooms/lobby", opensAt="2030-01-02T00:00:00Z")
    assert refusal(answer) == (400, "invalid")
    both = {"opensAt": "2030-01-02T00:00:00Z", "closesAt": "2030-01-03T00:00:00Z"}
    assert program.patch("rooms/lobby", **both).json()["opensAt"] == both["opensAt"]


@pytest.mark.parametrize("name", ["name", "e2ee", "sessionId", "createdAt", "pastSessions"])
def test_what_cannot_be_changed_is_refused_by_its_name(program, name):
    program.post("rooms", name="lobby")
    answer = program.patch("rooms/lobby", **{name: "x"})
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(f"{name}: ")


def test_a_new_session_replaces_the_old_one_which_is_kept(program, server, opentok):
    old = program.post("rooms", name="lobby").json()
    new = program.post("rooms/lobby/session").json()
    assert new["sessionId"] != old["sessionId"]
    assert [past["sessionId"] for past in new["pastSessions"]] == [old["sessionId"]]
    assert MOMENT.fullmatch(new["pastSessions"][0]["replacedAt"])
    assert server.get("/room/lobby").json()["sessionId"] == new["sessionId"]
    assert names(program.get(f"rooms?search={old['sessionId']}")) == ["lobby"]
    opentok.fault(path="/session/create", status=500)
    assert refusal(program.post("rooms/lobby/session")) == (502, "opentok_failed")
    assert program.get("rooms/lobby").json() == new


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "parse_error"), (b'{"e2ee": true}', "invalid"), (b"[]", "invalid"), (b"0", "invalid")],
)
def test_a_new_session_takes_no_body(program, opentok, body, code):
    old = program.post("rooms", name="lobby").json()
    headers = program.headers | {"Content-Type": "application/json"}
    url = "/api/v1/rooms/lobby/session"
    assert refusal(program.server.post(url, data=body, headers=headers)) == (400, code)
    assert program.get("rooms/lobby").json() == old
    assert len(opentok.requests()) == 1
    for none in (b"", b"{}"):
        assert program.server.post(url, data=none, headers=headers).status_code == 200


# Delete


def test_a_deleted_room_is_gone_and_its_recordings_are_not(program, school, server, opentok):
    session = program.post("rooms", name="school-1").json()["sessionId"]
    program.post("rooms/school-1/session")
    opentok.connect(session)
    recording = server.post("/archive/start", json={"sessionId": session}).json()
    assert program.delete("rooms/school-1").status_code == 204
    assert program.delete("rooms/school-1").status_code == 404
    assert not PastSession.objects.exists()
    (row,) = Archive.objects.filter(session_id=session)
    assert (row.room, row.name) == (None, "school-1")
    assert server.get(f"/archive/{recording['id']}").json()["name"] == "school-1"
    assert [found["id"] for found in server.get(f"/archive?sessionId={session}").json()] == [
        recording["id"]
    ]
    # Whose it was is over, also when there is a new room of this name.
    program.post("rooms", name="school-1")
    for path in (f"/archive/{recording['id']}", f"/archive?sessionId={session}"):
        answer = server.get(path, headers=school.headers)
        assert refusal(answer) == (403, "room_not_covered")


def test_a_room_that_is_deleted_while_it_gets_a_session_is_not_found(program, opentok):
    program.post("rooms", name="lobby")
    opentok.fault(path="/session/create", delay=1)
    with ThreadPoolExecutor(1) as other:
        rotating = other.submit(program.post, "rooms/lobby/session")
        opentok.requests(at_least=2)
        assert program.delete("rooms/lobby").status_code == 204
        assert refusal(rotating.result()) == (404, "room_not_found")


# List


def make(count, beginning="room-"):
    now = timezone.now()
    for number in range(count):
        name = f"{beginning}{number}"
        Room.objects.create(
            name=name, session_id=f"1_{name}", created_at=now + timedelta(seconds=number)
        )


def test_the_list_has_the_newest_first_and_pages_both_ways(program):
    make(5)
    first = program.get("rooms?limit=2").json()
    assert [room["name"] for room in first["items"]] == ["room-4", "room-3"]
    assert first["previousCursor"] is None
    second = program.get(f"rooms?limit=2&cursor={first['nextCursor']}").json()
    assert [room["name"] for room in second["items"]] == ["room-2", "room-1"]
    last = program.get(f"rooms?limit=2&cursor={second['nextCursor']}").json()
    assert [room["name"] for room in last["items"]] == ["room-0"]
    assert last["nextCursor"] is None
    back = program.get(f"rooms?limit=2&cursor={second['previousCursor']}").json()
    assert back["items"] == first["items"]


def test_rooms_that_were_made_in_one_moment_are_all_listed_once(program):
    now = timezone.now()
    Room.objects.bulk_create(
        Room(name=f"{number}", session_id=f"1_{number}", created_at=now) for number in range(7)
    )
    found, cursor = [], ""
    while cursor is not None:
        page = program.get(f"rooms?limit=3&cursor={cursor}" if cursor else "rooms?limit=3").json()
        found += [room["name"] for room in page["items"]]
        cursor = page["nextCursor"]
    assert found == ["6", "5", "4", "3", "2", "1", "0"]


def test_the_list_has_fifty_unless_it_is_told_otherwise(program):
    make(51)
    assert len(names(program.get("rooms"))) == 50
    assert len(names(program.get("rooms?limit=100"))) == 51
    assert "pastSessions" not in program.get("rooms").json()["items"][0]


def test_the_list_is_searched_and_filtered(program):
    make(2, "a-")
    make(2, "A-")
    Room.objects.filter(name="a-0").update(closed=True)
    Room.objects.filter(name="a-1").update(e2ee=True)
    for query, expected in [
        ("search=a-", ["A-1", "a-1", "A-0", "a-0"]), ("search=a-0", ["A-0", "a-0"]),
        ("search=1_A-1", ["A-1"]),
        ("search=-0", ["A-0", "a-0"]), ("closed=true", ["a-0"]), ("e2ee=true", ["a-1"]),
        ("search=a-0&closed=false", ["A-0"]), ("search=0&e2ee=true", []), ("search=%25", []),
    ]:  # fmt: skip
        assert names(program.get(f"rooms?{query}")) == expected, query


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=", "closed=perhaps", "closed=", "e2ee=2", "q=x",
     "page=2", "search=", "cursor="],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused_by_its_name(program, query):
    answer = program.get(f"rooms?{query}")
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(query.partition("=")[0] + ": ")


@pytest.mark.parametrize(
    "cursor",
    ["x", "%FF", "%C3%A9", "MA", "MH4wfg==x", "cD0yMDI2", "MX4wfjk5OTktOTktOTkgOTk6OTk6OTkrMDA6MDA",
     "MH4wfjIwMjYtMDItMzAgMDA6MDA6MDArMDA6MDA", "MH4wfg" * 1000],
)  # fmt: skip
def test_a_cursor_that_was_not_given_out_is_refused(program, cursor):
    make(1)
    assert refusal(program.get(f"rooms?cursor={cursor}")) == (400, "cursor_invalid")


# Keys


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "rooms"), ("POST", "rooms"), ("GET", "rooms/x"), ("PATCH", "rooms/x"),
     ("DELETE", "rooms/x"), ("POST", "rooms/x/session"), ("PUT", "rooms/x")],
)  # fmt: skip
def test_it_takes_a_key_that_may_manage(server, opentok, method, path):
    assert refusal(server.request(method, f"/api/v1/{path}", json={})) == (401, "key_required")
    other = Program(server, can="join,record,view,list")
    assert refusal(other.call(method, path, json={})) == (403, "capability_missing")
    assert opentok.requests() == []


def test_a_key_for_some_rooms_sees_and_changes_no_others(program, school, opentok):
    program.post("rooms", name="lobby")
    program.post("rooms", name="school-1")
    assert names(school.get("rooms")) == ["school-1"]
    assert names(school.get("rooms?search=by")) == names(school.get("rooms?search=lobby")) == []
    session = program.get("rooms/lobby").json()["sessionId"]
    assert names(school.get(f"rooms?search={session}")) == []
    asked = len(opentok.requests())
    for answer in (
        school.get("rooms/lobby"), school.patch("rooms/lobby", closed=True),
        school.delete("rooms/lobby"), school.post("rooms/lobby/session"),
        school.post("rooms", name="lobby"), school.post("rooms", name="new"),
        school.get("rooms/unknown"),
    ):  # fmt: skip
        assert refusal(answer) == (403, "room_not_covered")
    assert len(opentok.requests()) == asked
    assert not Room.objects.get(name="lobby").closed
    assert school.post("rooms", name="school-2").status_code == 201
    assert school.patch("rooms/school-1", closed=True).status_code == 200
    assert school.delete("rooms/school-1").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "rooms", "GET, POST, HEAD, OPTIONS"), ("DELETE", "rooms", "GET, POST, HEAD, OPTIONS"),
     ("PUT", "rooms/x", "GET, PATCH, DELETE, HEAD, OPTIONS"), ("POST", "rooms/x", "GET, PATCH, DELETE, HEAD, OPTIONS")],
)  # fmt: skip
def test_another_method_is_refused_and_says_which_there_are(program, method, path, allowed):
    answer = program.call(method, path, json={})
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed

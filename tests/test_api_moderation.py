"""Who is in a room and what a moderator does there, under /api/v1/: with a key, or with a token."""

import json

import pytest

from tests.api_client import Program, refusal
from video import tokens

UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
CLASSES = {"items": [{"id": UNKNOWN, "layoutClassList": ["focus"]}]}
# All calls: method, what follows the room's name, body.
CALLS = [
    ("GET", "connections", None),
    ("DELETE", f"connections/{UNKNOWN}", None),
    ("GET", "streams", None),
    ("GET", f"streams/{UNKNOWN}", None),
    ("PUT", "streams", CLASSES),
    ("POST", f"streams/{UNKNOWN}/mute", None),
    ("POST", "mute", {}),
    ("DELETE", "mute", None),
    ("POST", "signals", {"data": "x"}),
]
EACH = pytest.mark.parametrize(("method", "below", "body"), CALLS)


@pytest.fixture
def session(program, opentok):
    """That of the room "lobby", with somebody in it."""
    session_id = program.post("rooms", name="lobby").json()["sessionId"]
    opentok.connect(session_id)
    return session_id


@pytest.fixture
def moderator(server, session):
    return Program(server, can="moderate")


def with_token(server, session, **options):
    """As a program, with a client token in place of a key."""
    program = Program(server)
    made = tokens.generate_token(session, lifetime=60, **options)
    program.headers = {"Authorization": f"Bearer {made}"}
    return program


def sent(opentok):
    last = opentok.requests()[-1]
    return last["method"], last["path"].split("/", 6)[-1], json.loads(last["body"] or "null")


def view_of(opentok, session):
    return opentok.control("GET", f"/sessions/{session}")


def test_who_is_connected_is_listed_and_thrown_out(moderator, session, opentok):
    connection = opentok.connect(session)
    listed = moderator.get("rooms/lobby/connections").json()
    assert list(listed) == ["items"]
    assert [each["connectionState"] for each in listed["items"]] == ["Connected"] * 2
    assert listed["items"][1]["connectionId"] == connection
    gone = moderator.delete(f"rooms/lobby/connections/{connection.upper()}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert len(moderator.get("rooms/lobby/connections").json()["items"]) == 1
    again = moderator.delete(f"rooms/lobby/connections/{connection}")
    assert refusal(again) == (404, "connection_not_found")


def test_streams_are_listed_laid_out_and_muted(moderator, session, opentok):
    stream = opentok.publish(session)
    assert [each["id"] for each in moderator.get("rooms/lobby/streams").json()["items"]] == [stream]
    laid = moderator.put(
        "rooms/lobby/streams", items=[{"id": stream.upper(), "layoutClassList": ["a"]}]
    )
    assert laid.status_code == 204
    assert moderator.get(f"rooms/lobby/streams/{stream}").json()["layoutClassList"] == ["a"]
    assert moderator.post(f"rooms/lobby/streams/{stream}/mute").status_code == 204
    assert not view_of(opentok, session)["streams"][0]["hasAudio"]


def test_all_are_muted_but_some_and_later_new_ones_no_more(moderator, session, opentok):
    one = opentok.publish(session)
    opentok.publish(session)
    muted = moderator.post("rooms/lobby/mute", excludedStreamIds=[one])
    assert muted.status_code == 204
    heard = {each["streamId"] for each in view_of(opentok, session)["streams"] if each["hasAudio"]}
    assert heard == {one}
    assert moderator.delete("rooms/lobby/mute").status_code == 204
    assert sent(opentok) == ("POST", "mute", {"active": False, "excludedStreamIds": []})


def test_a_signal_reaches_all_or_one(moderator, session, opentok):
    connection = opentok.connect(session)
    assert moderator.post("rooms/lobby/signals", data="", type="ü~ x").status_code == 204
    assert sent(opentok) == ("POST", "signal", {"data": "", "type": "ü~ x"})
    told = moderator.post("rooms/lobby/signals", data=" x ", connectionId=connection)
    assert told.status_code == 204
    assert sent(opentok) == ("POST", f"connection/{connection}/signal", {"data": " x "})
    gone = moderator.post("rooms/lobby/signals", data="x", connectionId=UNKNOWN)
    assert refusal(gone) == (404, "connection_not_found")


def test_a_signal_sent_again_is_sent_once(moderator, session, opentok):
    moderator.headers["Idempotency-Key"] = "a"
    before = len(opentok.requests())
    answers = [moderator.post("rooms/lobby/signals", data="x") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert len(opentok.requests()) == before + 1


def test_an_empty_room_has_empty_lists_and_nobody_to_reach(program, server, opentok):
    program.post("rooms", name="hall")
    moderator = Program(server, can="moderate")
    for path in ("connections", "streams"):
        assert moderator.get(f"rooms/hall/{path}").json() == {"items": []}
    for answer in (
        moderator.post("rooms/hall/mute"),
        moderator.delete("rooms/hall/mute"),
        moderator.post("rooms/hall/signals", data="x"),
    ):
        assert refusal(answer) == (409, "nobody_connected")
    assert refusal(moderator.get(f"rooms/hall/streams/{UNKNOWN}")) == (404, "stream_not_found")


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("POST", "signals", {}), ("POST", "signals", {"data": "x" * 8193}),
        ("POST", "signals", {"data": "é" * 4097}), ("POST", "signals", {"data": 5, "to": "x"}),
        ("POST", "signals", {"data": "x", "type": "é" * 65}),
        ("POST", "signals", {"data": "x", "connectionId": "../x"}),
        ("POST", "signals", {"data": None}), ("POST", "signals", []),
        ("POST", "mute", {"excludedStreamIds": ["x"]}), ("POST", "mute", {"excludedStreamIds": "x"}),
        ("POST", "mute", {"excludedStreams": [UNKNOWN]}), ("POST", f"streams/{UNKNOWN}/mute", {"a": 1}),
        ("PUT", "streams", {}), ("PUT", "streams", {"items": []}), ("PUT", "streams", {"items": {}}),
        ("PUT", "streams", {"items": [{"id": "x", "layoutClassList": []}]}),
        ("PUT", "streams", {"items": [{"id": UNKNOWN, "layoutClassList": ["a b"]}]}),
        ("PUT", "streams", {"items": [{"id": UNKNOWN}]}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_opentok_is_asked(
    moderator, opentok, method, below, body
):
    before = len(opentok.requests())
    answer = moderator.call(method, f"rooms/lobby/{below}", json=body)
    assert refusal(answer) == (400, "invalid")
    assert len(opentok.requests()) == before


@pytest.mark.parametrize("hostile", ["x", "..%2Fstream", f"{UNKNOWN}%3Fx=1", f"{UNKNOWN}%0A"])
def test_an_id_of_the_wrong_shape_is_not_found(moderator, opentok, hostile):
    before = len(opentok.requests())
    for answer, code in (
        (moderator.delete(f"rooms/lobby/connections/{hostile}"), "connection_not_found"),
        (moderator.get(f"rooms/lobby/streams/{hostile}"), "stream_not_found"),
        (moderator.post(f"rooms/lobby/streams/{hostile}/mute"), "stream_not_found"),
    ):
        assert refusal(answer) == (404, code)
    assert len(opentok.requests()) == before


def test_classes_of_a_stream_that_has_ended_are_refused(moderator):
    assert refusal(moderator.put("rooms/lobby/streams", **CLASSES)) == (
        400,
        "layout_classes_refused",
    )


# Who may


@EACH
def test_it_takes_a_key_that_may_moderate_that_very_room(
    server, session, opentok, method, below, body
):
    before = len(opentok.requests())
    for program, refused in (
        (Program(server, can="manage,join,call"), (403, "capability_missing")),
        (Program(server, can="moderate", rooms="school-"), (403, "room_not_covered")),
    ):
        answer = program.call(method, f"rooms/lobby/{below}", json=body)
        assert refusal(answer) == refused
    answer = server.request(method, f"/api/v1/rooms/lobby/{below}", json=body)
    assert refusal(answer) == (401, "client_token_required")
    assert len(opentok.requests()) == before


@EACH
def test_a_moderators_token_of_that_very_session_will_do(
    server, program, session, opentok, method, below, body
):
    other = program.post("rooms", name="hall").json()["sessionId"]
    before = len(opentok.requests())
    for holder, refused in (
        (with_token(server, other, role="moderator"), "session_not_covered"),
        (with_token(server, session, role="publisher"), "client_token_insufficient"),
        (with_token(server, session, role="subscriber"), "client_token_insufficient"),
    ):
        answer = holder.call(method, f"rooms/lobby/{below}", json=body)
        assert refusal(answer) == (403, refused)
    assert len(opentok.requests()) == before
    answer = with_token(server, session, role="moderator").call(
        method, f"rooms/lobby/{below}", json=body
    )
    assert answer.status_code in {200, 204, 400 if method == "PUT" else 404}
    assert len(opentok.requests()) == before + 1


def test_a_key_for_some_rooms_moderates_those(server, program, opentok):
    opentok.connect(program.post("rooms", name="school-1").json()["sessionId"])
    some = Program(server, can="moderate", rooms="school-")
    assert len(some.get("rooms/school-1/connections").json()["items"]) == 1


def test_the_token_of_a_past_session_moderates_no_more(server, program, session):
    holder = with_token(server, session, role="moderator")
    assert holder.get("rooms/lobby/streams").status_code == 200
    program.post("rooms/lobby/session")
    assert refusal(holder.get("rooms/lobby/streams")) == (403, "session_not_covered")


@EACH
def test_a_room_that_is_not_there_is_not_found(moderator, method, below, body):
    for end in ("", "/"):
        answer = moderator.call(method, f"rooms/nowhere/{below}{end}", json=body)
        assert refusal(answer) == (404, "room_not_found")


@EACH
def test_a_failure_of_opentok_is_told(moderator, opentok, method, below, body):
    opentok.fault(status=503)
    answer = moderator.call(method, f"rooms/lobby/{below}", json=body)
    assert refusal(answer) == (502, "opentok_failed")


def test_moderating_has_a_limit_of_its_own(limited, opentok):
    server = limited("moderate=1/hour")
    program = Program(server, can="manage,moderate")
    program.post("rooms", name="lobby")
    assert program.get("rooms/lobby/streams").status_code == 200
    assert refusal(program.delete("rooms/lobby/mute")) == (429, "rate_limited")
    assert program.get("rooms/lobby").status_code == 200

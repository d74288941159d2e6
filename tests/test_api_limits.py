"""Rate limits under /api/v1/: each key has its own, and each request counts for one of them."""

import json
import re
import uuid

import pytest

from api.openapi.views import schema
from rooms.models import Room
from tests.api_client import Program
from tests.server_process import statuses

OPERATIONS = {
    described["operationId"]: (method.upper(), path.removeprefix("/api/v1/"), described)
    for path, methods in json.loads(schema("json"))["paths"].items()
    for method, described in methods.items()
    if path.startswith("/api/v1/")
}
COUNTS_AS = {
    **dict.fromkeys(
        ["find_webhooks", "make_webhook", "get_webhook", "change_webhook", "delete_webhook",
         "renew_webhook_secret", "ping_webhook", "find_deliveries", "redeliver"],
        "archive",
    ),
    "find_rooms": "join",
    "make_room": "create",
    "get_room": "join",
    "change_room": "join",
    "delete_room": "join",
    "renew_session": "create",
    "make_token": "join",
    "invite": "join",
    "revoke_invitations": "join",
    "find_archives": "archive",
    **dict.fromkeys(["find_meetings", "get_meeting", "get_attendance"], "archive"),
    "find_entries": "archive",
    "start_archive": "record",
    "get_archive": "archive",
    "delete_archive": "record",
    "stop_archive": "record",
    **dict.fromkeys(["hold_archive", "release_archive"], "record"),
    "share_archive": "record",
    "revoke_shares": "record",
    "lay_out_archive": "record",
    "add_stream": "record",
    "remove_stream": "record",
    **dict.fromkeys(
        ["list_connections", "disconnect", "list_streams", "get_stream", "set_layout_classes",
         "get_presence", "list_bans", "ban", "lift_ban", "list_guests", "decide_about_guest", "mute_stream", "mute_all", "unmute_all", "send_signal", "stop_everything"],
        "moderate",
    ),
    **{
        f"{doing}_{kind}{where}": "archive"
        for kind in ["broadcasts", "captions", "renders", "calls", "audio_connectors"]
        for doing, where in [("find", ""), ("find", "_of_room"), ("look_at", "")]
    },
    **{
        f"stop_{kind}": "record"
        for kind in ["broadcasts", "captions", "renders", "calls", "audio_connectors"]
    },
    **{
        f"start_{kind}_in_room": "record"
        for kind in ["broadcast", "captions", "render", "call", "audio_connector"]
    },
    **dict.fromkeys(
        ["lay_out_broadcast", "add_stream_to_broadcast", "remove_stream_from_broadcast",
         "play_digits"],
        "record",
    ),
}  # fmt: skip
CAPABILITIES = "manage,broadcast,caption,call,moderate,audit"


def send(program, operation):
    method, path, _ = OPERATIONS[operation]
    path = path.replace("{guest_id}", str(uuid.uuid4()))
    return program.call(method, re.sub(r"\{\w+\}", "unknown", path), json={})


def test_each_operation_counts_once_for_the_limit_that_the_page_of_access_names(limited):
    server = limited("join=1/hour,create=1/hour,record=1/hour,archive=1/hour,moderate=1/hour")
    assert COUNTS_AS.keys() == OPERATIONS.keys()
    for operation, name in COUNTS_AS.items():
        # All from one address: a key has limits of its own.
        program = Program(server, can=CAPABILITIES)
        first, second = send(program, operation), send(program, operation)
        assert first.status_code in {200, 400, 404}, operation
        assert second.status_code == 429, operation
        assert second.headers["RateLimit-Policy"] == f'"{name}";q=1;w=3600', operation


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refusal_is_described_with_its_headers(operation):
    refusal = OPERATIONS[operation][2]["responses"]["429"]
    assert "`rate_limited`" in refusal["description"]
    assert refusal["headers"].keys() == {"Retry-After", "RateLimit", "RateLimit-Policy"}


def test_who_comes_too_often_is_told_when_to_come_back(limited, opentok):
    program = Program(limited("create=1/hour"))
    assert program.post("rooms", name="lobby").status_code == 201
    answer = program.post("rooms", name="hall")
    wait = int(answer.headers["Retry-After"])
    assert 3500 < wait <= 3600
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["RateLimit"] == f'"create";r=0;t={wait}'
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed)
    # Nothing was done, and nobody else is held to it.
    assert len(opentok.requests()) == 1
    assert Program(program.server).post("rooms", name="hall").status_code == 201
    assert program.server.get("/room/new").status_code == 200


def test_exactly_as_many_come_through_two_processes_with_redis_as_the_limit_says(limited, redis):
    Room.objects.create(name="lobby", session_id="1_lobby")
    program = Program(limited("join=30/hour", REDIS_URL=redis.url, WEB_CONCURRENCY="2"))
    told = statuses(program.server, ["/api/v1/rooms/lobby"] * 100, lambda number: program.headers)
    assert told == {200: 30, 429: 70}


def test_what_a_key_does_counts_wherever_it_does_it(limited):
    program = Program(limited("join=3/hour"), can="manage,join")
    program.post("rooms", name="lobby")
    asked = [
        program.server.get("/room/lobby", headers=program.headers),
        program.post("rooms/lobby/tokens"),
        program.get("rooms"),
        program.post("rooms/lobby/tokens"),
    ]
    assert [answer.status_code for answer in asked] == [200, 201, 200, 429]


def test_without_a_key_nothing_is_counted(limited):
    server = limited("join=1/hour")
    assert statuses(server, ["/api/v1/rooms"] * 5) == {401: 5}
    assert server.get("/room/lobby").status_code == 200


def post_room(program, server, key):
    headers = program.headers | {"Idempotency-Key": key}
    return server.post("/api/v1/rooms", json={"name": f"exam {key}"}, headers=headers)


def test_a_limit_holds_for_what_is_sent_again_and_takes_no_answer_away(limited, opentok):
    server = limited("create=2/hour")
    later = limited("off", SECRET_KEY=server.environment["SECRET_KEY"])
    program = Program(server)
    first, again, refused = [post_room(program, server, "1") for _ in range(3)]
    assert [first.status_code, again.status_code, refused.status_code] == [201, 201, 429]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in refused.headers
    # Nor is the refusal an answer that would be given again.
    assert post_room(program, server, "2").status_code == 429
    answers = [post_room(program, later, key) for key in ("1", "2")]
    assert answers[0].content == first.content
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == ["true", None]
    assert len(opentok.requests()) == 2

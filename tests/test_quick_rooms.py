"""The quick way to a room's credentials says and does what Django's way says and does."""

import json
import os
import random
from datetime import timedelta
from functools import partial
from io import BytesIO

import jwt
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.utils import timezone

from access.models import ApiKey
from config.wsgi import application
from rooms import quick
from rooms.models import Room
from telemetry import logs

NAMES = [
    "lobby",
    "Zürich",
    "a b",
    "sl/",
    "100%",
    "x,y;z=1",
    "…",
    "closed",
    "early",
    "coded",
    "long",
]
SEGMENTS = [
    "lobby", "Z%C3%BCrich", "Zu%CC%88rich", "a%20b", "a+b", "sl%2F", "sl%2f", "100%25", "100%", "x,y;z=1",
    "x%2Cy;z=1", "%E2%80%A6", "%FF", "%00", "closed", "early", "coded", "long", "LOBBY", "lobby/", "lobby//",
    "", "/", ".", "..", "unknown", "lo%62by", "%zz", "a" * 201, "%C3%BC" * 150, "lobby%0A", "caf\xe9", "lob by",
]  # fmt: skip
QUERIES = ["?", "?e2ee=true", "?code=1234", "?x=%FF", "?x=%00", "#fragment"]
HEADERS = {
    "HTTP_HOST": ["rooms.example", "rooms.example:8080", "[::1]:80", "evil.example", "", "a b", "$(x)", "a,b"],
    "HTTP_ORIGIN": ["https://app.example", "https://evil.example", "null"],
    "HTTP_X_REQUEST_ID": ["abc-123", "<script>", "x" * 65, ""],
    "HTTP_AUTHORIZATION": ["Bearer otr_wrong", "Basic eDp5", "", "{key}"],
    "HTTP_X_ACCESS_CODE": ["1234", ""],
    "HTTP_ACCEPT": ["text/html", "*/*", "application/json"],
    "HTTP_X_FORWARDED_FOR": ["203.0.113.7", "203.0.113.7, 10.0.0.1", "nonsense", "2001:db8::1"],
    "HTTP_X_FORWARDED_PROTO": ["https", "http", "http, https", "https,http", ""],
    "HTTP_COOKIE": ["sessionid=x", "x" * 33_000],
    "HTTP_CONTENT_ENCODING": ["gzip", "klingon"],
    "HTTP_TRANSFER_ENCODING": ["chunked"],
    "HTTP_EXPECT": ["100-continue"],
    "HTTP_IF_NONE_MATCH": ["*"],
    "CONTENT_LENGTH": ["0", "2", "999999999"],
    "CONTENT_TYPE": ["application/json", "text/plain; charset=hex"],
}  # fmt: skip
SETTINGS = {
    "ALLOWED_HOSTS": [["*"], ["rooms.example"], [".example"]],
    "CORS_ALLOWED_ORIGINS": [["*"], ["https://app.example"], []],
    "ANONYMOUS_ACCESS": [["join", "view"]] * 4 + [["view"]],
    "SECURE_SSL_REDIRECT": [False] * 4 + [True],
    "TRUSTED_PROXIES": [0, 1],
    "TOKEN_ROLE": ["publisher", "moderator"],
}


@pytest.fixture
def rooms(opentok, transactional_db, settings):
    """One of each kind, and no others are made."""
    settings.ROOM_CREATION = "keys"
    for name in NAMES:
        Room.objects.add(name, e2ee=False)
    now = timezone.now()
    Room.objects.get(name="closed").change_policy(closed=True)
    Room.objects.get(name="early").change_policy(opens_at=now + timedelta(days=1, seconds=-0.5))
    Room.objects.get(name="coded").change_policy(access_code="1234")
    Room.objects.get(name="long").change_policy(token_lifetime=86_400 * 20)


@pytest.fixture
def key(transactional_db):
    key = ApiKey(name="test", capabilities=["join"])
    key.issue()
    return key.text


@pytest.fixture
def log(monkeypatch, tmp_path):
    """Returns the lines of the requests since it was last called."""
    with (tmp_path / "log").open("w+b") as file:
        monkeypatch.setattr(logs, "STANDARD_OUTPUT", file.fileno())

        def lines():
            file.seek(0)
            told = [json.loads(line) for line in file.read().splitlines()]
            os.ftruncate(file.fileno(), 0)
            file.seek(0)
            return told

        yield lines


def environ_of(method, uri, headers):
    path, _, query = uri.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": uri,
        "QUERY_STRING": query,
        "SERVER_NAME": "rooms.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(b"{}"),
        "HTTP_HOST": "rooms.example",
        **headers,
    }


def answer_to(environ, answer):
    """Status, headers and body, without what differs between two answers to one request."""
    said = {}

    def start_response(line, fields, *ignored):
        said.update(status=int(line[:3]), headers={name.title(): text for name, text in fields})

    response = answer(environ, start_response)
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    if (request_id := said["headers"]["X-Request-Id"]) != environ.get("HTTP_X_REQUEST_ID"):
        assert len(said["headers"].pop("X-Request-Id")) == 16
        body = body.replace(request_id.encode(), b"")
    if said["status"] == 200 and environ["REQUEST_METHOD"].upper() == "GET":
        told = json.loads(body)
        before, token = body.split(told["token"].encode())[0], told["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        claims["exp"] -= claims.pop("iat")
        said["claims"] = {name: claims[name] for name in claims if name != "nonce"}
        body = before
        del said["headers"]["Content-Length"]  # the nonce is of one to six digits
    return said | {"body": body}


def line_of(told):
    return {
        name: told[name]
        for name in told
        if name not in {"time", "request_id", "duration_ms", "bytes"}
    }


def both_ways(log, method, uri, headers):
    """What the quick way and Django's say, and whether the quick way said it by itself."""
    told = []
    for answer in (application, partial(WSGIHandler.__call__, application)):
        log()
        said = answer_to(environ_of(method, uri, headers), answer)
        told.append((said, [line_of(line) for line in log()]))
    environ = environ_of(method, uri, headers)
    name = quick.room_asked_for(environ)
    return *told, bool(name and quick.answer(environ, name))


def test_both_ways_answer_alike_to_some_thousand_requests(rooms, key, settings, log):
    chance = random.Random(11)
    alone = 0
    for number in range(2000):
        if number % 25 == 0:
            for name, values in SETTINGS.items():
                setattr(settings, name, chance.choice(values))
            settings.SECURE_PROXY_SSL_HEADER = (
                ("HTTP_X_FORWARDED_PROTO", "https") if settings.SECURE_SSL_REDIRECT else None
            )
        method = chance.choice(["GET"] * 30 + ["HEAD", "POST", "OPTIONS", "DELETE", "get"])
        path = chance.choice(["/room/"] * 30 + ["/session/", "/rooms/", "/Room/", "http://x/room/"])
        uri = (
            path + chance.choice(SEGMENTS[:12] * 2 + SEGMENTS) + chance.choice([""] * 20 + QUERIES)
        )
        chosen = chance.sample(sorted(HEADERS), chance.choice([0, 0, 0, 1, 1, 2]))
        headers = {
            name: chance.choice(HEADERS[name]).format(key=f"Bearer {key}") for name in chosen
        }
        quickly, slowly, was_quick = both_ways(log, method, uri, headers)
        if quickly != slowly and "early" in uri:  # a second of its wait has ended between the two
            quickly, slowly, was_quick = both_ways(log, method, uri, headers)
        assert quickly == slowly, (method, uri, headers)
        alone += was_quick
    assert alone > 150


@pytest.mark.parametrize("name", ["lobby", "Z%C3%BCrich", "sl%2F", "long", "x,y;z=1"])
def test_a_plain_request_for_an_open_room_is_answered_the_quick_way(name, rooms, log):
    quickly, slowly, was_quick = both_ways(log, "GET", f"/room/{name}", {})
    assert was_quick
    assert quickly == slowly
    assert quickly[0]["status"] == 200


def test_a_first_visit_makes_the_room_the_quick_way(opentok, transactional_db, log):
    environ = environ_of("GET", "/room/new", {})
    found = quick.answer(environ, "new")
    assert json.loads(found.body)["sessionId"] == Room.objects.get(name="new").session_id
    assert [line_of(line) for line in log()] == [
        {"level": "info", "method": "GET", "route": "/room/<name>", "status": 200}
    ]


@pytest.mark.parametrize(("status", "said"), [(500, 502), (403, 502), (429, 503)])
def test_a_first_visit_that_opentok_fails_is_refused_alike_both_ways(
    status, said, opentok, transactional_db, log
):
    opentok.fault(path="/session/create", status=status)
    quickly, slowly, was_quick = both_ways(log, "GET", "/room/new", {})
    assert quickly == slowly
    assert quickly[0]["status"] == said
    assert not was_quick
    assert not Room.objects.exists()


def test_a_first_visit_that_fails_counts_once(limited, opentok):
    server = limited("join=3/minute")
    opentok.fault(path="/session/create", status=500)
    answers = [server.get(f"/room/new-{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [502] * 3 + [429]


def test_a_first_visit_that_fails_is_logged_with_the_time_that_it_took(
    opentok, transactional_db, log
):
    opentok.fault(path="/session/create", status=500, delay=0.3)
    answer_to(environ_of("GET", "/room/new", {"HTTP_X_REQUEST_ID": "abc"}), application)
    (line,) = log()
    assert line["request_id"] == "abc"
    assert line["duration_ms"] >= 300


def test_a_server_with_the_quick_way_off_never_goes_it(rooms, settings):
    settings.QUICK_ROOMS = False
    assert quick.room_asked_for(environ_of("GET", "/room/lobby", {})) is None


def test_a_limit_holds_the_quick_way_as_well(limited):
    server = limited("join=5/minute")
    answers = [server.get("/room/lobby") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert answers[-1].json()["code"] == "rate_limited"


@pytest.mark.parametrize("change", ["update", "save", "delete", "api"])
def test_what_one_process_changes_holds_at_once_in_all_others(change, server, program):
    session = server.get("/room/lobby").json()["sessionId"]
    for _ in range(20):  # by new connections, so that both processes keep the row
        assert server.get("/room/lobby", headers={"Connection": "close"}).status_code == 200
    room = Room.objects.get(name="lobby")
    if change == "update":
        Room.objects.filter(name="lobby").update(closed=True)
    elif change == "save":
        room.change_policy(closed=True)
    elif change == "delete":
        room.delete()
    else:
        assert program.patch("rooms/lobby", closed=True).status_code == 200
    answers = [server.get("/room/lobby", headers={"Connection": "close"}) for _ in range(20)]
    if change == "delete":
        assert session not in {answer.json()["sessionId"] for answer in answers}
    else:
        assert {answer.json().get("code") for answer in answers} == {"room_closed"}


def test_a_note_that_a_room_was_used_changes_nothing_for_others(rooms):
    before = quick.generation.current()
    room = Room.objects.get(name="lobby")
    Room.objects.filter(pk=room.pk).update(last_used_at=timezone.now() - timedelta(hours=1))
    room.refresh_from_db()
    room.note_use()
    assert quick.generation.current() == before

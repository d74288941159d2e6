"""GET /session and GET /room/<name>: what every client does first."""

import unicodedata
from urllib.parse import parse_qs, quote

import jwt
import pytest


def session_of(server, path):
    return server.get(path).json()["sessionId"]


def name_of_the_room_at(server, opentok, path):
    """A room's name is nowhere in its credentials; its recordings bear it."""
    session_id = session_of(server, path)
    opentok.connect(session_id)
    return server.post("/archive/start", json={"sessionId": session_id}).json()["name"]


# GET /session


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/session", {}, id="plain"),
        pytest.param("/session/", {}, id="trailing slash"),
        pytest.param("/session", {"Accept": "text/html,*/*;q=0.8"}, id="address bar"),
        pytest.param("/session", {"Host": "anything.example"}, id="foreign host"),
        pytest.param("/session", {"X-Forwarded-Proto": "https"}, id="behind a TLS proxy"),
    ],
)
def test_session_redirects_by_a_path_alone_to_the_room_of_that_name(server, path, headers):
    answer = server.get(path, headers=headers)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/room/session"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_head_of_session_has_the_same_head_and_no_body(server, opentok):
    answer = server.request("HEAD", "/session")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/room/session"
    assert answer.content == b""
    assert opentok.requests() == []


@pytest.mark.parametrize("query", ["e2ee=true", "a=1&b=%2F%20x&a=2"])
def test_session_carries_its_query_along(server, query):
    assert server.get(f"/session?{query}").headers["Location"] == f"/room/session?{query}"


def test_an_encrypted_session_can_be_asked_for(server, opentok):
    assert server.get(server.get("/session?e2ee=true").headers["Location"]).status_code == 200
    (request,) = opentok.requests()
    assert parse_qs(request["body"])["e2ee"] == ["true"]


@pytest.mark.parametrize("path", ["/SESSION", "/Session", "/ROOM/x", "/Room/x", "/ARCHIVE"])
def test_the_literal_parts_of_a_path_are_case_sensitive(server, opentok, path):
    assert server.get(path).status_code == 404
    assert opentok.requests() == []


# GET /room/<name>


@pytest.mark.parametrize("path", ["/room/session", "/room/lobby"])
def test_the_first_visit_makes_the_room_and_answers_200(server, opentok, path):
    answer = server.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    credentials = answer.json()
    assert credentials["apiKey"] == opentok.api_key
    assert all(isinstance(credentials[key], str) for key in ("apiKey", "sessionId", "token"))
    assert None not in credentials.values()
    assert credentials["applicationId"] == credentials["apiKey"]


def test_the_session_is_routed_and_not_recorded_by_itself(server, opentok):
    server.get("/room/lobby")
    (request,) = opentok.requests()
    assert (request["method"], request["path"]) == ("POST", "/session/create")
    form = parse_qs(request["body"])
    assert (form["p2p.preference"], form["archiveMode"]) == (["disabled"], ["manual"])


def test_the_second_visit_gets_the_same_session_and_another_token(server, opentok):
    first, second = server.get("/room/lobby").json(), server.get("/room/lobby").json()
    assert first["sessionId"] == second["sessionId"]
    assert first["token"] != second["token"]
    assert len(opentok.requests()) == 1


def test_the_token_opens_the_session_to_a_publisher(server, opentok):
    credentials = server.get("/room/lobby").json()
    claims = jwt.decode(credentials["token"], opentok.secret, algorithms=["HS256"])
    assert claims["session_id"] == credentials["sessionId"]
    assert claims["iss"] == credentials["apiKey"]
    assert claims["scope"] == "session.connect"
    assert claims["role"] == "publisher"


# Names


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        pytest.param("my%20room", "my room", id="space"),
        pytest.param("my+room", "my+room", id="plus is no space"),
        pytest.param("%20x%20", " x ", id="spaces around"),
        pytest.param("12:34", "12:34", id="colon"),
        pytest.param(":001", ":001", id="leading colon"),
        pytest.param(":name", ":name", id="the placeholder itself"),
        pytest.param("ada-1234_5~6!$&'()*,;=@", "ada-1234_5~6!$&'()*,;=@", id="punctuation"),
        pytest.param("a%2Fb", "a/b", id="encoded slash"),
        pytest.param("a/b", "a/b", id="slash"),
        pytest.param("x/join", "x/join", id="join is no page here"),
        pytest.param("%2525", "%25", id="decoded once only"),
        pytest.param("a%3Fb%23c", "a?b#c", id="encoded ? and #"),
        pytest.param("%3Cb%3E", "<b>", id="markup"),
        pytest.param(".", ".", id="dot"),
        pytest.param("..", "..", id="two dots"),
        pytest.param("%2E%2E", "..", id="two encoded dots"),
        pytest.param("a.b.json", "a.b.json", id="dots inside"),
        pytest.param(quote("Zürich-会议-🎥"), "Zürich-会议-🎥", id="Unicode"),
        pytest.param("__proto__", "__proto__", id="__proto__"),
        pytest.param("constructor", "constructor", id="constructor"),
        pytest.param("toString", "toString", id="toString"),
        pytest.param("undefined", "undefined", id="undefined"),
        pytest.param("start", "start", id="a word of another path"),
        pytest.param("r" * 200, "r" * 200, id="200 characters"),
        pytest.param(quote("🎥" * 200), "🎥" * 200, id="200 wide characters"),
    ],
)
def test_a_name_is_what_the_path_says_decoded_once(server, opentok, segment, name):
    assert name_of_the_room_at(server, opentok, f"/room/{segment}") == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("x", "X", id="case"),
        pytest.param("%C3%A4", "%C3%84", id="case beyond ASCII"),
        pytest.param("my%20room", "my+room", id="plus and space"),
        pytest.param("x", "x%20", id="trailing space"),
        pytest.param("a", "%C3%A4", id="umlaut"),
    ],
)
def test_names_that_look_alike_are_two_rooms(server, one, other):
    assert session_of(server, f"/room/{one}") != session_of(server, f"/room/{other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("x", "x/", id="trailing slash"),
        pytest.param("x", "%78", id="needless encoding"),
        pytest.param("x", "x?y=1", id="query"),
        pytest.param(
            quote(unicodedata.normalize("NFC", "Zürich")),
            quote(unicodedata.normalize("NFD", "Zürich")),
            id="NFC and NFD",
        ),
    ],
)
def test_two_spellings_of_a_name_are_one_room(server, opentok, one, other):
    assert session_of(server, f"/room/{one}") == session_of(server, f"/room/{other}")
    assert len(opentok.requests()) == 1


@pytest.mark.parametrize(
    "segment",
    [
        pytest.param("%20", id="blank"),
        pytest.param("%E2%80%83", id="blank beyond ASCII"),
        pytest.param("a%00b", id="NUL"),
        pytest.param("a%0Ab", id="line break"),
        pytest.param("a%0A", id="line break at the end"),
        pytest.param("%7F", id="control character"),
        pytest.param("r" * 201, id="201 characters"),
        pytest.param("r" * 2_000, id="2,000 characters"),
        pytest.param("r" * 17_000, id="17,000 characters"),
    ],
)
def test_what_cannot_be_a_name_makes_no_room(server, opentok, segment):
    answer = server.get(f"/room/{segment}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "room_name_invalid"
    assert opentok.requests() == []


@pytest.mark.parametrize("path", ["/room", "/room/"])
def test_a_room_without_a_name_is_not_found(server, opentok, path):
    assert server.get(path).status_code == 404
    assert opentok.requests() == []


# HEAD


def test_a_head_makes_no_room(server, opentok):
    answer = server.request("HEAD", "/room/nobody-was-here")
    assert answer.status_code == 404
    assert answer.content == b""
    assert opentok.requests() == []


def test_a_head_of_a_room_says_that_it_is_there(server):
    server.get("/room/lobby")
    answer = server.request("HEAD", "/room/lobby/")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("path", ["/session", "/session/", "/room/lobby", "/room/lobby/"])
def test_no_cache_may_keep_credentials_or_the_way_to_them(server, path):
    assert server.get(path).headers["Cache-Control"] == "no-store"

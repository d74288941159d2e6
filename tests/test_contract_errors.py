"""Every error is JSON with an `error`, has the right status, and tells nothing it should not."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server_process import Server, free_port

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
MARK = "upstream said 10.11.12.13"
# Of the project that the tests' server is configured with, but of no room.
SESSION = "1_MX40NTk5OTk5OX5-MTcwMDAwMDAwMDAwMH5jbUZ1Wkc5dH5-fg"
STOP = f"/archive/{UNKNOWN}/stop"
CALLS = [
    ("GET", "/room/x"),
    ("POST", "/archive/start"),
    ("POST", STOP),
    ("GET", f"/archive/{UNKNOWN}"),
    ("GET", f"/archive/{UNKNOWN}/view"),
    ("GET", "/archive"),
]


def call(server, method, path):
    """One of CALLS, complete."""
    return server.request(method, path, json={"sessionId": SESSION} if method == "POST" else None)


def body_of(size):
    """A start request of exactly that many bytes, of no session."""
    frame = '{"sessionId":"%s"}'
    return frame % ("x" * (size - len(frame) + 2))


def assert_problem(answer, status, code):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "requestId", "error"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["error"] == problem["detail"] != ""
    assert code in problem["type"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Powered-By" not in answer.headers


# The caller's mistakes


MISTAKES = [
    pytest.param("GET", "/nope", {}, 404, "not_found", id="unknown path"),
    pytest.param("POST", "/nope", {"json": {}}, 404, "not_found", id="POST to an unknown path"),
    pytest.param("GET", "/favicon.ico", {}, 404, "not_found", id="favicon.ico"),
    pytest.param("GET", "/static/nope.css", {}, 404, "not_found", id="unknown static file"),
    pytest.param("GET", "/room/", {}, 404, "not_found", id="room without a name"),
    pytest.param("GET", "/room/%20", {}, 400, "room_name_invalid", id="blank name"),
    pytest.param("GET", "/room/%E0%A4", {}, 400, "address_not_text", id="cut-off character"),
    pytest.param("GET", "/room/caf%E9", {}, 400, "address_not_text", id="latin-1 encoding"),
    pytest.param("GET", "/archive/%FF/view", {}, 400, "address_not_text", id="encoding in an id"),
    pytest.param("GET", "/%FF", {}, 400, "address_not_text", id="encoding in an unknown path"),
    pytest.param("GET", "/archive?count=abc", {}, 400, "invalid", id="bad query"),
    pytest.param("GET", "/archive/x", {}, 404, "archive_not_found", id="id of no uuid"),
    pytest.param("POST", "/archive/start", {"json": {}}, 400, "invalid", id="sessionId missing"),
    pytest.param(
        "POST", "/archive/start", {"json": {"sessionId": "x"}}, 400, "session_invalid",
        id="sessionId of no form",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": "{", "headers": JSON}, 400, "parse_error",
        id="malformed JSON",
    ),
    pytest.param(
        "POST", f"/archive/{UNKNOWN}/stop", {"data": "{", "headers": JSON}, 400, "parse_error",
        id="malformed JSON to stop",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": '{"sessionId": "1_a", "sessionId": "1_b"}', "headers": JSON},
        400, "parse_error", id="a name twice",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": '{"x": [{"a": 1, "b": {"c": 1, "c": 1}}]}', "headers": JSON},
        400, "parse_error", id="a name twice, deep",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": '{"sessionId": NaN}', "headers": JSON}, 400, "parse_error",
        id="NaN",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": '{"sessionId": "x"}'.encode("utf-16"), "headers": JSON},
        400, "parse_error", id="UTF-16",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": body_of(102_401), "headers": JSON}, 413,
        "body_too_large", id="body too large",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": "a=" + "x" * 110_000, "headers": FORM}, 413,
        "body_too_large", id="form too large",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": iter([b'{"sessionId": ', b'"x"}'])}, 411,
        "length_required", id="chunked body",
    ),
    pytest.param(
        "POST", "/archive/start",
        {"data": "{}", "headers": {"Content-Type": "application/json; charset=latin1"}}, 415,
        "unsupported_media_type", id="charset latin1",
    ),
    pytest.param(
        "POST", "/archive/start",
        {"data": "{}", "headers": {"Content-Type": "application/json; charset=x-none"}}, 415,
        "unsupported_media_type", id="unknown charset",
    ),
    pytest.param(
        "POST", "/archive/start", {"data": "{}", "headers": {"Content-Type": "text/plain"}}, 415,
        "unsupported_media_type", id="text",
    ),
    pytest.param(
        "POST", "/archive/start", {"files": {"sessionId": "x"}}, 415, "unsupported_media_type",
        id="multipart",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "options", "status", "code"), MISTAKES)
def test_a_mistake_is_answered_with_a_problem(server, opentok, method, path, options, status, code):
    assert_problem(server.request(method, path, **options), status, code)
    assert opentok.requests() == []


@pytest.mark.parametrize("size", [102_399, 102_400])
def test_a_body_of_up_to_100_kilobytes_is_read(server, size):
    answer = server.post("/archive/start", data=body_of(size), headers=JSON)
    assert_problem(answer, 400, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        pytest.param("POST", "/session", "GET", id="POST session"),
        pytest.param("POST", "/room/x", "GET", id="POST room"),
        pytest.param("DELETE", "/room/x", "GET", id="DELETE room"),
        pytest.param("PUT", "/room/x/", "GET", id="PUT room with slash"),
        pytest.param("POST", "/archive", "GET", id="POST list"),
        pytest.param("GET", "/archive/start", "POST", id="GET start"),
        pytest.param("GET", f"/archive/{UNKNOWN}/stop", "POST", id="GET stop"),
        pytest.param("POST", f"/archive/{UNKNOWN}", "GET", id="POST recording"),
        pytest.param("DELETE", f"/archive/{UNKNOWN}", "GET", id="DELETE recording"),
        pytest.param("DELETE", "/archive/x", "GET", id="DELETE of no uuid"),
        pytest.param("POST", f"/archive/{UNKNOWN}/view", "GET", id="POST view"),
        pytest.param("POST", "/", "GET", id="POST index page"),
        pytest.param("BREW", "/session", "GET", id="unknown method"),
    ],
)
def test_a_wrong_method_is_a_405_that_says_which_are_right(server, opentok, method, path, allowed):
    answer = server.request(method, path, json={"sessionId": SESSION})
    assert_problem(answer, 405, "method_not_allowed")
    allow = answer.headers["Allow"].replace(" ", "").split(",")
    assert allowed in allow
    assert method not in allow
    assert opentok.requests() == []


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_error_to_a_head_has_no_body(server, method):
    answer = server.request(method, "/nope")
    assert answer.status_code == 404
    assert bool(answer.content) is (method == "GET")


# Who gets a page


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        pytest.param("GET", "/nope", {}, 404, id="unknown path"),
        pytest.param("GET", "/room/%20", {}, 400, id="blank name"),
        pytest.param("GET", "/room/%FF", {}, 400, id="bad percent-encoding"),
        pytest.param("GET", f"/archive/{UNKNOWN}/view", {}, 404, id="unknown recording"),
        pytest.param("POST", "/room/x", {}, 405, id="wrong method"),
        pytest.param("POST", "/archive/start", {"data": "x" * 102_401}, 413, id="too large"),
    ],
)
def test_a_browser_gets_the_same_error_as_a_page(server, method, path, options, status):
    answer = server.request(method, path, headers=BROWSER, **options)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<!doctype html>" in answer.text.lower()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Traceback" not in answer.text


def test_a_media_type_in_capitals_is_the_same_type(server):
    answer = server.get("/nope", headers={"Accept": "TEXT/HTML"})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param("application/json", id="JSON"),
        pytest.param("application/json, text/html;q=0.9", id="JSON rather than HTML"),
        pytest.param("*/*", id="anything"),
        pytest.param("text/plain", id="text"),
        pytest.param("application/xml;q=0.5, image/webp", id="nothing we have"),
        pytest.param("nonsense;;,/", id="nonsense"),
        pytest.param(None, id="no header"),
    ],
)
def test_everybody_else_gets_json(server, accept):
    assert_problem(server.get("/nope", headers={"Accept": accept}), 404, "not_found")
    assert server.get("/room/x", headers={"Accept": accept}).json()["token"]


# Trouble at OpenTok


TROUBLE = [
    pytest.param({"status": 401}, 502, "opentok_refused_credentials", id="401"),
    pytest.param({"status": 403}, 502, "opentok_refused_credentials", id="403"),
    pytest.param({"status": 429}, 503, "opentok_rate_limited", id="429"),
    pytest.param({"status": 500}, 502, "opentok_failed", id="500"),
    pytest.param({"status": 503, "body": f"<html>{MARK}</html>"}, 502, "opentok_failed", id="503"),
    pytest.param(
        {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, 502, "opentok_failed",
        id="redirect",
    ),
    pytest.param({"status": 200, "body": f"<p>{MARK}"}, 502, "opentok_failed", id="200 with HTML"),
    pytest.param({"status": 200, "body": ""}, 502, "opentok_failed", id="200 with nothing"),
    pytest.param({"status": 200, "body": "null"}, 502, "opentok_failed", id="200 with null"),
    pytest.param({"status": 200, "body": "[]"}, 502, "opentok_failed", id="200 with no session"),
    pytest.param({"status": 200, "body": {"a": MARK}}, 502, "opentok_failed", id="200, no items"),
    pytest.param({"drop": True}, 503, "opentok_unavailable", id="connection lost"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "status", "code"), TROUBLE)
def test_trouble_at_opentok_is_told_apart_and_survived(server, opentok, fault, status, code):
    body = {"body": {"code": -1, "message": MARK}} if fault.get("status", 0) >= 400 else {}
    opentok.fault(**body | fault)
    for method, path in CALLS:
        answer = call(server, method, path)
        assert_problem(answer, status, code)
        assert "10.11.12.13" not in answer.text
        assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "fault", "status", "code"),
    [
        pytest.param("GET", "/room/x", {"status": 400}, 502, "opentok_failed", id="room, 400"),
        pytest.param("GET", "/room/x", {"status": 404}, 502, "opentok_failed", id="room, 404"),
        pytest.param("GET", "/room/x", {"status": 409}, 502, "opentok_failed", id="room, 409"),
        pytest.param(
            "POST", "/archive/start", {"status": 400}, 400, "archive_refused", id="start, 400"
        ),
        pytest.param(
            "POST", "/archive/start", {"status": 404}, 409, "nobody_connected", id="start, 404"
        ),
        pytest.param(
            "POST", "/archive/start", {"status": 409}, 409, "archive_conflict", id="start, 409"
        ),
        pytest.param("POST", STOP, {"status": 404}, 404, "archive_not_found", id="stop, 404"),
        pytest.param("POST", STOP, {"status": 409}, 409, "archive_not_running", id="stop, 409"),
        pytest.param("GET", "/archive", {"status": 400}, 502, "opentok_failed", id="list, 400"),
    ],
)
def test_what_opentok_refuses_has_a_status_of_its_own(
    server, opentok, method, path, fault, status, code
):
    opentok.fault(body={"code": -1, "message": MARK}, **fault)
    answer = call(server, method, path)
    assert_problem(answer, status, code)
    assert MARK not in answer.text


def test_a_room_that_could_not_be_made_is_made_at_the_next_visit(server, opentok):
    opentok.fault(status=500, times=1)
    assert server.get("/room/x").status_code == 502
    assert server.request("HEAD", "/room/x").status_code == 404
    assert server.get("/room/x").status_code == 200


def test_a_busy_opentok_says_when_to_try_again(server, opentok):
    opentok.fault(status=429, headers={"Retry-After": "17"})
    assert server.get("/room/x").headers["Retry-After"] == "17"


def test_a_browser_gets_a_page_when_opentok_is_down(server, opentok):
    opentok.fault(drop=True)
    answer = server.get(f"/archive/{UNKNOWN}/view", headers=BROWSER)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_server_with_the_wrong_secret_says_whose_fault_it_is(server, opentok):
    with Server(OPENTOK_API_URL=opentok.url, TOKBOX_SECRET="0" * 40) as misconfigured:
        answer = misconfigured.get("/room/x")
        assert_problem(answer, 502, "opentok_refused_credentials")
        assert "clock" in answer.json()["error"]


def test_nothing_listening_at_opentok_is_a_503_and_no_secret_in_the_log(server):
    address = f"127.0.0.1:{free_port()}"
    with Server(OPENTOK_API_URL=f"http://{address}") as alone:
        for method, path in CALLS:
            answer = call(alone, method, path)
            assert_problem(answer, 503, "opentok_unavailable")
            assert address not in answer.text
        log = alone.stop()
    assert "opentok_unavailable" in log
    assert "eyJ" not in log, "the beginning of every JWT"
    assert "5ca1ab1e" not in log, "the beginning of the secret"


def test_a_call_to_a_hanging_opentok_ends_at_its_deadline(server, opentok):
    opentok.fault(path="/archive", hang=True)
    opentok.fault(path="/session/create", drip=0.2)

    def timed(method_and_path):
        began = time.monotonic()
        answer = call(impatient, *method_and_path)
        return answer, time.monotonic() - began

    with (
        Server(OPENTOK_API_URL=opentok.url, OPENTOK_TIMEOUT="1") as impatient,
        ThreadPoolExecutor(len(CALLS)) as callers,
    ):
        for answer, seconds in callers.map(timed, CALLS):
            assert_problem(answer, 504, "opentok_timeout")
            assert seconds >= 1

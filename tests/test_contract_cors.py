"""Web pages of any origin may call: the headers that browsers insist on, on every answer."""

import pytest

ORIGIN = {"Origin": "https://web.example"}
BROWSER = {"Accept": "text/html"}
JSON = {"Content-Type": "application/json"}
UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
TOO_LARGE = "x" * 102_401

EVERY_ANSWER = [
    pytest.param("GET", "/room/x", {}, 200, id="room"),
    pytest.param("GET", "/session", {}, 302, id="redirect"),
    pytest.param("HEAD", "/session", {}, 302, id="head"),
    pytest.param("GET", "/archive", {}, 200, id="list"),
    pytest.param("GET", "/", {}, 200, id="index page"),
    pytest.param("GET", "/static/site.css", {}, 200, id="static file"),
    pytest.param("GET", "/nope", {}, 404, id="unknown path"),
    pytest.param("GET", "/nope", {"headers": BROWSER}, 404, id="error page"),
    pytest.param("GET", f"/archive/{UNKNOWN}", {}, 404, id="unknown recording"),
    pytest.param("GET", f"/archive/{UNKNOWN}/view", {"headers": BROWSER}, 404, id="view"),
    pytest.param("GET", "/room/%20", {}, 400, id="bad name"),
    pytest.param("GET", "/room/%FF", {}, 400, id="bad percent-encoding"),
    pytest.param("GET", "/archive?count=-1", {}, 400, id="bad query"),
    pytest.param("POST", "/archive/start", {"data": "{", "headers": JSON}, 400, id="bad JSON"),
    pytest.param("POST", "/room/x", {}, 405, id="wrong method"),
    pytest.param("DELETE", f"/archive/{UNKNOWN}", {}, 405, id="DELETE"),
    pytest.param("POST", "/archive/start", {"data": iter([b"{}"])}, 411, id="chunked body"),
    pytest.param("POST", "/archive/start", {"data": TOO_LARGE, "headers": JSON}, 413, id="large"),
    pytest.param("POST", "/archive/start", {"data": "x"}, 415, id="no content type"),
]


def allowed_origin(answer):
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize(("method", "path", "options", "status"), EVERY_ANSWER)
def test_every_answer_is_for_every_origin(server, method, path, options, status):
    options = options | {"headers": options.get("headers", {}) | ORIGIN}
    answer = server.request(method, path, **options)
    assert answer.status_code == status
    assert allowed_origin(answer) == "*"


@pytest.mark.parametrize("path", ["/room/x", "/session", "/nope"])
def test_the_header_is_there_without_an_origin_as_well(server, path):
    assert allowed_origin(server.get(path)) == "*"


@pytest.mark.parametrize("origin", ["null", "https://web.example:8443", "capacitor://localhost"])
def test_no_origin_is_special(server, origin):
    answer = server.get("/session", headers={"Origin": origin})
    assert allowed_origin(answer) == "*"


@pytest.mark.parametrize("status", [403, 429, 500])
def test_trouble_at_opentok_is_readable_for_every_origin(server, opentok, status):
    opentok.fault(status=status)
    answer = server.get("/room/x", headers=ORIGIN)
    assert answer.status_code >= 500
    assert allowed_origin(answer) == "*"


# Preflights


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        pytest.param("/archive/start", "POST", "content-type", id="start"),
        pytest.param("/archive/start/", "POST", "content-type", id="start with slash"),
        pytest.param(f"/archive/{UNKNOWN}/stop", "POST", "content-type", id="stop"),
        pytest.param("/archive/abc/stop", "POST", "content-type", id="stop of no uuid"),
        pytest.param("/archive/start", "POST", "authorization,content-type", id="authorization"),
        pytest.param("/archive/start", "POST", "x-requested-with", id="jQuery"),
        pytest.param("/session", "GET", "x-anything, x-else", id="any header"),
        pytest.param("/room/a%2Fb", "GET", "content-type", id="room"),
        pytest.param(f"/archive/{UNKNOWN}", "DELETE", "content-type", id="any method"),
        pytest.param("/nope", "GET", "content-type", id="unknown path"),
    ],
)
def test_a_preflight_allows_what_it_is_asked_for(server, opentok, path, method, headers):
    asked = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    answer = server.request("OPTIONS", path, headers=ORIGIN | asked)
    assert answer.status_code == 204
    assert answer.content == b""
    assert allowed_origin(answer) == "*"
    assert method in answer.headers["Access-Control-Allow-Methods"].split(",")
    assert answer.headers["Access-Control-Allow-Headers"] == headers
    assert "Access-Control-Request-Headers" in answer.headers["Vary"]
    assert opentok.requests() == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param(
            "/archive/start",
            ORIGIN | {"Access-Control-Request-Method": "POST"},
            id="preflight without headers",
        ),
        pytest.param("/nope", ORIGIN | {"Access-Control-Request-Method": "GET"}, id="unknown path"),
        pytest.param("/session", {}, id="no preflight at all"),
        pytest.param("/room/nobody-was-here", {}, id="room that is not there"),
    ],
)
def test_any_options_is_a_204_that_changes_nothing(server, opentok, path, headers):
    answer = server.request("OPTIONS", path, headers=headers)
    assert answer.status_code == 204
    assert allowed_origin(answer) == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"].split(",")
    assert "Access-Control-Allow-Headers" not in answer.headers
    assert opentok.requests() == []

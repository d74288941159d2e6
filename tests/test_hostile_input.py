"""Whatever a caller sends: no server error, no HTML to a program, always CORS and an `error`.

Hypothesis makes the requests up; they go over raw sockets, so that nothing on the way mends them.
"""

import json
import re
import socket
import time
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api_client import Program
from video import ids

pytestmark = pytest.mark.usefixtures("server")
hostile = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Bytes in a path: some as they are, some percent-encoded, some encoded wrongly.
segments = st.one_of(
    st.binary(max_size=40).map(lambda raw: quote_from_bytes(raw, safe="")),
    st.text(max_size=40).map(
        lambda text: quote_from_bytes(text.encode("utf-8", "replace"), safe="")
    ),
    st.text(alphabet="%0aAfF./\\;:@&=+$,!*'()~_-", max_size=40),
    st.sampled_from(["..", "%2e%2e", "..%2Frender%3Fx", "%00", "%0d%0aX: y", "%ff", "%", "%zz"]),
)
queries = st.one_of(st.just(""), segments.map(lambda text: "?" + text), st.tuples(
    st.sampled_from(["count", "offset", "sessionId", "e2ee"]), segments
).map(lambda pair: f"?{pair[0]}={pair[1]}"))  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
fields = st.sampled_from(["sessionId", "outputMode", "hasTranscription", "name", ""])
bodies = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(fields, values).map(lambda value: json.dumps(value).encode()),
)
types = st.sampled_from([
    "application/json", "application/json; charset=utf-16", "application/json;charset=\"utf-8\"",
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=rot13",
    "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "", ";", "a/b/c",
])  # fmt: skip


# Under /api/v1/: addresses that are there, with anything in them, and bodies that are nearly right.
ARCHIVE = "0a1b2c3d-0000-4000-8000-000000000000"
programs_paths = st.one_of(
    st.sampled_from(["rooms", "archives", "", "rooms/", "x"]),
    st.tuples(segments, st.sampled_from(["", "/session", "/tokens", "/tokens/", "/x"])).map(
        lambda parts: f"rooms/{parts[0]}{parts[1]}"
    ),
    st.tuples(
        st.just(ARCHIVE) | segments, st.sampled_from(["", "/stop", "/layout", "/streams"])
    ).map(lambda parts: f"archives/{parts[0]}{parts[1]}"),
    segments.map(lambda text: f"archives/{ARCHIVE}/streams/{text}"),
)
programs_queries = st.one_of(queries, st.tuples(
    st.sampled_from(["cursor", "limit", "search", "closed", "e2ee", "room", "sessionId", "status",
                     "createdAfter", "createdBefore"]), segments
).map(lambda pair: f"?{pair[0]}={pair[1]}"))  # fmt: skip
programs_fields = st.sampled_from([
    "name", "e2ee", "closed", "opensAt", "closesAt", "accessCode", "tokenRole", "tokenLifetime",
    "owner", "notes", "weeklyHours", "role", "lifetime", "data", "layoutClasses", "room", "sessionId", "hasAudio", "hasVideo",
    "outputMode", "resolution", "layout", "streamMode", "multiArchiveTag", "maxBitrate", "type",
    "quantizationParameter", "hasTranscription", "transcriptionProperties", "stylesheet",
    "screenshareType", "streamId", "primaryLanguageCode", "hasSummary",
])  # fmt: skip
nearly_right = st.sampled_from([
    True, 600, "x", "2030-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "publisher", "custom", "manual", ARCHIVE, ["a"], {"type": "pip"}, 10**40, "\ud800", "\0",
])  # fmt: skip
programs_bodies = st.one_of(
    bodies,
    st.sampled_from([b'{"tokenLifetime":1e999}', b'{"a":' * 9000, b"[" * 90_000]),
    st.dictionaries(programs_fields, nearly_right | values).map(
        lambda value: json.dumps(value).encode()
    ),
    st.tuples(st.text(max_size=9), programs_fields, nearly_right | values).map(
        lambda made: json.dumps({"name": made[0], made[1]: made[2]}).encode()
    ),
)


@pytest.fixture
def authorization(server):
    return Program(server).headers["Authorization"]


def answer_to(server, method, path, *, body=b"", content_type=None, authorization=None):
    """The status, headers and body that a program gets for exactly these bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\n"
    if content_type is not None:
        head += f"Content-Type: {content_type}\r\n"
    if authorization is not None:
        head += f"Authorization: {authorization}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    headers = dict(re.findall(rb"\r\n([^:\r]+): ([^\r]*)", head))
    return status, {name.decode().lower(): held.decode() for name, held in headers.items()}, content


# In the order that takes longest to compose: more than a second, unless the length is looked at.
# More of them would be refused by granian.
ACCENTS = "a" + 7_000 * "\u0301" + 7_000 * "\u0327"


def check(status, headers, content):
    assert status < 500, content
    if "access-control-allow-origin" not in headers:
        # What is no HTTP at all, or too long, granian refuses in silence.
        assert status in {400, 431}
        assert content == b""
        return
    assert headers["access-control-allow-origin"] == "*"
    if status >= 400:
        assert headers["content-type"] == "application/problem+json"
        assert isinstance(json.loads(content)["error"], str)


@hostile
@given(name=segments, query=queries, method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "X"]))
def test_any_name_is_a_room_or_a_mistake_of_the_caller(server, name, query, method):
    status, headers, content = answer_to(server, method, f"/room/{name}{query}")
    if method == "HEAD":
        assert status < 500
    else:
        check(status, headers, content)


@hostile
@given(body=bodies, content_type=types, query=queries)
def test_any_body_of_a_start_is_answered(server, body, content_type, query):
    path = f"/archive/start{query}"
    check(*answer_to(server, "POST", path, body=body, content_type=content_type))


@pytest.mark.parametrize(
    "parameter", ["x*=klingon'en'%41", "x*=undefined'en'%41", f"x*{'9' * 5000}=y"]
)
def test_a_content_type_that_nobody_can_read_is_none(server, parameter):
    unreadable = f"application/json; {parameter}"
    answer = answer_to(server, "POST", "/archive/start", body=b"{}", content_type=unreadable)
    check(*answer)
    assert answer[0] == 415
    for path in ("/room/standup", "/healthz"):
        assert answer_to(server, "GET", path, content_type=unreadable)[0] == 200


@pytest.mark.parametrize("path", ["/room/standup", "/healthz"])
def test_a_content_type_of_thousands_of_parts_holds_nobody_up(server, path):
    started = time.monotonic()
    endless = "application/json" + 15_000 * ";a"
    for _ in range(20):
        assert answer_to(server, "GET", path, content_type=endless)[0] == 200
    assert time.monotonic() - started < 1


@hostile
@given(
    archive=segments,
    what=st.sampled_from(["", "/stop", "/view", "/stop/", "/view/x"]),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    body=bodies,
    content_type=types,
)
def test_any_id_of_a_recording_is_answered_and_none_that_is_no_id_is_sent_on(
    server, opentok, archive, what, method, body, content_type
):
    path = f"/archive/{archive}{what}"
    check(*answer_to(server, method, path, body=body, content_type=content_type))
    for request in opentok.requests():
        sent = re.fullmatch(
            r"/v2/project/\d+/archive(?:/([^/?]+)(/stop)?)?(\?.*)?", request["path"]
        )
        assert sent or request["path"] == "/session/create"
        assert not (sent and sent[1]) or ids.UUID.fullmatch(sent[1])


@hostile
@given(query=queries)
def test_any_query_of_the_list_is_answered(server, query):
    check(*answer_to(server, "GET", f"/archive{query}"))


@hostile
@given(path=segments, query=queries)
def test_any_path_is_answered(server, path, query):
    check(*answer_to(server, "GET", f"/{path}{query}"))


@hostile
@given(
    path=programs_paths,
    query=programs_queries,
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "X"]),
    body=programs_bodies,
    content_type=st.just("application/json") | types,
)
def test_any_call_of_a_program_is_answered_and_no_id_that_is_none_is_sent_on(
    server, opentok, authorization, path, query, method, body, content_type
):
    check(
        *answer_to(
            server,
            method,
            f"/api/v1/{path}{query}",
            body=body,
            content_type=content_type,
            authorization=authorization,
        )
    )
    for request in opentok.requests():
        assert re.fullmatch(
            rf"/session/create|/v2/project/\d+/archive(\?.*|/{ids.UUID.pattern}(/.*)?)?",
            request["path"],
        )


@hostile
@given(body=programs_bodies, path=st.sampled_from(["rooms", "rooms/a", "rooms/a/tokens", "archives",
       f"archives/{ARCHIVE}/layout", f"archives/{ARCHIVE}/streams"]))  # fmt: skip
def test_any_body_of_a_program_is_answered(server, authorization, body, path):
    server.post("/api/v1/rooms", json={"name": "a"}, headers={"Authorization": authorization})
    for method in ("POST", "PATCH", "PUT"):
        check(
            *answer_to(
                server,
                method,
                f"/api/v1/{path}",
                body=body,
                content_type="application/json",
                authorization=authorization,
            )
        )


@hostile
@given(query=programs_queries, path=st.sampled_from(["rooms", "archives"]))
def test_any_query_of_a_program_is_answered(server, authorization, query, path):
    address = f"/api/v1/{path}{query}"
    check(*answer_to(server, "GET", address, authorization=authorization))


@pytest.mark.parametrize(
    "path", ["/room/{}", "/room/coded?code={}", "/api/v1/rooms/{}", "/api/v1/rooms?search={}"]
)
def test_thousands_of_accents_hold_nobody_up(server, authorization, path):
    coded = {"name": "coded", "accessCode": "1815"}
    server.post("/api/v1/rooms", json=coded, headers={"Authorization": authorization})
    # Whoever may manage is not asked for a code.
    sender = {"authorization": authorization} if path.startswith("/api/") else {}
    started = time.monotonic()
    check(*answer_to(server, "GET", path.format(ACCENTS), **sender))
    assert time.monotonic() - started < 1

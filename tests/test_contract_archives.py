"""Start, stop, look up and list recordings."""

import base64
import json

import pytest

JSON = {"Content-Type": "application/json"}
UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
# All that OpenTok may say but a password, with a field that nobody has heard of.
REMOTE = {
    "id": UNKNOWN,
    "status": "started",
    "name": "standup",
    "reason": "",
    "sessionId": "1_MX40NTk5OTk5OX5-",
    "projectId": "45999999",
    "createdAt": 1700000000000,
    "size": 0,
    "duration": 0,
    "outputMode": "composed",
    "streamMode": "auto",
    "hasAudio": True,
    "hasVideo": True,
    "sha256sum": "",
    "updatedAt": 1700000000000,
    "resolution": "640x480",
    "event": "archive",
    "partnerId": 45999999,
    "url": None,
    "transcription": {"status": "requested", "url": None},
    "somethingNew": [{"a": 1.5}, "é"],
}


def join(server, opentok, room="standup"):
    """The session of a room with somebody in it."""
    session_id = server.get(f"/room/{room}").json()["sessionId"]
    opentok.connect(session_id)
    return session_id


def record(server, opentok, room="standup"):
    """A recording of that room, under way."""
    return server.post("/archive/start", json={"sessionId": join(server, opentok, room)}).json()


def archive_calls(opentok):
    return [request for request in opentok.requests() if "/archive" in request["path"]]


def session_of_project(project):
    fields = f"1~{project}~~1700000000000~cmFuZG9t~~~".encode()
    return "1_" + base64.urlsafe_b64encode(fields).decode().rstrip("=")


# Start


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        pytest.param("/archive/start", "application/json", '{"sessionId": "%s"}', id="JSON"),
        pytest.param(
            "/archive/start", "application/json; charset=UTF-8", '{"sessionId":"%s"}', id="charset"
        ),
        pytest.param(
            "/archive/start", "application/json", '{\n  "sessionId" : "%s"\n}', id="pretty-printed"
        ),
        pytest.param(
            "/archive/start", "application/x-www-form-urlencoded", "sessionId=%s", id="form"
        ),
        pytest.param(
            "/archive/start",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "sessionId=%s",
            id="form with charset",
        ),
        pytest.param(
            "/archive/start/", "application/json", '{"sessionId": "%s"}', id="trailing slash"
        ),
    ],
)
def test_a_recording_starts_under_the_name_of_the_room(server, opentok, path, content_type, body):
    session_id = join(server, opentok)
    answer = server.post(path, data=body % session_id, headers={"Content-Type": content_type})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.json()["status"] == "started"
    assert answer.json()["sessionId"] == session_id
    (call,) = archive_calls(opentok)
    assert (call["method"], call["path"]) == ("POST", opentok.archives_path)
    assert json.loads(call["body"])["name"] == "standup"


def test_a_session_that_belongs_to_no_room_is_recorded_without_a_name(server, opentok):
    session_id = opentok.make_session()
    opentok.connect(session_id)
    answer = server.post("/archive/start", json={"sessionId": session_id})
    assert answer.status_code == 200
    (call,) = archive_calls(opentok)
    assert json.loads(call["body"]).get("name") is None


def test_of_the_options_only_the_output_mode_and_transcription_are_read(server, opentok):
    asked = {"outputMode": "individual", "hasTranscription": True}
    ignored = {"name": "mine", "resolution": "1280x720", "hasVideo": False, "x": {"y": []}}
    body = {"sessionId": join(server, opentok)} | asked | ignored
    answer = server.post("/archive/start", json=body)
    assert answer.status_code == 200
    sent = json.loads(archive_calls(opentok)[0]["body"])
    assert sent["outputMode"] == "individual"
    assert sent["hasTranscription"] is True
    assert sent["name"] == "standup"
    assert sent["hasVideo"] is True
    assert sent.get("resolution") is None
    assert "x" not in sent


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{}", id="sessionId missing"),
        pytest.param('{"sessionId": ""}', id="sessionId empty"),
        pytest.param('{"sessionId": null}', id="sessionId null"),
        pytest.param('{"sessionId": {"a": 1}}', id="sessionId an object"),
        pytest.param('{"sessionId": ["1_x"]}', id="sessionId an array"),
        pytest.param('{"sessionId": 12}', id="sessionId a number"),
        pytest.param('{"sessionId": true}', id="sessionId true"),
        pytest.param('{"sessionId": "../x?y"}', id="sessionId with URL syntax"),
        pytest.param('{"sessionId": "1_%s"}' % ("x" * 300), id="sessionId too long"),
        pytest.param('{"sessionId": "1_MX40NTk5OTk5OX5-", "outputMode": "x"}', id="outputMode"),
        pytest.param('{"sessionId": ', id="JSON cut off"),
        pytest.param("{", id="a brace"),
        pytest.param('"abc"', id="a JSON string"),
        pytest.param("null", id="JSON null"),
        pytest.param("[]", id="a JSON array"),
        pytest.param("12", id="a JSON number"),
        pytest.param("[" * 50_000, id="JSON nested too deeply"),
        pytest.param("", id="no body"),
        pytest.param(b'{"sessionId": "\xff"}', id="not UTF-8"),
    ],
)
def test_a_start_that_makes_no_sense_is_a_400_and_no_call_to_opentok(server, opentok, body):
    answer = server.post("/archive/start", data=body, headers=JSON)
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert opentok.requests() == []


def test_a_start_without_body_and_content_type_is_a_400(server, opentok):
    answer = server.post("/archive/start")
    assert answer.status_code == 400
    assert "sessionId" in answer.json()["error"]
    assert opentok.requests() == []


def test_a_session_of_another_project_is_refused_without_asking_opentok(server, opentok):
    answer = server.post("/archive/start", json={"sessionId": session_of_project("47665971")})
    assert answer.status_code == 400
    assert answer.json()["code"] == "session_invalid"
    assert opentok.requests() == []


def test_a_session_with_nobody_in_it_is_a_409_that_says_so(server, opentok):
    session_id = server.get("/room/empty").json()["sessionId"]
    answer = server.post("/archive/start", json={"sessionId": session_id})
    assert answer.status_code == 409
    assert answer.json()["code"] == "nobody_connected"


def test_a_session_that_is_being_recorded_is_a_409(server, opentok):
    running = record(server, opentok)
    answer = server.post("/archive/start", json={"sessionId": running["sessionId"]})
    assert answer.status_code == 409
    assert answer.json()["code"] == "archive_conflict"
    assert answer.json()["archiveId"] == running["id"]


def test_a_conflict_with_no_recording_names_none(server, opentok):
    session_id = server.get("/room/lobby").json()["sessionId"]
    opentok.connect(session_id)
    opentok.fault(status=409, method="POST", path="/archive", times=1)
    answer = server.post("/archive/start", json={"sessionId": session_id})
    assert answer.json()["code"] == "archive_conflict"
    assert "archiveId" not in answer.json()


# Stop


@pytest.mark.parametrize(
    ("tail", "options"),
    [
        pytest.param("/stop", {"data": "{}", "headers": JSON}, id="empty object"),
        pytest.param("/stop", {}, id="no body, no type"),
        pytest.param("/stop", {"headers": JSON}, id="JSON type, empty body"),
        pytest.param("/stop", {"data": {"archiveId": "x"}}, id="form"),
        pytest.param("/stop/", {}, id="trailing slash"),
        pytest.param("/stop", {"headers": {"Origin": "https://web.example"}}, id="no CSRF check"),
    ],
)
def test_a_recording_stops_whatever_the_body(server, opentok, tail, options):
    archive = record(server, opentok)
    answer = server.post(f"/archive/{archive['id']}{tail}", **options)
    assert answer.status_code == 200
    assert answer.json()["status"] == "stopped"
    assert answer.json()["id"] == archive["id"]


def test_a_recording_that_ended_before_is_a_409(server, opentok):
    stop = f"/archive/{record(server, opentok)['id']}/stop"
    server.post(stop)
    opentok.advance(60)
    answer = server.post(stop)
    assert answer.status_code == 409
    assert answer.json()["code"] == "archive_not_running"


# Look up


@pytest.mark.parametrize("tail", ["", "/"], ids=["plain", "trailing slash"])
def test_a_recording_is_shown_as_opentok_has_it_now(server, opentok, tail):
    archive = record(server, opentok)
    answer = server.get(f"/archive/{archive['id']}{tail}")
    assert answer.status_code == 200
    assert answer.json()["status"] == "started"
    assert answer.json()["name"] == "standup"


def test_a_poll_with_a_stale_etag_still_gets_the_whole_object(server, opentok):
    path = f"/archive/{record(server, opentok)['id']}"
    etag = server.get(path).headers.get("ETag", 'W/"18a-qjHHx4ksxSxFYr8bie+N2g2ZiOU"')
    server.post(path + "/stop")
    answer = server.get(path, headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert answer.json()["status"] == "stopped"


def test_a_recording_deleted_at_opentok_is_gone(server, opentok):
    path = f"/archive/{record(server, opentok)['id']}"
    server.post(path + "/stop")
    opentok.advance(60)
    opentok.call("DELETE", opentok.archives_path + path.removeprefix("/archive"))
    answer = server.get(path)
    assert answer.status_code == 410
    assert answer.json()["code"] == "archive_deleted"


# Ids


@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("POST", "/stop"), ("GET", "/view")], ids=str
)
def test_an_unknown_recording_is_not_found(server, opentok, method, tail):
    answer = server.request(method, f"/archive/{UNKNOWN}{tail}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "archive_not_found"
    assert len(opentok.requests()) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "/archive/undefined/stop", id="stop undefined"),
        pytest.param("POST", "/archive/x/stop", id="stop x"),
        pytest.param("POST", f"/archive/{UNKNOWN}%0A/stop", id="stop with a line break"),
        pytest.param("GET", "/archive/null", id="get null"),
        pytest.param("GET", "/archive/..%2Frender%3Fcount=7", id="path traversal"),
        pytest.param("GET", f"/archive/{UNKNOWN}%3Fcount=1%26x=y", id="query injection"),
        pytest.param("GET", f"/archive/{UNKNOWN}%23", id="fragment injection"),
        pytest.param("GET", f"/archive/{UNKNOWN}%00", id="NUL"),
        pytest.param("GET", f"/archive/{UNKNOWN}%0A", id="line break"),
        pytest.param("GET", f"/archive/{UNKNOWN.replace('0', '%D9%A0', 1)}", id="Arabic digit"),
        pytest.param("GET", f"/archive/..%2F{UNKNOWN}%2Fview", id="traversal to a view"),
        pytest.param("GET", "/archive/x/view", id="view x"),
        pytest.param("GET", f"/archive/{UNKNOWN}%3Fx=/view", id="view with a query injected"),
    ],
)
def test_what_is_no_uuid_is_not_found_and_never_reaches_opentok(server, opentok, method, path):
    answer = server.request(method, path)
    assert answer.status_code == 404
    assert isinstance(answer.json()["error"], str)
    assert opentok.requests() == []


# List


def test_the_list_is_a_bare_array_with_the_newest_first(server, opentok):
    made = [record(server, opentok, room)["id"] for room in ("first", "second", "third")]
    for path in ("/archive", "/archive/"):
        answer = server.get(path)
        assert answer.status_code == 200
        assert [archive["id"] for archive in answer.json()] == made[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("count=1", ["third"], id="count"),
        pytest.param("offset=1", ["second", "first"], id="offset"),
        pytest.param("count=1&offset=1", ["second"], id="both"),
        pytest.param("count=0", [], id="count 0"),
        pytest.param("offset=1000", [], id="offset beyond the end"),
        pytest.param("count=1000", ["third", "second", "first"], id="count at its maximum"),
        pytest.param("count=", ["third", "second", "first"], id="count empty"),
        pytest.param("offset=", ["third", "second", "first"], id="offset empty"),
        pytest.param("sessionId=", ["third", "second", "first"], id="sessionId empty"),
        pytest.param("unknown=1", ["third", "second", "first"], id="unknown field"),
        pytest.param("sessionId={second}", ["second"], id="sessionId"),
        pytest.param("sessionId={second}&offset=1", [], id="sessionId and offset"),
    ],
)
def test_the_list_has_pages_and_a_filter(server, opentok, query, expected):
    made = {room: record(server, opentok, room) for room in ("first", "second", "third")}
    query = query.format(second=made["second"]["sessionId"])
    answer = server.get(f"/archive?{query}")
    assert answer.status_code == 200
    assert [archive["name"] for archive in answer.json()] == expected


def test_without_recordings_the_list_is_empty(server):
    assert server.get("/archive").json() == []


@pytest.mark.parametrize("path", ["/archive", "/archive?count=", "/archive?offset="])
def test_without_a_count_opentok_is_asked_for_a_thousand(server, opentok, path):
    server.get(path)
    (call,) = opentok.requests()
    assert "count=1000" in call["path"].partition("?")[2].split("&")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("count=-1", id="count negative"),
        pytest.param("count=1001", id="count above the maximum"),
        pytest.param("count=100000", id="count far above it"),
        pytest.param("count=abc", id="count a word"),
        pytest.param("count=12abc", id="count with a tail"),
        pytest.param("count=1.9", id="count a fraction"),
        pytest.param("count=1e2", id="count in scientific notation"),
        pytest.param("count=0x10", id="count hexadecimal"),
        pytest.param("count=NaN", id="count NaN"),
        pytest.param("count=" + "9" * 5000, id="count of 5,000 digits"),
        pytest.param("offset=abc", id="offset a word"),
        pytest.param("offset=-1", id="offset negative"),
        pytest.param("offset=1.5", id="offset a fraction"),
        pytest.param("offset=" + "9" * 30, id="offset of 30 digits"),
        pytest.param("sessionId=nonsense", id="sessionId of no form"),
        pytest.param("sessionId=%FF", id="sessionId not UTF-8"),
    ],
)
def test_a_page_that_makes_no_sense_is_a_400_and_no_call_to_opentok(server, opentok, query):
    answer = server.get(f"/archive?{query}")
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)
    assert opentok.requests() == []


# What OpenTok says is passed on


@pytest.mark.parametrize(
    ("method", "path", "upstream", "answered"),
    [
        pytest.param("POST", "/archive/start", REMOTE, REMOTE, id="start"),
        pytest.param("POST", f"/archive/{UNKNOWN}/stop", REMOTE, REMOTE, id="stop"),
        pytest.param("GET", f"/archive/{UNKNOWN}", REMOTE, REMOTE, id="look up"),
        pytest.param("GET", "/archive", {"count": 1, "items": [REMOTE]}, [REMOTE], id="list"),
    ],
)
def test_opentoks_object_is_passed_on_unfiltered(server, opentok, method, path, upstream, answered):
    opentok.fault(path="/archive", status=200, body=upstream)
    body = {"sessionId": session_of_project(opentok.api_key)}
    answer = server.request(method, path, json=body if method == "POST" else None)
    assert answer.status_code == 200
    assert answer.json() == answered


@pytest.mark.parametrize("path", ["/archive", f"/archive/{UNKNOWN}"])
def test_no_cache_may_keep_what_may_hold_a_signed_link(server, path):
    assert server.get(path).headers["Cache-Control"] == "no-store"

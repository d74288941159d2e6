"""What OpenTok tells the server by itself: believed if it is signed, in whatever order it comes."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from django.conf import settings

from archives.models import Archive
from meetings.models import Connection, Meeting
from rooms.models import Room
from tests.api_client import refusal
from tests.server_process import Server

SECRET = settings.CALLBACK_SECRET


@pytest.fixture
def room(server, opentok):
    """A room with somebody in it, whose recordings are told to the server. Time stands still."""
    opentok.control("POST", "/clock", {"speed": 0})
    opentok.call_back(f"{server.url}/callbacks", SECRET)
    session_id = server.get("/room/standup").json()["sessionId"]
    opentok.publish(session_id)
    return Room.objects.get()


def start(opentok, session_id):
    """Somebody else than our server starts a recording. Returns its id."""
    made = opentok.call("POST", opentok.archives_path, json={"sessionId": session_id})
    return made.json()["id"]


def told(**fields):
    return {
        "id": str(uuid.uuid4()), "event": "archive", "status": "started", "sessionId": "1_x",
        "projectId": 45999999, "partnerId": 45999999, "name": "Foo", "reason": "", "duration": 0,
        "size": 0, "createdAt": 1727870434000, "updatedAt": 1727870434977, "url": None,
    } | fields  # fmt: skip


def sign(body, *, secret=SECRET, algorithm="HS256", **changes):
    claims = {
        "iat": int(time.time()), "jti": "1", "iss": "Vonage", "api_key": "a1b2c3d",
        "payload_hash": hashlib.sha256(body).hexdigest(),
    } | changes  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    # Not jwt.encode, which makes no token with a claim of a wrong type.
    return jwt.api_jws.encode(json.dumps(claims).encode(), secret, algorithm=algorithm)


def send(server, content, *, token=None, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Authorization": f"Bearer {token or sign(body)}"} | headers
    return server.post("/callbacks", data=body, headers=headers)


def rows():
    return list(Archive.objects.values_list("status", flat=True))


def test_a_recording_that_nobody_asked_for_is_known_with_its_room(room, opentok):
    archive_id = start(opentok, room.session_id)
    opentok.callbacks(attempts=1)
    archive = Archive.objects.get()
    assert (str(archive.id), archive.status, archive.room) == (archive_id, "started", room)
    assert archive.called_back_at is not None


def test_the_catalogue_follows_it_without_asking(room, server, opentok, program):
    archive_id = server.post("/archive/start", json={"sessionId": room.session_id}).json()["id"]
    opentok.callbacks(attempts=1)
    server.post(f"/archive/{archive_id}/stop")
    opentok.callbacks(attempts=2)
    asked = len(opentok.requests())
    opentok.advance(5)
    assert [told["attempts"] for told in opentok.callbacks(attempts=3)] == [[200]] * 3
    (listed,) = program.get("archives").json()["items"]
    assert (listed["status"], listed["size"] > 0, listed["url"]) == ("available", True, None)
    assert len(opentok.requests()) == asked


def test_links_and_passwords_are_not_kept(server):
    content = told(status="available", url="https://s3/x?Signature=y", password="hunter2")
    assert send(server, content).status_code == 200
    archive = Archive.objects.get()
    assert "hunter2" not in json.dumps(archive.details)
    assert "Signature" not in json.dumps(archive.details)


def test_what_it_leaves_out_stays_known(server):
    content = told(streamMode="auto", resolution="1280x720")
    send(server, content)
    del content["streamMode"]
    send(server, content | {"status": "stopped", "resolution": "640x480"})
    details = Archive.objects.get().details
    assert (details["streamMode"], details["resolution"]) == ("auto", "640x480")


def test_out_of_order_and_more_than_once_they_leave_what_is_true(room, server, opentok):
    opentok.call_back(f"{server.url}/callbacks", SECRET, held=True)
    archive_id = start(opentok, room.session_id)
    opentok.call("POST", f"{opentok.archives_path}/{archive_id}/stop")
    opentok.advance(5)
    started, stopped, available = opentok.callbacks(attempts=0)
    for attempts, one in enumerate((stopped, available, started, available, stopped), start=1):
        opentok.send_callback(one["id"])
        opentok.callbacks(attempts=attempts)
    assert rows() == ["available"]


def test_a_late_one_brings_nothing_back_that_was_deleted(room, server, opentok, program):
    opentok.call_back(f"{server.url}/callbacks", SECRET, held=True)
    archive_id = server.post("/archive/start", json={"sessionId": room.session_id}).json()["id"]
    server.post(f"/archive/{archive_id}/stop")
    opentok.advance(5)
    program.delete(f"archives/{archive_id}")
    *_, available, deleted = opentok.callbacks(attempts=0)
    opentok.send_callback(available["id"])
    opentok.callbacks(attempts=1)
    assert rows() == ["deleted"]
    opentok.send_callback(deleted["id"])
    assert opentok.callbacks(attempts=2)[-1]["attempts"] == [200]
    assert rows() == ["deleted"]


def test_not_even_one_that_was_never_heard_of_before(room, server, opentok, program):
    opentok.call_back(f"{server.url}/callbacks", SECRET, held=True)
    archive_id = start(opentok, room.session_id)
    opentok.call("POST", f"{opentok.archives_path}/{archive_id}/stop")
    opentok.advance(5)
    assert program.delete(f"archives/{archive_id}").status_code == 204
    opentok.send_callback(opentok.callbacks(attempts=0)[2]["id"])
    opentok.callbacks(attempts=1)
    assert rows() == ["deleted"]


def test_two_about_a_new_recording_at_once_leave_the_later_state(server):
    for _ in range(10):
        recording = told()
        said = [recording, recording | {"status": "stopped"}, recording | {"status": "available"}]
        with ThreadPoolExecutor(3) as crowd:
            list(crowd.map(lambda one: send(server, one), said))
        assert Archive.objects.get(pk=recording["id"]).status == "available"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another-secret-that-is-long-enough-to-be-one"},
        {"algorithm": "HS384"},
        {"algorithm": "none", "secret": None},
        {"iss": "Nexmo"},
        {"iss": None},
        {"iss": ["Vonage"]},
        {"payload_hash": hashlib.sha256(b"another body").hexdigest()},
        {"payload_hash": "ÿ"},
        {"payload_hash": ["x"]},
        {"payload_hash": None},
        {"iat": None},
        {"iat": "today"},
        {"iat": True},
        {"iat": float("nan")},
        {"iat": float("inf")},
        {"iat": -float("inf")},
        {"iat": int(time.time()) + 86_400},
        {"iat": int(time.time()) - 25 * 3600},
        {"nbf": int(time.time()) + 86_400},
    ],
)  # fmt: skip
def test_one_that_is_not_signed_for_this_server_changes_nothing(server, changes):
    body = json.dumps(told()).encode()
    answer = send(server, body, token=sign(body, **changes))
    assert refusal(answer) == (401, "callback_refused")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert rows() == []


def test_one_of_a_day_ago_is_taken_since_opentok_tries_for_so_long(server):
    body = json.dumps(told()).encode()
    assert send(server, body, token=sign(body, iat=int(time.time()) - 86_390)).status_code == 200
    assert rows() == ["started"]


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer ..", "Basic dTpw",
        "Bearer otr_0123456789_0123456789", "Bearer é", "Bearer " + "[" * 6000,
        "Bearer " + base64.urlsafe_b64encode(b"[" * 4000).decode() + ".e30.x",
    ],
)  # fmt: skip
def test_a_header_that_is_no_signature_is_refused(server, header):
    answer = send(server, told(), Authorization=header.encode())
    assert refusal(answer) == (401, "callback_refused")
    assert rows() == []


def test_an_algorithm_of_its_own_choosing_is_refused(server):
    body = json.dumps(told()).encode()
    head, claims, signature = sign(body).split(".")
    forged = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for token in (f"{forged}.{claims}.", f"{forged}.{claims}.{signature}", f"{head}.{claims}."):
        assert refusal(send(server, body, token=token)) == (401, "callback_refused")
    assert rows() == []


def test_the_body_is_checked_as_it_came(server):
    """The same JSON in other bytes is another body."""
    body = json.dumps(told(), indent=1).encode()
    assert refusal(send(server, json.loads(body), token=sign(body))) == (401, "callback_refused")
    assert send(server, body).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"projectId": 47000000, "partnerId": 47000000},
        {"projectId": None, "partnerId": 47000000},
        {"projectId": [45999999]},
        {"applicationId": "6b6c1e5e-6f0c-4d0b-a2c7-3f7a3c4f7a11"},
        {"sessionId": "1_MX40NzAwMDAwMH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-UH5-"},
    ],
)  # fmt: skip
def test_a_recording_of_another_project_is_refused(server, fields):
    assert refusal(send(server, told(**fields))) == (401, "callback_refused")
    assert rows() == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"7", b'{"x":' + b"[" * 101 + b"]" * 101 + b"}", b'"archive"', b"\xff", b"[" * 50_000, b'{"event": NaN}',
        b'{"event": "archive"}',
        json.dumps(told(id="../../session/create")).encode(),
        json.dumps(told(id=7)).encode(),
        json.dumps(told(status=None)).encode(),
        json.dumps(told(sessionId=[])).encode(),
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_a_400_though_signed(server, body):
    assert refusal(send(server, body)) == (400, "callback_invalid")
    assert rows() == []


def test_a_body_that_is_strange_but_an_archive_is_taken(server):
    odd = told(name=[7], duration="long", size=2**70, createdAt="today", updatedAt=-1, extra="\0x")
    assert send(server, odd).status_code == 200
    assert rows() == ["started"]


@pytest.mark.parametrize(
    "content",
    [
        {"event": "connectionCreated", "sessionId": "1_x", "projectId": "45999999"},
        {"event": "streamDestroyed", "sessionId": "1_x", "projectId": "45999999"},
        {"status": "started", "id": "80c3d2d8-0000-4000-8000-000000000000", "streamId": "x"},
        {},
    ],
)
def test_what_it_tells_of_other_things_is_taken_and_forgotten(server, content):
    answer = send(server, content)
    assert (answer.status_code, answer.content) == (200, b"")
    assert rows() == []


@pytest.mark.parametrize("session_id", ["1_" + "x" * 300, "x", "1_\x00", "", 7, None])
def test_who_connects_to_a_session_that_can_be_none_is_taken_and_forgotten(server, session_id):
    content = {
        "event": "connectionCreated", "sessionId": session_id, "timestamp": 1727870434000,
        "connection": {"id": str(uuid.uuid4()), "createdAt": 1727870434000, "data": "Anna"},
    }  # fmt: skip
    assert send(server, content).status_code == 200
    assert not Meeting.objects.exists()


def connection(event, name, session_id):
    about = {"id": name, "createdAt": 1727870434000, "data": ""}
    return {
        "event": event, "sessionId": session_id, "timestamp": 1727870434000, "connection": about,
    }  # fmt: skip


def test_who_comes_as_the_last_one_leaves_is_in_a_meeting_that_runs(server):
    with ThreadPoolExecutor(3) as crowd:
        for session_id in (f"1_{number}" for number in range(20)):
            first, second = f"{session_id}_a", f"{session_id}_b"
            send(server, connection("connectionCreated", first, session_id))
            at_once = [
                connection("connectionDestroyed", first, session_id),
                connection("connectionCreated", second, session_id),
                connection("connectionCreated", second, session_id),
            ]
            sent = crowd.map(lambda one: send(server, one).status_code, at_once)
            assert [*sent] == [200, 200, 200]
    there = Connection.objects.filter(left_at=None)
    assert there.filter(meeting__ended_at=None).count() == there.count() == 20


def test_an_archive_without_event_is_taken_as_opentoks_reference_shows_it(room, server, opentok):
    opentok.call_back(f"{server.url}/callbacks", SECRET, without=["event"])
    archive_id = start(opentok, room.session_id)
    opentok.call("POST", f"{opentok.archives_path}/{archive_id}/stop")
    assert [told["attempts"] for told in opentok.callbacks(attempts=2)] == [[200]] * 2
    archive = Archive.objects.get()
    assert (str(archive.id), archive.status, archive.room) == (archive_id, "stopped", room)


def test_an_archive_without_event_of_another_project_is_refused(server):
    content = told(projectId=47000000)
    del content["event"]
    assert refusal(send(server, content)) == (401, "callback_refused")
    assert rows() == []


@pytest.mark.parametrize(
    "content",
    [
        told(event="broadcast"),
        told(event="render"),
        told(event=7),
        {"id": str(uuid.uuid4()), "sessionId": "1_x", "status": "started", "streamId": "x"},
        {"id": str(uuid.uuid4()), "sessionId": "1_x", "status": "failed", "reason": "no URL"},
        {"captionId": str(uuid.uuid4()), "sessionId": "1_x", "status": "started", "duration": 1},
    ],
)
def test_what_has_an_id_a_session_and_a_status_and_is_no_archive_is_dropped(server, content):
    assert send(server, content).status_code == 200
    assert rows() == []


def test_a_late_start_that_says_no_time_does_not_overwrite_a_pause(room, server, opentok):
    without = ["event", "updatedAt"]
    opentok.call_back(f"{server.url}/callbacks", SECRET, held=True, without=without)
    start(opentok, room.session_id)
    (stream,) = opentok.control("GET", f"/sessions/{room.session_id}")["streams"]
    opentok.unpublish(room.session_id, stream["streamId"])
    started, paused = opentok.callbacks(attempts=0)
    found = []
    for attempts, one in enumerate((started, paused, started), start=1):
        opentok.send_callback(one["id"])
        opentok.callbacks(attempts=attempts)
        found += rows()
    assert found == ["started", "paused", "paused"]


@pytest.mark.parametrize("lacks", ["the pause", "the late start"])
def test_a_start_and_a_pause_of_which_one_says_no_time_leave_the_pause(server, lacks):
    recording = told()
    paused = recording | {"status": "paused", "updatedAt": recording["updatedAt"] + 1}
    timeless = paused if lacks == "the pause" else recording
    for content in (recording, paused, recording):
        send(server, content | ({"updatedAt": None} if content is timeless else {}))
    assert rows() == ["paused"]


def test_one_that_goes_on_after_a_pause_is_known_by_its_time(server):
    recording = told()
    for number, status in enumerate(("started", "paused", "started")):
        send(server, recording | {"status": status, "updatedAt": 1727870434977 + number})
    assert rows() == ["started"]


def test_what_one_does_not_say_stays_as_it_was(server):
    recording = told(status="stopped", name="Foo", duration=9, size=7)
    send(server, recording)
    short = {name: recording[name] for name in ("id", "event", "sessionId", "status")}
    assert send(server, short).status_code == 200
    archive = Archive.objects.get()
    assert (archive.name, archive.duration, archive.size) == ("Foo", 9, 7)
    assert archive.updated_at.timestamp() == 1727870434.977


@pytest.mark.parametrize("later", [{}, {"status": "available"}, {"updatedAt": 1727870430000}])
def test_when_a_recording_was_made_is_taken_over_from_a_later_callback(server, later):
    first = told(status="stopped")
    created = first.pop("createdAt")
    send(server, first)
    assert Archive.objects.get().created_at.timestamp() * 1000 > created  # when it came
    send(server, first | {"status": "stopped", "createdAt": created} | later)
    assert Archive.objects.get().created_at.timestamp() * 1000 == created
    assert rows() == [later.get("status", "stopped")]
    send(server, first | {"status": "available"})  # says nothing of it
    assert Archive.objects.get().created_at.timestamp() * 1000 == created


def test_a_late_start_says_when_a_stopped_recording_was_made(server):
    first = told(status="stopped")
    created = first.pop("createdAt")
    send(server, first)
    send(server, first | {"status": "started", "createdAt": created})
    assert Archive.objects.get().created_at.timestamp() * 1000 == created
    assert rows() == ["stopped"]


def test_when_a_recording_was_made_is_taken_over_from_an_answer(room, server, opentok):
    archive_id = start(opentok, room.session_id)
    opentok.callbacks(attempts=1)
    created = Archive.objects.get().created_at
    # As though its first callback had come a minute later and had not said.
    Archive.objects.update(created_at=created + timedelta(minutes=1))
    server.get(f"/archive/{archive_id}")
    assert Archive.objects.get().created_at == created


def test_what_is_dropped_is_logged_once_a_kind(opentok, transactional_db):
    kinds = ["somethingNew", "somethingElse", "x\ny", "k" * 5000, ["hush"], None]
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as server:
        for kind in kinds * 3:
            content = {"event": kind, "sessionId": "1_x", "connection": {"data": "hush"}}
            assert send(server, content).status_code == 200
        written = [line for line in server.output().splitlines() if "dropped" in line]
    said = [json.loads(line)["message"].rpartition(": ")[2] for line in written]
    assert said == ["somethingNew", "somethingElse", "of no known kind", "without an event"]
    assert "hush" not in "".join(written)


def test_they_take_no_api_key_and_count_against_no_limit(limited):
    server = limited("archive=1/hour,record=1/hour,join=1/hour", ANONYMOUS_ACCESS="none")
    assert [send(server, told()).status_code for _ in range(5)] == [200] * 5


def test_without_a_secret_none_is_taken(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, CALLBACK_SECRET=" ") as server:
        body = json.dumps(told()).encode()
        empty = hmac.new(b"", body, "sha256").hexdigest()
        for token in (sign(body), f"e30.e30.{empty}"):
            assert refusal(send(server, body, token=token)) == (401, "callbacks_closed")
    assert rows() == []


def test_opentok_tries_again_until_the_server_takes_it(room, server, opentok):
    opentok.call_back(f"{server.url}/callbacks", SECRET, signature="none")
    start(opentok, room.session_id)
    opentok.callbacks(attempts=1)
    assert rows() == []
    opentok.call_back(f"{server.url}/callbacks", SECRET)
    opentok.advance(1)
    (sent,) = opentok.callbacks(attempts=2)
    assert sent["attempts"] == [401, 200]
    assert rows() == ["started"]


def test_other_methods_are_told_what_it_takes(server):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = server.request(method, "/callbacks/")
        assert refusal(answer) == (405, "method_not_allowed")
        assert "POST" in answer.headers["Allow"]


def test_the_log_says_why_and_never_the_token_or_what_is_in_it(server):
    body = json.dumps(told(name="Board meeting")).encode()
    token = sign(body, secret="another-secret-that-is-long-enough-to-be-one")
    send(server, body, token=token)
    written = server.output()
    assert "A callback was refused: its signature is not right" in written
    for secret in (SECRET, token, token.split(".")[2], "Board meeting"):
        assert secret not in written


def test_what_an_answer_says_at_the_same_time_is_not_lost(server):
    for _ in range(10):
        short = told()
        long = short | {"multiArchiveTag": "left"}
        with ThreadPoolExecutor(2) as crowd:
            sent = crowd.submit(send, server, short)
            Archive.objects.record([long])
            assert sent.result().status_code == 200
        assert Archive.objects.get(pk=short["id"]).details["multiArchiveTag"] == "left"


def test_many_at_once_are_all_taken(server):
    recordings = [told() for _ in range(40)]
    ids = [recording["id"] for recording in recordings]
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda one: send(server, one).status_code, recordings * 2))
    assert answers == [200] * 80
    assert Archive.objects.filter(pk__in=ids).count() == 40


def test_a_callback_with_an_id_in_upper_case_is_about_the_same_recording(server):
    started = told()
    stopped = started | {"id": started["id"].upper(), "status": "stopped"}
    assert [send(server, news).status_code for news in (started, stopped)] == [200, 200]
    archive = Archive.objects.get()
    assert (str(archive.pk), archive.status) == (started["id"], "stopped")

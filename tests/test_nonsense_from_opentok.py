"""OpenTok is asked for the truth, and may answer anything at all."""

import logging
import uuid

import pytest
from django.test import Client as Browser

from archives.models import Archive
from rooms.models import Room
from tests.api_client import refusal
from tests.problems import raises
from tests.server_process import Server
from video import archives, sessions

ARCHIVE = "aaaaaaaa-2222-4333-8444-555555555555"
# A session of another project than the server's.
FOREIGN = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"
HTML = {"Accept": "text/html"}


def archive(**fields):
    return {"id": ARCHIVE, "sessionId": "1_x", "status": "started", "updatedAt": 1} | fields


def test_a_session_id_that_does_not_tell_its_project_is_kept(server, opentok):
    opentok.fault(path="/session/create", status=200, body=[{"session_id": "1_ABC"}])
    answers = [server.get("/room/x") for _ in range(3)]
    assert {answer.json()["sessionId"] for answer in answers} == {"1_ABC"}
    assert len(opentok.requests()) == 1


def test_a_session_that_another_room_has_is_refused(server, opentok):
    opentok.fault(path="/session/create", status=200, body=[{"session_id": "1_ABC"}])
    assert server.get("/room/one").status_code == 200
    answer = server.get("/room/two")
    assert (answer.status_code, answer.json()["code"]) == (502, "opentok_failed")
    assert Room.objects.count() == 1


def give(opentok, session_id):
    """From now on OpenTok answers each request for a session with this one."""
    opentok.control("DELETE", "/faults")
    opentok.fault(path="/session/create", status=200, body=[{"session_id": session_id}])


def test_a_session_id_that_opentok_gives_twice_is_refused_wherever_it_would_be_written(
    program, server, opentok, admin_client, caplog
):
    twice = "1_given-twice"
    give(opentok, "1_another")
    program.post("rooms", name="other")
    give(opentok, twice)
    program.post("rooms", name="first")
    for is_past in (False, True):
        if is_past:
            give(opentok, "1_third")
            assert program.post("rooms/first/session").status_code == 200
            give(opentok, twice)
        before = [program.get(f"rooms/{name}").json() for name in ("first", "other")]
        for answer in (
            server.get("/room/new"),
            program.post("rooms", name="new"),
            program.post("rooms/first/session"),
            program.post("rooms/other/session"),
        ):
            assert refusal(answer) == (502, "opentok_failed")
        action = {"action": "new_session", "confirmed": "yes"}
        action["_selected_action"] = Room.objects.get(name="other").pk
        told = admin_client.post("/admin/rooms/room/", action, follow=True)
        assert "“other”: " in told.content.decode()
        assert [program.get(f"rooms/{name}").json() for name in ("first", "other")] == before
        assert Room.objects.count() == 2
    assert twice not in server.output() + caplog.text


def test_a_new_session_of_another_project_is_a_502_and_is_handed_to_nobody(
    program, server, opentok
):
    kept = program.post("rooms", name="kept").json()
    opentok.fault(path="/session/create", status=200, body=[{"session_id": FOREIGN}])
    for answer in (
        server.get("/room/new"),
        program.post("rooms", name="new"),
        program.post("rooms/kept/session"),
    ):
        assert refusal(answer) == (502, "opentok_failed")
    assert program.get("rooms").json()["items"] == [
        {name: told for name, told in kept.items() if name != "pastSessions"}
    ]
    assert program.get("rooms/kept").json() == kept


def test_a_start_that_is_answered_with_another_projects_recording_is_a_502(
    program, server, opentok
):
    session = program.post("rooms", name="exam").json()["sessionId"]
    opentok.fault(path="/v2/project", method="POST", status=200, body=archive(sessionId=FOREIGN))
    answer = server.post("/archive/start", json={"sessionId": session})
    assert refusal(answer) == (502, "opentok_failed")
    assert not Archive.objects.exists()


def test_a_list_of_one_session_with_a_recording_of_another_one_is_a_502(server, opentok):
    opentok.fault(status=200, body={"count": 1, "items": [archive(sessionId="1_stranger")]})
    assert refusal(server.get("/archive?sessionId=1_x")) == (502, "opentok_failed")
    assert not Archive.objects.exists()


def test_a_recording_that_is_listed_twice_is_recorded_once(server, opentok):
    opentok.fault(status=200, body={"count": 2, "items": [archive(), archive()]})
    assert len(server.get("/archive").json()) == 2
    assert Archive.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(archive(id=str(uuid.uuid4())), id="another recording"),
        pytest.param('{"id": "' + ARCHIVE + '", "sessionId": "1_x", "status": "started", "size": 1e999}',
                     id="a number beyond all numbers"),
        pytest.param(archive(status=5), id="a status that is none"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_502(server, opentok, body):
    opentok.fault(status=200, body=body, headers={"Content-Type": "application/json"})
    for path in (f"/archive/{ARCHIVE}", f"/archive/{ARCHIVE}/view"):
        assert server.get(path).json()["code"] == "opentok_failed"


def test_a_field_called_room_in_opentoks_answer_is_not_our_room(program, server, opentok):
    opentok.fault(path="/session/create", status=200, body=[{"session_id": "1_x"}], times=1)
    server.get("/room/ours")
    both = [archive(room="theirs"), archive(id=str(uuid.uuid4()), sessionId="1_y", room="theirs")]
    for told, room in zip(both, ["ours", None], strict=True):
        opentok.fault(status=200, body=told, times=1)
        assert program.get(f"archives/{told['id']}").json()["room"] == room
    listed = program.get("archives").json()["items"]
    assert {remote["sessionId"]: remote["room"] for remote in listed} == {
        "1_x": "ours",
        "1_y": None,
    }


def test_a_state_that_nobody_knows_is_no_code_of_ours(server, opentok):
    opentok.fault(status=200, body=archive(status="room_closed; x"))
    answer = server.get(f"/archive/{ARCHIVE}/view", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "archive_stopped")


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "http://[", "//evil", "https://", "https:///x", "x", 5, "https://a@b/c",
     "https://a\r\nX: y", "https://\u2100.example/"],
)  # fmt: skip
def test_a_link_that_leads_nowhere_is_not_followed(server, opentok, url):
    opentok.fault(status=200, body=archive(status="available", url=url))
    answer = server.get(f"/archive/{ARCHIVE}/view")
    assert (answer.status_code, answer.json()["code"]) == (502, "opentok_failed")


@pytest.mark.parametrize(
    ("said", "passed_on"),
    [("0", "1"), ("17", "17"), ("5" * 5000, "5"), ("soon", "5"), ("100000", "120")],
)
def test_when_to_come_back_is_within_reason(server, opentok, said, passed_on):
    opentok.fault(status=429, headers={"Retry-After": said})
    assert server.get("/archive").headers["Retry-After"] == passed_on


@pytest.mark.parametrize("location", ["http://[/", "http://127.0.0.1:1/", ""])
def test_a_redirect_is_a_failure_wherever_it_leads(location, opentok):
    opentok.fault(status=302, headers={"Location": location})
    with raises("opentok_failed", match="error"):
        archives.list_archives()


def test_a_message_is_logged_in_one_line_and_without_tokens(opentok, caplog):
    opentok.fault(status=403, body={"message": "bad eyJhbGciOi.x.y\n2026 CRITICAL forged"})
    Browser().get("/archive")
    lines = [record.getMessage() for record in caplog.records]
    assert "502 opentok_refused_credentials 403 bad (token) 2026 CRITICAL forged" in lines


def test_the_sdks_own_logger_says_nothing_even_if_it_is_turned_on(opentok, caplog):
    for name in ("opentok", "", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    sessions.create_session()
    assert "eyJ" not in caplog.text
    assert opentok.secret not in caplog.text


def test_the_page_says_what_opentok_says_now_and_not_what_was_known(server, opentok):
    Archive.objects.record([archive(status="failed")])
    opentok.fault(status=200, body=archive(status="stopped"))
    page = server.get(f"/archive/{ARCHIVE}/view", headers=HTML)
    assert "being prepared" in page.text


def test_a_400_for_a_recording_that_is_known_does_not_make_it_deleted(server, opentok):
    Archive.objects.record([archive()])
    opentok.fault(status=400)
    assert server.get(f"/archive/{ARCHIVE}").status_code == 502
    assert Archive.objects.get().status == "started"


def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(opentok, transactional_db):
    nowhere = "postgres://somebody:hush@127.0.0.1:1/rooms"
    with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=nowhere) as server:
        answer = server.get("/room/x")
        written = server.stop()
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]
    assert "503 database_unavailable OperationalError" in written
    assert "hush" not in written

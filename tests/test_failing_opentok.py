"""What is done about an OpenTok that fails: ask again, find out, or leave it alone for a while."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.problems import raises
from tests.server_process import Server
from video import archives, breaker, errors, sessions

ARCHIVES = "/archive$"


def sent(opentok):
    return [request["method"] for request in opentok.requests() if "/archive" in request["path"]]


@pytest.fixture
def session(opentok):
    session_id = sessions.create_session()
    opentok.publish(session_id)
    return session_id


@pytest.fixture
def recording(session):
    return archives.start_archive(session)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"drop": True}], ids=str)
def test_what_only_reads_is_asked_again_and_nobody_notices(opentok, session, recording, fault):
    opentok.fault(method="GET", times=1, **fault)
    assert archives.get_archive(recording["id"])["status"] == "started"
    opentok.fault(method="GET", times=1, **fault)
    assert len(archives.list_archives()) == 1
    assert sent(opentok) == ["POST"] + ["GET", "GET"] * 2


def test_what_reads_is_asked_twice_at_most(opentok, recording):
    opentok.fault(method="GET", status=500)
    with raises("opentok_failed"):
        archives.get_archive(recording["id"])
    assert sent(opentok) == ["POST", "GET", "GET"]


@pytest.mark.parametrize("status", [403, 404, 429])
def test_an_answer_that_says_no_is_an_answer(opentok, recording, status):
    opentok.fault(method="GET", status=status)
    with pytest.raises(errors.VideoError):
        archives.get_archive(recording["id"])
    assert sent(opentok) == ["POST", "GET"]


def test_both_attempts_have_one_deadline(opentok, recording, settings):
    settings.OPENTOK_TIMEOUT = 0.5
    opentok.fault(method="GET", drop=True, times=1)
    opentok.fault(method="GET", hang=True)
    began = time.monotonic()
    with raises("opentok_timeout"):
        archives.get_archive(recording["id"])
    assert time.monotonic() - began < 2
    assert sent(opentok) == ["POST", "GET", "GET"]


def test_stopping_and_making_sessions_are_never_asked_twice(opentok, recording):
    opentok.fault(status=500)
    with raises("opentok_failed"):
        archives.stop_archive(recording["id"])
    with raises("opentok_failed"):
        sessions.create_session()
    assert [r["method"] for r in opentok.requests()[-2:]] == ["POST", "POST"]


@pytest.mark.parametrize(
    "fault",
    [{"drop": True}, {"hang": True}, {"status": 500}, {"status": 504, "body": "<html>"},
     {"status": 200, "body": "nonsense"}, {"status": 200, "body": {}}],
    ids=str,
)  # fmt: skip
def test_a_recording_that_started_although_its_answer_got_lost_is_found(
    opentok, session, settings, fault
):
    settings.OPENTOK_TIMEOUT = 2
    opentok.fault(method="POST", path=ARCHIVES, after=True, times=1, **fault)
    found = archives.start_archive(session, name="standup")
    assert (found["sessionId"], found["status"], found["name"]) == (session, "started", "standup")
    assert sent(opentok) == ["POST", "GET"]
    assert archives.stop_archive(found["id"])["status"] == "stopped"


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"drop": True}, "opentok_unavailable"), ({"hang": True}, "opentok_timeout"),
     ({"status": 500}, "opentok_failed")],
    ids=str,
)  # fmt: skip
def test_a_start_that_failed_is_said_to_have_failed_once_that_is_known(
    opentok, session, settings, fault, error
):
    settings.OPENTOK_TIMEOUT = 2
    opentok.fault(method="POST", path=ARCHIVES, **fault)
    with raises(error):
        archives.start_archive(session)
    assert sent(opentok) == ["POST", "GET"]


def test_an_earlier_recording_of_the_session_is_not_taken_for_the_new_one(opentok, session):
    archives.stop_archive(archives.start_archive(session)["id"])
    opentok.fault(method="POST", path=ARCHIVES, drop=True)
    with raises("opentok_unavailable"):
        archives.start_archive(session)


def test_a_start_and_the_look_after_it_have_one_deadline(opentok, session, settings):
    settings.OPENTOK_TIMEOUT = 1
    opentok.fault(hang=True)
    began = time.monotonic()
    with raises("opentok_timeout"):
        archives.start_archive(session)
    assert time.monotonic() - began < 2


def test_a_busy_opentok_has_started_nothing_and_is_not_asked(opentok, session):
    opentok.fault(method="POST", status=429)
    with raises("opentok_rate_limited"):
        archives.start_archive(session)
    assert sent(opentok) == ["POST"]


def test_over_http_a_start_whose_answer_got_lost_is_a_start(server, opentok):
    session_id = server.get("/room/standup").json()["sessionId"]
    opentok.publish(session_id)
    opentok.fault(method="POST", path=ARCHIVES, after=True, drop=True)
    answer = server.post("/archive/start", json={"sessionId": session_id})
    assert (answer.status_code, answer.json()["status"]) == (200, "started")


@pytest.fixture
def cautious(opentok, transactional_db):
    """A server of one process, which leaves OpenTok alone after three failures in a row."""
    with Server(
        OPENTOK_API_URL=opentok.url, OPENTOK_FAILURES="3", OPENTOK_TIMEOUT="1", WEB_CONCURRENCY="1"
    ) as server:
        yield server


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"hang": True}], ids=str)
def test_an_opentok_that_keeps_failing_is_left_alone_until_it_recovers(cautious, opentok, fault):
    assert cautious.get("/room/known").status_code == 200
    opentok.fault(**fault)
    for n in range(3):
        assert cautious.get(f"/room/new-{n}").status_code >= 500
    asked = len(opentok.requests())
    for n in range(20):
        answer = cautious.get(f"/room/new-{n}")
        assert (answer.status_code, answer.json()["code"]) == (503, "opentok_unavailable")
        assert 1 <= int(answer.headers["Retry-After"]) <= breaker.PAUSE_SECONDS
    assert len(opentok.requests()) == asked
    assert cautious.get("/room/known").status_code == 200
    opentok.control("DELETE", "/faults")
    cautious.get_until(200, "/room/new", within=10)
    assert cautious.get("/room/newer").status_code == 200


def test_one_caller_goes_first_after_a_pause(cautious, opentok):
    opentok.fault(status=500, times=3)
    for n in range(3):
        cautious.get(f"/room/new-{n}")
    opentok.fault(delay=0.5)
    with ThreadPoolExecutor(1) as somebody:
        first = somebody.submit(cautious.get_until, 200, "/room/first", within=10)
        opentok.requests(at_least=4, within=10)
        assert cautious.get("/room/second").json()["code"] == "opentok_unavailable"
        assert first.result().status_code == 200
    assert cautious.get("/room/second").status_code == 200
    assert len(opentok.requests()) == 5


def test_refusals_are_no_failures(cautious, opentok):
    session_id = cautious.get("/room/known").json()["sessionId"]
    for _ in range(5):
        answer = cautious.post("/archive/start", json={"sessionId": session_id})
        assert answer.json()["code"] == "nobody_connected"
    assert cautious.get("/room/new").status_code == 200

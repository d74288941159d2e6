"""/metrics: what is counted, in all processes together, and who may read it."""

import os
import re
import resource
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from access.models import ApiKey
from archives.models import Archive
from archives.states import Status
from meetings.models import Connection, Meeting
from ops import metrics
from rooms.models import Room
from tests.server_process import Server

KEY = {"Authorization": "Bearer tests-only-metrics-token"}


def samples(server):
    """Each number by its name and its labels, as in `a_total{code="x"}`."""
    answer = server.get("/metrics", headers=KEY)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def counted(server):
    """How much a number has grown since the test began: `counted("a_total", code="x")`."""
    before = samples(server)

    def counted(name, **labels):
        key = (name, *sorted(labels.items()))
        return samples(server).get(key, 0) - before.get(key, 0)

    return counted


def test_requests_are_counted_by_route_and_status(server, counted):
    for name in ("a", "b", "c", "%20"):
        server.get(f"/room/{name}")
    server.request("HEAD", "/room/a")
    server.get("/room-with-no-route")
    requests = "rooms_http_request_duration_seconds_count"
    assert counted(requests, method="GET", route="/room/<name>", status="200") == 3
    assert counted(requests, method="GET", route="/room/<name>", status="400") == 1
    assert counted(requests, method="HEAD", route="/room/<name>", status="200") == 1
    assert counted(requests, method="GET", route="(none)", status="404") == 1
    times = "rooms_http_request_duration_seconds_bucket"
    assert counted(times, method="GET", route="/room/<name>", status="200", le="+Inf") == 3


def test_nothing_that_a_client_made_up_becomes_a_label(server):
    for method, path in [
        ("BREW", "/room/made-up"),
        ("GET", "/made-up"),
        ("GET", "/static/made-up"),
    ]:
        server.request(method, path)
    server.post("/archive/start", json={"sessionId": "made-up"})
    assert "made-up" not in str(samples(server))
    assert "BREW" not in str(samples(server))


def test_the_series_stay_few_however_the_admin_and_everything_else_is_walked(
    opentok, transactional_db
):
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    cookies = {"sessionid": browser.cookies["sessionid"].value}
    pages = [path for path in every_path() if path.startswith("/admin/") and "logout" not in path]
    others = [path for path in every_path() if not path.startswith("/admin/")]
    with Server(OPENTOK_API_URL=opentok.url) as server:
        for path in [*pages, *others, "/static/x", "/nope", "/admin/nope/1/", "/admin/r/1/1/"]:
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"):
                server.request(method, path, cookies=cookies if path in pages else {})
        requests = [
            dict(labels) for name, *labels in samples(server) if name == f"{REQUESTS}_count"
        ]
    in_admin = [labels for labels in requests if labels["route"].startswith("/admin/")]
    assert len(pages) > 40
    assert {labels["route"] for labels in in_admin} == {"/admin/…"}
    assert {labels["status"] for labels in in_admin} >= {"200", "302", "403", "404"}
    assert {labels["method"] for labels in requests if labels["route"] == "(none)"} == {
        "GET", "POST", "other",
    }  # fmt: skip
    assert len(in_admin) <= 20
    assert len(requests) <= 5 * len(others)


def every_path(patterns=None, before="/"):
    """An address of each route, with 1 where something is to be put in."""
    for pattern in patterns or get_resolver().url_patterns:
        path = before + re.sub(r"<[^>]*>|\(\?P<[^)]*\)", "1", str(pattern.pattern)).strip("^")
        if hasattr(pattern, "url_patterns"):
            yield from every_path(pattern.url_patterns, path)
        else:
            yield re.sub(r"/\?|\\Z|\$", lambda sign: "/" if sign[0] == "/" else "", path)


def test_refused_calls_are_counted_by_their_code(server, counted):
    server.get("/nope")
    server.get("/nope", headers={"Accept": "text/html"})
    server.get("/room/%20")
    server.post("/admin/login/", headers={"Accept": "text/html"})
    assert counted("rooms_problems_total", code="not_found") == 2
    assert counted("rooms_problems_total", code="room_name_invalid") == 1
    assert counted("rooms_problems_total", code="csrf_failed") == 1


def test_calls_to_opentok_are_counted_by_operation_and_outcome(server, opentok, counted):
    server.get("/room/a")
    opentok.fault(status=500)
    server.get("/room/b")
    server.get("/archive")
    opentok.control("DELETE", "/faults")
    opentok.fault(status=429)
    server.get("/room/b")
    calls = "rooms_opentok_call_duration_seconds_count"
    assert counted(calls, operation="create_session", outcome="ok") == 1
    assert counted(calls, operation="create_session", outcome="opentok_failed") == 1
    assert counted(calls, operation="create_session", outcome="opentok_rate_limited") == 1
    # What only reads is asked for twice.
    assert counted(calls, operation="list_archives", outcome="opentok_failed") == 2


def test_a_server_is_ready_while_opentok_is_down_which_shows_in_the_metrics(transactional_db):
    down = {"OPENTOK_API_URL": "http://127.0.0.1:9", "OPENTOK_FAILURES": "1"}
    with Server(WEB_CONCURRENCY="1", **down) as server:
        assert [server.get("/room/x").status_code for _ in range(3)] == [503] * 3
        assert server.get("/readyz").status_code == 200
        found = samples(server)
    calls = "rooms_opentok_call_duration_seconds_count"
    operation = ("operation", "create_session")
    assert found[calls, operation, ("outcome", "opentok_unavailable")] == 1
    assert found[calls, operation, ("outcome", "not_asked")] == 2
    assert found["rooms_problems_total", ("code", "opentok_unavailable")] == 3


def test_rooms_and_recordings_are_counted_by_status(server):
    Room.objects.bulk_create(Room(name=str(n), session_id=f"1_{n}") for n in range(3))
    for number, status in enumerate(["started", "available", "available"]):
        Archive.objects.create(id=f"{number:032x}", session_id="1_x", status=status)
    found = samples(server)
    assert found["rooms_stored_rooms",] == 3
    assert found["rooms_stored_archives", ("status", "started")] == 1
    assert found["rooms_stored_archives", ("status", "available")] == 2
    assert found["rooms_stored_archives", ("status", "failed")] == 0
    assert found["rooms_database_up",] == 1


def test_people_and_meetings_of_now_and_their_minutes_are_counted(server):
    now = timezone.now()
    for number, ended_at in enumerate([None, now]):
        meeting = Meeting.objects.create(
            session_id=f"1_{number}", started_at=now, ended_at=ended_at, person_seconds=600 * number
        )
        for data, left_at in (("", ended_at), ("render", ended_at), ("", now)):
            Connection.objects.create(
                pk=str(uuid.uuid4()), meeting=meeting, data=data, connected_at=now, left_at=left_at
            )
    found = samples(server)
    assert found["rooms_running_meetings",] == 1
    assert found["rooms_connected_people",] == 1
    assert found["rooms_person_minutes_of_a_day",] == 10


def test_recordings_in_states_that_opentok_does_not_document_are_counted_together(server):
    for number, status in enumerate(["invented", "other", "1", "failed"]):
        Archive.objects.create(id=f"{number:032x}", session_id="1_x", status=status)
    found = {key: value for key, value in samples(server).items() if "stored_archives" in key[0]}
    assert found["rooms_stored_archives", ("status", "other")] == 3
    assert found["rooms_stored_archives", ("status", "failed")] == 1
    assert len(found) == len(Status) + 1


def test_a_database_that_is_away_is_a_number_among_the_others(opentok, db):
    away = "postgres://someone:secret@127.0.0.1:9/rooms"
    with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=away) as server:
        assert server.get("/room/x").status_code == 503
        found = samples(server)
    assert found["rooms_database_up",] == 0
    assert found["rooms_problems_total", ("code", "database_unavailable")] == 1
    assert ("rooms_stored_rooms",) not in found


@pytest.mark.django_db
def test_a_gauge_that_fails_leaves_the_others(monkeypatch):
    def fails():
        raise OperationalError("canceling statement due to statement timeout")
        yield

    monkeypatch.setattr(metrics, "GAUGES", [fails, *metrics.GAUGES[1:]])
    names = {family.name for family in metrics.Stored().collect()}
    assert {"rooms_stored_archives", "rooms_database_bytes", "rooms_database_up"} <= names
    assert "rooms_stored_rooms" not in names


# Several processes


def ask(server, times):
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: server.get("/room/known").status_code, range(times)))
    assert set(answers) == {200}


REQUESTS = "rooms_http_request_duration_seconds"
KNOWN = (("method", "GET"), ("route", "/room/<name>"), ("status", "200"))


def test_no_request_is_lost_between_processes_that_count_at_once_die_and_come_back(
    opentok, transactional_db
):
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="2") as server:
        ask(server, 300)
        assert samples(server)[f"{REQUESTS}_count", *KNOWN] == 300
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
            server.workers_once(lambda pids, dead=pid: len(pids) == 2 and dead not in pids)
            server.until_it_answers()
        ask(server, 200)
        found = samples(server)
        assert found[f"{REQUESTS}_count", *KNOWN] == 500
        assert found[f"{REQUESTS}_bucket", ("le", "+Inf"), *KNOWN] == 500
        assert found["rooms_database_up",] == 1


def test_a_server_begins_to_count_anew_and_leaves_no_file_behind(
    opentok, transactional_db, tmp_path
):
    server = Server(OPENTOK_API_URL=opentok.url, TMPDIR=str(tmp_path))
    for _ in range(2):
        with server:
            server.get("/session")
            session = (("method", "GET"), ("route", "/session"), ("status", "302"))
            assert samples(server)[f"{REQUESTS}_count", *session] == 1
            assert len(list(tmp_path.glob("*metrics*"))) == 1
        assert list(tmp_path.glob("*metrics*")) == []


def test_the_disk_has_room_for_what_is_counted_before_it_is_written(
    opentok, transactional_db, tmp_path
):
    """A process that writes to a map of a file ends where a full disk has no room for it."""
    variables = {"TMPDIR": str(tmp_path), "WEB_CONCURRENCY": "1"}
    with Server(OPENTOK_API_URL=opentok.url, **variables) as server:
        for path in ("/", "/session", "/readme", "/archive", "/metrics", "/api/v1/rooms"):
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
                server.request(method, path)
        files = [file.stat() for file in tmp_path.glob("*metrics*/*.db")]
        assert max(file.st_size for file in files) > 64 * 1024
        assert all(512 * file.st_blocks >= file.st_size for file in files)


def test_a_disk_without_room_leaves_answers_uncounted_and_metrics_readable(opentok, db, tmp_path):
    variables = {"TMPDIR": str(tmp_path), "WEB_CONCURRENCY": "1"}
    with Server(OPENTOK_API_URL=opentok.url, **variables) as server:
        (pid,) = server.workers()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        assert server.get("/nope").status_code == 404
        problems = ("rooms_problems_total", ("code", "not_found"))
        assert problems not in samples(server)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert server.get("/nope").status_code == 404
        assert samples(server)[problems] == 1


# Who may read them


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (None, "metrics_closed"),
        ("", "metrics_closed"),
        ("tests-only-metrics-token", "metrics_closed"),
        ("Basic tests-only-metrics-token", "metrics_closed"),
        ("Bearer", "key_invalid"),
        ("Bearer wrong", "key_invalid"),
        ("Bearer tests-only-metrics-toke", "key_invalid"),
        ("Bearer tests-only-metrics-token2", "key_invalid"),
        ("Bearer \xfc", "key_invalid"),
    ],
)
def test_whoever_lacks_the_token_is_refused_and_told_which_variable_it_is(db, client, sent, code):
    answer = client.get("/metrics", headers={} if sent is None else {"authorization": sent})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert ("METRICS_TOKEN" in answer.json()["detail"]) == (code == "metrics_closed")


@pytest.mark.parametrize("sent", [None, "Bearer", "Bearer ", "Bearer x"])
def test_without_a_token_set_none_opens_them(client, settings, sent):
    settings.METRICS_TOKEN = ""
    answer = client.get("/metrics", headers={} if sent is None else {"authorization": sent})
    assert answer.status_code == 401


@pytest.mark.parametrize(("capability", "status"), [("manage", 200), ("join", 403)])
def test_an_api_key_that_may_manage_opens_them_as_well(server, capability, status):
    key = ApiKey(name="Prometheus", capabilities=[capability])
    key.issue()
    answer = server.get("/metrics", headers={"Authorization": f"Bearer {key.text}"})
    assert answer.status_code == status


def test_a_key_for_some_rooms_does_not_open_what_is_counted_of_all(server):
    key = ApiKey(name="Prometheus", capabilities=["manage"], room_prefix="class-")
    key.issue()
    answer = server.get("/metrics", headers={"Authorization": f"Bearer {key.text}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "room_not_covered")


def test_the_answer_is_prometheus_text(server):
    answer = server.get("/metrics", headers=KEY)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# HELP rooms_stored_rooms Rooms." in answer.text

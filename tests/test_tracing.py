"""Traces: what is sent to a collector, and that nothing is loaded without one."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from meetings.models import Meeting
from rooms.models import Room
from tests.api_client import Program
from tests.server_process import ROOT, Server, Started, url_of_test_database
from tests.trace_receiver import Receiver

TOKEN = "s3cr3t-of-a-client-0123456789"
ROUTE = "GET /room/<name>"


@pytest.fixture
def collector():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def traced(opentok, transactional_db, collector):
    """A server in one process that sends its spans at once."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1", **variables) as server:
        yield server


def lines(server):
    told = [line for line in server.output().splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, told) if line.get("route") == "/room/<name>"]


def test_a_request_has_a_span_with_the_call_to_opentok_and_the_statements_in_it(traced, collector):
    traced.get("/room/standup")
    (call,) = collector.wait_for("opentok create_session")
    (request,) = collector.wait_for(ROUTE)
    assert (call.parent, call.trace) == (request.id, request.trace)
    assert request.parent == ""
    assert request.attributes["http.route"] == "/room/<name>"
    assert request.attributes["http.response.status_code"] == 200
    (insert,) = [span for span in collector.wait_for("INSERT") if "rooms_room" in statement(span)]
    assert insert.trace == request.trace


def statement(span):
    return span.attributes["db.query.text"]


def test_each_way_to_a_room_is_traced(traced, collector):
    for path in ("/room/a", "/room/a", "/room/a/"):  # made, from memory, and by Django
        assert traced.get(path).status_code == 200
    spans = collector.wait_for(ROUTE, 3)
    assert len({span.trace for span in spans}) == 3
    assert len(collector.wait_for("opentok create_session")) == 1


def test_a_span_has_no_secret_and_nothing_that_a_client_wrote(traced, collector, opentok):
    headers = {"Authorization": f"Bearer {TOKEN}", "Cookie": f"a={TOKEN}", "User-Agent": TOKEN}
    Program(traced).post("rooms", name="private-name", accessCode="246810")
    traced.get("/room/private-name?code=246810")
    traced.get("/room/private-name?code=135791", headers={"X-Access-Code": "135791"})
    traced.get(f"/room/other-private-name?token={TOKEN}", headers=headers)
    traced.get(f"/nope/{TOKEN}", headers=headers)
    session = traced.get("/room/third-private-name").json()
    opentok.fault(status=403, body={"message": f"bad token {TOKEN}"})
    traced.post(f"/archive/start?token={TOKEN}", json={"sessionId": session["sessionId"]})
    collector.wait_for("POST /archive/start")
    collector.wait_for("GET (none)")
    (failed,) = collector.wait_for("opentok start_archive")
    assert (failed.is_error, failed.attributes["error.type"]) == (
        True,
        "opentok_refused_credentials",
    )
    written = "".join(map(str, collector.bodies))
    for word in (TOKEN, "private-name", "246810", "135791", session["sessionId"], session["token"],
                 opentok.secret, "Bearer", "client.address", "url.path"):  # fmt: skip
        assert word not in written


def test_a_trace_that_a_proxy_began_goes_on_and_is_named_in_the_log(traced, collector):
    trace = "0af7651916cd43dd8448eb211c80319c"
    sent = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    traced.get("/room/lobby", headers=sent)
    traced.get("/room/lobby", headers=sent)
    for span in collector.wait_for(ROUTE, 2):
        assert (span.trace, span.parent) == (trace, "b7ad6b7169203331")
    assert [line["trace_id"] for line in lines(traced)] == [trace, trace]


def test_other_lines_of_the_log_name_the_trace_as_well(traced, collector):
    traced.post("/callbacks", json={}, headers={"Authorization": "Bearer x"})
    (span,) = collector.wait_for("POST /callbacks")
    told = [json.loads(line) for line in traced.output().splitlines() if "was refused" in line]
    assert [line["trace_id"] for line in told] == [span.trace]


def test_checks_of_health_have_no_span_and_the_last_spans_are_sent_at_the_end(
    opentok, transactional_db, collector
):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OPENTOK_API_URL": opentok.url}
    with Server(**variables, OTEL_BSP_SCHEDULE_DELAY="60000") as server:
        for path in ("/healthz", "/readyz", "/room/lobby"):
            server.get(path)
    collector.wait_for(ROUTE)
    assert {span.name for span in collector.spans() if not span.parent} == {"GET /", ROUTE}


def test_a_collector_that_is_away_costs_no_request(opentok, transactional_db):
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    with Server(OPENTOK_API_URL=opentok.url, **variables) as server:
        assert all(server.get("/room/lobby").status_code == 200 for _ in range(5))
        started = time.monotonic()
    assert time.monotonic() - started < 15


def test_calls_of_a_worker_of_its_own_are_traced(opentok, transactional_db, collector):
    room = Room.objects.open("lobby")
    Room.objects.filter(pk=room.pk).update(max_meeting_minutes=1)
    before = timezone.now() - timedelta(minutes=2)
    Meeting.objects.create(session_id=room.session_id, room_name="lobby", started_at=before)
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url_of_test_database(),
           "OPENTOK_API_URL": opentok.url, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}  # fmt: skip
    command = [sys.executable, "manage.py", "worker"]
    worker = subprocess.Popen(command, cwd=ROOT, env=os.environ | own)
    try:
        collector.wait_for("opentok list_connections")
    finally:
        worker.terminate()
        assert worker.wait(timeout=60) == 0


@pytest.fixture
def trap(tmp_path):
    """A PYTHONPATH on which an import of opentelemetry leaves a file behind."""
    mark, package = tmp_path / "imported", tmp_path / "opentelemetry"
    package.mkdir()
    (package / "__init__.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nraise ModuleNotFoundError('trap')\n"
    )
    return mark


def test_without_a_collector_nothing_of_opentelemetry_is_imported(opentok, transactional_db, trap):
    with Started(OPENTOK_API_URL=opentok.url, PYTHONPATH=str(trap.parent), WORKER="on") as server:
        assert server.get("/room/lobby").status_code == 200
        assert server.get("/api/v1/rooms").status_code == 401
        assert "trace_id" not in server.output()
    assert not trap.exists()


def test_without_the_packages_the_server_does_not_start_and_says_what_to_install(trap):
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(trap.parent),
           "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "config.server"],
        cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install -r requirements-traces.txt" in done.stderr
    assert trap.exists()

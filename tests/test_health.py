"""/healthz and /readyz: for those who start, watch and replace a server's processes."""

import json
import socket

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from ops.write_probe import try_to_write
from tests.server_process import Server

PASSWORD = "hunter2-never-shown"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz/", "/readyz/", "/_/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_server_that_works_says_so(server, method, path):
    answer = server.request(method, path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == "" if method == "HEAD" else answer.json()["status"].lower() == "ok"


def test_readiness_names_each_part(server):
    said = server.get("/readyz").json()
    assert said == {"status": "ok", "database": "ok", "migrations": "ok"}


@pytest.mark.django_db
def test_trying_to_write_leaves_no_row_in_any_table():
    def rows():
        return {model: model._base_manager.count() for model in apps.get_models()}

    before = rows()
    try_to_write()
    assert rows() == before


def test_they_answer_for_any_host_and_without_tls_and_leave_nothing_in_the_log(
    opentok, transactional_db
):
    with Server(
        OPENTOK_API_URL=opentok.url, ALLOWED_HOSTS="rooms.example.com", SECURE_SSL_REDIRECT="on"
    ) as server:
        before = server.output()
        for path in ("/healthz", "/readyz"):
            for host in ("10.0.0.7:8080", "healthcheck.railway.app", "_bad_host_", ""):
                assert server.get(path, headers={"Host": host}).status_code == 200
        # What is there besides is of the server's own start.
        assert '"route"' not in server.output().removeprefix(before)
        assert server.get("/room/x", headers={"Host": "10.0.0.7"}).status_code != 200


def test_another_method_is_told_the_right_ones(server):
    answer = server.post("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_server_without_its_database_is_alive_and_not_ready(opentok, db):
    away = f"postgres://someone:{PASSWORD}@127.0.0.1:9/rooms"
    with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=away) as server:
        assert server.get("/healthz").status_code == 200
        for _ in range(3):
            answer = server.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["status"] == "unavailable"
            assert answer.json()["database"] == "out of reach"
        assert "127.0.0.1" not in answer.text
        reasons = [line for line in server.output().splitlines() if "Not ready" in line]
        # Once, and not at each question; a process may have answered none or all of them.
        assert 1 <= len(reasons) <= 2
        assert "OperationalError" in json.loads(reasons[0])["message"]
        assert "/readyz" not in server.output()
        assert PASSWORD not in server.output()


def test_a_database_that_says_nothing_keeps_nobody_waiting(opentok, db):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = f"postgres://someone:secret@127.0.0.1:{silent.getsockname()[1]}/rooms"
        with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=away) as server:
            answer = server.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["database"] == "no answer within 2 s"
            assert answer.elapsed.total_seconds() < 2.9
            assert server.get("/healthz").status_code == 200


@pytest.fixture
def recorder(server):
    """What the database says of migrations; put right again in the end."""
    recorder = MigrationRecorder(connection)
    before = recorder.applied_migrations()
    yield recorder
    for app, name in before.keys() - recorder.applied_migrations().keys():
        recorder.record_applied(app, name)


def test_a_migration_that_is_not_applied_is_named_until_it_is(server, recorder):
    recorder.record_unapplied("archives", "0001_initial")
    before = len(server.output())
    answer = server.get_until(503, "/readyz", within=5)
    reasons = [line for line in server.output()[before:].splitlines() if "Not ready" in line]
    assert 1 <= len(reasons) <= 2  # once in each process that was asked
    assert "archives.0001_initial; run `python manage.py migrate`" in reasons[0]
    assert answer.json()["database"] == "ok"
    assert answer.json()["migrations"] == "not applied: archives.0001_initial"
    recorder.record_unapplied("rooms", "0001_initial")
    # The process that was not asked yet may take itself for ready for a second more.
    answer = server.get_until(503, "/readyz", within=5)
    assert answer.json()["migrations"] == "not applied: archives.0001_initial and 1 more"
    for app in ("archives", "rooms"):
        recorder.record_applied(app, "0001_initial")
    assert server.get("/readyz").status_code == 200

"""A database that takes no writes: known rooms are joined, OpenTok's answers go out, the rest waits.

Each test runs for each way in which a database refuses: see tests/refusing_databases.py.
"""

import resource
import uuid
from contextlib import contextmanager

import pytest
import requests
from django.conf import global_settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection

from archives.models import Archive
from config.postgresql.base import DatabaseWrapper
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.refusing_databases import KINDS, limit_files, refusing_database, refusing_server
from tests.server_process import Server
from tests.test_callbacks import send, told
from tests.test_doctor import Diagnosis, run_by_itself

UNAVAILABLE = (503, "database_unavailable")
REASONS = {
    ("postgresql", "read-only"): "InternalError: SQLSTATE 25006: cannot execute",
    ("postgresql", "revoked"): "ProgrammingError: SQLSTATE 42501: permission denied for",
    ("sqlite", "read-only"): "OperationalError: attempt to write a readonly database",
    # Its log is full as well.
    ("sqlite", "full"): "",
}
METRICS = {"Authorization": "Bearer tests-only-metrics-token"}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def reason(kind):
    """What the log says of it."""
    return REASONS[connection.vendor, kind]


@pytest.fixture
def room(server, opentok):
    """A room with somebody in it."""
    session_id = server.get("/room/standup").json()["sessionId"]
    opentok.publish(session_id)
    return Room.objects.get()


@pytest.fixture
def program(server):
    return Program(server)


@pytest.fixture
def refusing(kind, opentok, transactional_db, tmp_path):
    """Starts a server whose database refuses writes from then on."""
    started = []

    def start():
        started.append(refusing_server(kind, tmp_path, OPENTOK_API_URL=opentok.url))
        return started[-1].__enter__()

    yield start
    for each in started:
        each.__exit__(None, None, None)


def test_known_rooms_can_be_joined_and_new_ones_are_told_to_come_back(room, refusing, reason):
    Room.objects.update(last_used_at="2026-01-01T00:00:00Z")
    server = refusing()
    assert server.get("/room/standup").json()["sessionId"] == room.session_id
    answer = server.get("/room/new")
    assert refusal(answer) == UNAVAILABLE
    assert answer.headers["Retry-After"]
    if reason:
        assert f"503 database_unavailable {reason}" in server.output()
        assert f"Could not note when this room was used: {reason}" in server.output()
    assert "Traceback" not in server.output()


def test_recordings_are_what_opentok_says_although_nothing_can_be_noted(room, refusing, opentok):
    server = refusing()
    started = server.post("/archive/start", json={"sessionId": room.session_id})
    assert (started.status_code, started.json()["status"]) == (200, "started")
    path = f"/archive/{started.json()['id']}"
    assert server.get(f"{path}/view").status_code == 200
    stopped = server.post(f"{path}/stop")
    assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped")
    opentok.advance(3600)
    assert server.get(path).json()["status"] == "available"
    assert server.get(f"{path}/view").status_code == 302
    assert [each["status"] for each in server.get("/archive").json()] == ["available"]
    assert not Archive.objects.exists()


def test_a_known_recording_is_stopped_and_deleted_in_the_api(room, program, refusing, opentok):
    recording = program.post("archives", room="standup").json()["id"]
    program.server = refusing()
    assert program.post(f"archives/{recording}/stop").json()["status"] == "stopped"
    opentok.advance(3600)
    assert program.get(f"archives/{recording}").json()["status"] == "available"
    assert program.delete(f"archives/{recording}").status_code == 204
    assert refusal(program.get(f"archives/{recording}")) == (410, "archive_deleted")
    assert program.get("archives").json()["items"][0]["status"] == "started"  # as last heard


def test_a_request_with_an_idempotency_key_is_not_begun(room, program, refusing, opentok):
    program.server = refusing()
    program.headers["Idempotency-Key"] = str(uuid.uuid4())
    before = len(opentok.requests())
    assert refusal(program.post("archives", room="standup")) == UNAVAILABLE
    assert len(opentok.requests()) == before


def test_a_callback_is_answered_so_that_opentok_tries_again(refusing):
    assert refusal(send(refusing(), told())) == UNAVAILABLE


def test_staff_who_cannot_log_in_get_a_page_that_says_so(refusing, settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # the server's own
    User.objects.create_superuser("ada", password="lovelace-1815")
    server = refusing()
    with requests.Session() as browser:
        page = browser.get(f"{server.url}/admin/login/")
        form = {"username": "ada", "password": "lovelace-1815",
                "csrfmiddlewaretoken": page.cookies["csrftoken"]}  # fmt: skip
        answer = browser.post(f"{server.url}/admin/login/", form, headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "cannot use its database" in answer.text
    assert "Traceback" not in server.output()


def test_readiness_and_the_metrics_see_it(refusing, reason):
    server = refusing()
    answer = server.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable", "database": "takes no writes", "migrations": "ok",
    }  # fmt: skip
    metrics = server.get("/metrics", headers=METRICS).text
    assert "rooms_database_up 0.0" in metrics
    assert "rooms_stored_rooms 0.0" in metrics
    if reason:
        assert f"Not ready: {reason}" in server.output()


def test_the_doctor_sees_it(kind, opentok, transactional_db, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with refusing_database(kind, tmp_path) as url:
        if kind == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            done = run_by_itself("--json", OPENTOK_API_URL=opentok.url, DATABASE_URL=url)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    diagnosis = Diagnosis(done)
    level, text = diagnosis.of("database")
    assert (diagnosis.status, level) == (1, "error")
    assert "takes no writes" in text
    assert "Make room on its disk" in text
    assert diagnosis.of("migrations")[0] == "ok"


def test_readiness_comes_back_with_the_database(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url) as server:
        assert server.get("/readyz").status_code == 200
        with refusing_again(server):
            for _ in range(3):
                assert server.get_until(503, "/readyz", within=10).status_code == 503
                assert refusal(server.get("/room/new")) == UNAVAILABLE
        assert server.get_until(200, "/readyz", within=10).status_code == 200
        assert {server.get(f"/room/new-{number}").status_code for number in range(9)} == {200}


@contextmanager
def refusing_again(server):
    """While it runs. On PostgreSQL the connections that it makes meanwhile stay read-only."""
    if connection.vendor == "sqlite":
        limit_files(server, 0)
        yield
        limit_files(server, resource.RLIM_INFINITY)
        return
    with refusing_database("read-only", None), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        yield


def test_looking_whether_the_database_takes_writes_leaves_nothing(server):
    assert server.get("/readyz").status_code == 200
    assert (Room.objects.count(), Archive.objects.count()) == (0, 0)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's errors quote no row")
def test_an_error_of_postgresql_quotes_no_row(transactional_db):
    as_the_server = DatabaseWrapper(connection.settings_dict | {"ENGINE": "config.postgresql"})
    Room.objects.create(name="secret-name", session_id="secret-session")
    insert = (
        "INSERT INTO rooms_room (name, session_id, e2ee, token_role, created_at) "
        "VALUES (%s, %s, false, '', now())"
    )
    try:
        for row in [("other", "secret-session"), ("secret-name", "secret-other")]:
            with pytest.raises(IntegrityError) as raised, as_the_server.cursor() as cursor:
                cursor.execute(insert, row)
            assert "secret" not in f"{raised.value}{raised.value.__cause__}"
            assert "SQLSTATE 23" in str(raised.value)
    finally:
        as_the_server.connection.close()

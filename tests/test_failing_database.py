"""A database that is away, full, locked or restarted: a 503 at worst, and nothing half written."""

import resource
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction

from config.postgresql.base import DatabaseWrapper
from rooms.models import PastSession, Room
from tests.database_proxy import DatabaseProxy
from tests.server_process import Server

of_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no server; the run on PostgreSQL has"
)
of_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="of a file; the run on SQLite has one"
)


def assert_unavailable(answer):
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]


@pytest.fixture
def proxy(transactional_db):
    with DatabaseProxy() as proxy:
        yield proxy


@of_postgresql
def test_a_database_that_was_away_is_used_again_as_soon_as_it_is_back(opentok, proxy):
    with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=proxy.url) as server:
        known = Room.objects.add(
            "known", e2ee=False
        ).session_id  # of which no process keeps the row
        proxy.cut()
        for path in ["/room/known", "/room/new"] * 10:
            assert_unavailable(server.get(path))
        proxy.mend()
        assert server.get("/room/known").json()["sessionId"] == known
        assert server.get("/room/new").status_code == 200
    assert Room.objects.count() == 2


@of_postgresql
def test_a_database_that_goes_away_while_a_room_is_made_has_no_half_a_room(opentok, proxy):
    with (
        Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=proxy.url) as server,
        ThreadPoolExecutor(1) as visitor,
    ):
        opentok.fault(path="/session/create", delay=1)
        visit = visitor.submit(server.get, "/room/new")
        opentok.requests(at_least=1)
        proxy.cut()
        assert_unavailable(visit.result())
        proxy.mend()
        assert (Room.objects.count(), PastSession.objects.count()) == (0, 0)
        assert server.get("/room/new").status_code == 200


@of_postgresql
def test_a_restart_of_the_database_costs_nobody_who_only_reads_an_error(server):
    server.get("/room/known")
    with ThreadPoolExecutor(4) as crowd:
        for _ in range(10):
            visits = [crowd.submit(server.get, "/room/known") for _ in range(60)]
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            assert {visit.result().status_code for visit in visits} == {200}


@of_postgresql
def test_a_table_that_stays_locked_is_a_503_and_the_server_lives_on(server):
    Room.objects.add("known", e2ee=False)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE rooms_room")
        assert_unavailable(server.get("/room/known"))
    assert server.get("/room/known").status_code == 200


@of_postgresql
def test_no_statement_may_take_for_ever_but_those_of_migrations(transactional_db):
    as_the_server = DatabaseWrapper(connection.settings_dict | {"ENGINE": "config.postgresql"})

    def limit():
        with as_the_server.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            return cursor.fetchone()[0]

    try:
        assert limit() == "5s"
        with as_the_server.schema_editor():
            assert limit() == "0"
    finally:
        as_the_server.connection.close()


@of_sqlite
def test_a_locked_file_lets_rooms_be_joined_and_says_of_new_ones_when_to_come_back(server):
    server.get("/room/known")
    with transaction.atomic():  # which takes the lock at once: see config/database.py
        assert server.get("/room/known").status_code == 200
        assert_unavailable(server.get("/room/new"))
    assert server.get("/room/new").status_code == 200


@of_sqlite
def test_a_full_disk_lets_rooms_be_joined_and_makes_no_half_a_room(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url) as server:
        known = server.get("/room/known").json()["sessionId"]
        limit_files(server, 0)
        for _ in range(5):
            assert server.get("/room/known").json()["sessionId"] == known
            assert_unavailable(server.get("/room/new"))
        limit_files(server, resource.RLIM_INFINITY)
        assert Room.objects.count() == 1
        assert server.get("/room/new").status_code == 200


def limit_files(server, size):
    """Let the server's processes write no byte beyond this many into any file."""
    for pid in server.workers():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@of_postgresql
def test_looks_at_a_database_that_fail_take_no_connections_away(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as server:
        assert server.get("/room/known").status_code == 200
        rename = "ALTER TABLE django_migrations RENAME COLUMN"
        with connection.cursor() as cursor:
            cursor.execute(f"{rename} name TO broken")
            try:
                told = {
                    server.get("/readyz").json()["database"]
                    for _ in range(settings.DATABASE_CONNECTIONS + 1)
                }
            finally:
                cursor.execute(f"{rename} broken TO name")
        assert told == {"out of reach"}
        assert server.get("/readyz").status_code == 200
        assert server.get("/room/known").status_code == 200

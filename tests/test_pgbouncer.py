"""Behind a PgBouncer in transaction mode: limits hold, and nothing is left to its other clients."""

import os

import psycopg2
import pytest
from django.db import connection, transaction

from rooms.models import Room
from tests import forked
from tests.pgbouncer import PROGRAM, PgBouncer
from tests.server_process import ROOT, Server

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql" or not PROGRAM, reason="needs PostgreSQL and PgBouncer"
)


@pytest.fixture
def pooler(transactional_db, tmp_path):
    with PgBouncer(tmp_path) as pooler:
        yield pooler


def limits_of_the_next_client(pooler):
    """What is left on the one connection that all clients of the pooler get in turn."""
    with psycopg2.connect(pooler.url) as client, client.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
        )
        limits = cursor.fetchone()
    client.close()
    return limits


def test_the_server_works_and_leaves_no_limit_to_other_clients(opentok, pooler):
    before = limits_of_the_next_client(pooler)
    with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=pooler.url) as server:
        assert server.get("/readyz").status_code == 200
        for name in ("one", "two", "one"):
            assert server.get(f"/room/{name}").status_code == 200
            assert limits_of_the_next_client(pooler) == before == ("0", "0")
    assert Room.objects.count() == 2


def test_a_statement_of_the_server_ends_after_five_seconds(opentok, pooler):
    # With QUICK_ROOMS the row may be kept, and the answer need no statement.
    environment = {"DATABASE_URL": pooler.url, "QUICK_ROOMS": "off"}
    with Server(OPENTOK_API_URL=opentok.url, **environment) as server:
        assert server.get("/room/known").status_code == 200
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE rooms_room")
            answer = server.get("/room/known")
        assert answer.status_code == 503
        assert 4 < answer.elapsed.total_seconds() < 9
        assert "SQLSTATE 57014" in server.output()


def test_migrations_leave_no_limit_to_other_clients(pooler):
    def migrate(*target):
        own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": pooler.url}
        done = forked.run(["manage.py", "migrate", *target], cwd=ROOT, env=os.environ | own)
        assert done.returncode == 0, done.stderr

    try:
        migrate("archives", "0001")
        assert limits_of_the_next_client(pooler) == ("0", "0")
    finally:
        migrate()
    assert limits_of_the_next_client(pooler) == ("0", "0")

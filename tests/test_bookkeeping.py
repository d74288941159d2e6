"""Notes that the server keeps for its staff never stand in a caller's way."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from access.models import ApiKey
from archives.models import Archive
from rooms.models import Room
from tests.api_client import Program


@pytest.fixture
def refuse(transactional_db):
    """Have the database refuse a kind of write to a table, as a full disk would."""
    refused = []

    def refuse(what: str, table: str) -> None:
        refused.append(table)
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(
                    f"CREATE TRIGGER refusal BEFORE {what} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'refused'); END"
                )
            else:
                cursor.execute(
                    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE EXCEPTION 'refused'; END $$"
                )
                cursor.execute(
                    f"CREATE TRIGGER refusal BEFORE {what} ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION refuse()"
                )

    yield refuse
    with connection.cursor() as cursor:
        for table in refused:
            on = "" if connection.vendor == "sqlite" else f" ON {table}"
            cursor.execute(f"DROP TRIGGER refusal{on}")


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(days=365)])
def test_a_use_that_was_noted_while_the_clock_ran_ahead_is_noted_anew(server, ahead):
    Room.objects.open("standup")
    program = Program(server, can="join")
    for used in (Room.objects, ApiKey.objects):
        used.update(last_used_at=timezone.now() + ahead)
    assert server.get("/room/standup", headers=program.headers).status_code == 200
    for used in (Room.objects, ApiKey.objects):
        assert used.get().last_used_at <= timezone.now()


def test_a_room_can_be_joined_although_its_use_cannot_be_noted(server, refuse):
    first = server.get("/room/standup").json()
    Room.objects.update(last_used_at=timezone.now() - timedelta(days=1))
    refuse("UPDATE", "rooms_room")
    again = server.get("/room/standup")
    assert again.status_code == 200
    assert again.json()["sessionId"] == first["sessionId"]


def test_a_room_can_be_joined_while_somebody_else_writes_to_it(server):
    server.get("/room/standup")
    Room.objects.update(last_used_at=timezone.now() - timedelta(days=1))
    with transaction.atomic():
        list(Room.objects.select_for_update())  # SQLite locks everything instead, for 5 s at most
        assert server.get("/room/standup").status_code == 200


def test_a_recording_that_was_started_is_answered_although_it_cannot_be_written_down(
    server, opentok, refuse
):
    session = server.get("/room/standup").json()["sessionId"]
    opentok.connect(session)
    refuse("INSERT", "archives_archive")
    started = server.post("/archive/start", json={"sessionId": session})
    assert started.status_code == 200
    assert started.json()["status"] == "started"
    assert not Archive.objects.exists()


@pytest.mark.parametrize("table", ["archives_archive", "rooms_room"])
def test_a_locked_table_keeps_no_recording_from_an_answer_for_long(server, opentok, table):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks no single table")
    program = Program(server, can="manage")
    session = opentok.make_session()
    opentok.connect(session)
    archive = program.post("archives", sessionId=session).json()["id"]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table}")
        answer = program.get(f"archives/{archive}")
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() < 4.5  # three notes wait a second each, at most

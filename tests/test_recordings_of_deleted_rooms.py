"""Recordings keep the name of the room that they were made in, also when that is deleted."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from archives.models import Archive
from rooms.models import Room
from tests.api_client import refusal
from tests.test_api_archives import record, wait_until_somebody_waits_for_a_lock


def names(answer):
    assert answer.status_code == 200, answer.text
    return [found["room"] for found in answer.json()["items"]]


def text(response):
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_a_recording_keeps_the_name_of_its_room_for_ever(program, server, opentok):
    session = program.post("rooms", name="exam").json()["sessionId"]
    opentok.publish(session)
    started = program.post("archives", room="exam", name="Monday").json()
    path = f"archives/{started['id']}"
    program.delete("rooms/exam")
    assert program.get(path).json()["room"] == "exam"
    assert program.post(f"{path}/stop").json()["room"] == "exam"
    opentok.advance(60)
    assert program.get(path).json()["status"] == "available"
    for query in ("", "?room=exam", f"?sessionId={started['sessionId']}", "?room=exam&limit=1"):
        (found,) = program.get(f"archives{query}").json()["items"]
        assert (found["id"], found["room"], found["name"]) == (started["id"], "exam", "Monday")
    opentok.advance(73 * 3600)
    assert program.get(path).json()["status"] == "expired"
    assert "exam" in server.get(f"/archive/{started['id']}/view").text
    assert program.get("archives?room=exam&status=expired").json()["items"][0]["room"] == "exam"


@pytest.mark.parametrize("session", ["present", "past"])
def test_a_recording_that_starts_after_its_room_was_deleted_has_its_name(
    session, program, school, server, opentok
):
    before = program.post("rooms", name="school-9").json()["sessionId"]
    after = program.post("rooms/school-9/session").json()["sessionId"]
    used = after if session == "present" else before
    opentok.publish(used)
    program.delete("rooms/school-9")
    started = server.post("/archive/start", json={"sessionId": used}).json()
    assert started["name"] == "school-9"
    (found,) = program.get("archives?room=school-9").json()["items"]
    assert (found["id"], found["room"]) == (started["id"], "school-9")
    assert refusal(school.get(f"archives/{started['id']}")) == (403, "room_not_covered")


def test_a_new_room_of_the_name_gets_no_recording_of_the_old_one(program, school, server, opentok):
    old = record(program, opentok, "school-1")
    program.delete("rooms/school-1")
    assert refusal(school.get("archives?room=school-1")) == (404, "room_not_found")
    new = record(program, opentok, "school-1")
    listed = program.get("archives?room=school-1").json()["items"]
    assert [found["id"] for found in listed] == [new["id"], old["id"]]
    (only,) = school.get("archives?room=school-1").json()["items"]
    assert only["id"] == new["id"]
    assert [found["id"] for found in school.get("archives").json()["items"]] == [new["id"]]
    # Looking at it again does not make it the new room's.
    program.get(f"archives/{old['id']}")
    server.get("/archive")
    for answer in (
        school.get(f"archives/{old['id']}"), school.post(f"archives/{old['id']}/stop"),
        school.get(f"archives?sessionId={old['sessionId']}"),
        server.get(f"/archive/{old['id']}/view", headers=school.headers),
    ):  # fmt: skip
        assert refusal(answer) == (403, "room_not_covered")
    kept = Archive.objects.get(pk=old["id"])
    assert (kept.room, kept.room_name) == (None, "school-1")


def test_a_recording_that_starts_while_its_room_is_deleted_keeps_the_name(program, opentok):
    session = program.post("rooms", name="exam").json()["sessionId"]
    opentok.publish(session)
    opentok.fault(method="POST", path="/archive$", delay=2, times=1)
    asked = len(opentok.requests())
    with ThreadPoolExecutor(1) as other:
        starting = other.submit(program.post, "archives", room="exam")
        opentok.requests(at_least=asked + 1)
        program.delete("rooms/exam")
        started = starting.result().json()
    assert started["room"] == "exam"
    (row,) = Archive.objects.all()
    assert (row.room, row.room_name) == (None, "exam")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there the one writer looks up as well")
def test_a_recording_that_is_written_while_its_room_is_deleted_keeps_the_name(program, opentok):
    started = record(program, opentok, "exam")
    Archive.objects.all().delete()
    asked = len(opentok.requests())
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            # Looked up before the deletion is there, and written after it.
            Room.objects.lock("exam").delete()
            asking = other.submit(program.get, f"archives/{started['id']}")
            opentok.requests(at_least=asked + 1)
            wait_until_somebody_waits_for_a_lock()
        assert asking.result().status_code == 200
    assert Archive.objects.get().room_name == "exam"


def test_a_callback_takes_no_name_away(program, server, opentok, settings):
    opentok.control("POST", "/clock", {"speed": 0})
    opentok.call_back(f"{server.url}/callbacks", settings.CALLBACK_SECRET)
    started = record(program, opentok, "exam")
    opentok.callbacks(attempts=1)
    program.delete("rooms/exam")
    program.post("rooms", name="exam")
    program.post(f"archives/{started['id']}/stop")
    opentok.advance(60)
    told = opentok.callbacks(attempts=3)
    assert [callback["attempts"] for callback in told] == [[200]] * 3
    row = Archive.objects.get()
    assert (row.status, row.room, row.room_name) == ("available", None, "exam")


def test_a_row_of_an_older_server_gets_its_name_when_it_is_seen_next(program, server, opentok):
    record(program, opentok, "exam")
    Archive.objects.update(room_name="")
    server.get("/archive")
    assert Archive.objects.get().room_name == "exam"


def test_an_older_server_goes_on_recording_while_it_is_replaced(program, opentok):
    started = record(program, opentok, "exam")
    columns = "id, session_id, status, name, reason, duration, size, created_at, details, room_id"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE old AS SELECT {columns} FROM archives_archive")
        cursor.execute("DELETE FROM archives_archive")
        cursor.execute(f"INSERT INTO archives_archive ({columns}) SELECT {columns} FROM old")
        cursor.execute("DROP TABLE old")
    assert names(program.get("archives")) == ["exam"]
    program.get(f"archives/{started['id']}")
    assert names(program.get("archives?room=exam")) == ["exam"]


def test_staff_find_recordings_by_the_name_of_a_deleted_room(admin_client):
    recordings = [
        Archive.objects.create(
            id=f"0a1b2c3d-0000-4000-8000-00000000000{number}", session_id=f"1_{number}",
            status="available", room_name=name, name="Monday",
        )
        for number, name in enumerate(["exam 2025", "exam 2026", "Exam", "lobby"])
    ]  # fmt: skip
    for term, expected in [
        ("exam", [0, 1, 2]),
        ("exam 2026", [1]),
        ("M 2", [0, 1]),
        ("%", []),
        ("y", [0, 1, 2, 3]),
    ]:
        found = text(admin_client.get("/admin/archives/archive/", {"q": term}))
        assert [n for n in range(4) if str(recordings[n].pk) in found] == expected, term
    assert "exam 2025" in text(admin_client.get("/admin/archives/archive/"))
    page = text(admin_client.get(f"/admin/archives/archive/{recordings[0].pk}/change/"))
    assert re.search(r"<label>Room:</label>\s*<div class=\"readonly\">exam 2025</div>", page)


@pytest.mark.django_db(transaction=True)
def test_recordings_that_were_there_before_get_the_name_of_their_room():
    room = Room.objects.create(name="exam", session_id="1_exam")
    common = {"session_id": "1_exam", "status": "available"}
    number = 2500
    Archive.objects.bulk_create(
        Archive(id=f"0a1b2c3d-0000-4000-8000-{n:012}", room=room, **common) for n in range(number)
    )
    Archive.objects.create(id="0a1b2c3d-0000-4000-9000-000000000000", name="of no room", **common)
    try:
        call_command("migrate", "archives", "0002", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert Archive.objects.filter(room_name="exam").count() == number
    assert Archive.objects.get(room_name="").name == "of no room"

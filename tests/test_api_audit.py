"""Who did what under /api/v1/audit."""

import csv
import io

import pytest

from access.capabilities import Capability
from audit.models import Entry
from rooms.models import Room
from tests.api_client import Program, refusal


@pytest.fixture
def auditor(server):
    return Program(server, can="audit")


@pytest.fixture
def done(program, opentok):
    """Some acts of the key "a program"."""
    program.post("rooms", name="school-1")
    program.post("rooms", name="hall")
    program.patch("rooms/school-1", accessCode="sesame-9", closed=True)
    program.delete("rooms/hall")


def listed(auditor, query=""):
    answer = auditor.get(f"audit{query}")
    assert answer.status_code == 200, answer.text
    return [(entry["what"], entry["subject"]["name"]) for entry in answer.json()["items"]]


def test_entries_are_listed_the_newest_first(auditor, program, done):
    (deleted, changed, *_), keys = auditor.get("audit").json()["items"], program.key
    assert list(deleted) == ["id", "at", "what", "actor", "subject", "room", "details"]
    assert (deleted["what"], deleted["room"]) == ("room.deleted", "hall")
    assert changed["actor"] == {
        "kind": "key", "id": keys.prefix, "name": "a program", "address": "127.0.0.1",
    }  # fmt: skip
    room = Room.objects.get()
    assert changed["subject"] == {"kind": "room", "id": str(room.pk), "name": "school-1"}
    assert changed["details"] == {
        "before": {"access_code": False, "closed": False},
        "after": {"access_code": True, "closed": True},
    }


def test_entries_are_found_by_actor_subject_room_and_time(auditor, done):
    changed, made = ("room.changed", "school-1"), ("room.made", "school-1")
    assert listed(auditor, "?room=school-1") == [changed, made]
    assert len(listed(auditor, "?actor=a program")) == 4
    assert listed(auditor, "?actor=ada") == []
    assert listed(auditor, f"?subject={Room.objects.get().pk}&room=school-1") == [changed, made]
    moment = Entry.objects.get(what="room.changed").at.isoformat().replace("+", "%2B")
    assert listed(auditor, f"?room=school-1&since={moment}") == [changed]
    assert listed(auditor, f"?room=school-1&until={moment}") == [made]
    assert refusal(auditor.get("audit?what=x")) == (400, "invalid")
    assert refusal(auditor.get("audit?room=%20")) == (400, "room_name_invalid")


def test_entries_come_in_pages(auditor, done):
    first = auditor.get("audit?limit=2&room=school-1&limit=1").json()
    second = auditor.get(f"audit?room=school-1&limit=1&cursor={first['nextCursor']}").json()
    told = [entry["what"] for page in (first, second) for entry in page["items"]]
    assert told == ["room.changed", "room.made"]
    assert second["nextCursor"] is None


def test_entries_come_as_csv_without_formulas(auditor, program, done):
    program.post("rooms", name="=1+1")
    answer = auditor.get("audit?format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["What"] for row in rows] == [what for what, _ in listed(auditor)]
    assert (rows[0]["Subject"], rows[0]["Who"]) == ("'=1+1", "a program")


def test_a_key_for_some_rooms_gets_what_was_done_in_those(server, done):
    school = Program(server, can="audit", rooms="school-")
    assert listed(school) == [("room.changed", "school-1"), ("room.made", "school-1")]
    assert listed(school, "?actor=a program&room=school-1") == listed(school)
    assert refusal(school.get("audit?room=hall")) == (403, "room_not_covered")
    assert "hall" not in school.get("audit?format=csv").text


def test_who_did_what_takes_a_key_with_audit(server, db):
    assert refusal(server.get("/api/v1/audit")) == (401, "key_required")
    others = Program(server, can=",".join(set(Capability.values) - {"audit"}))
    assert refusal(others.get("audit")) == (403, "capability_missing")

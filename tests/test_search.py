"""Rooms and recordings by any part of a name."""

import os
import uuid
from contextlib import closing
from datetime import timedelta
from urllib.parse import quote, urlsplit

import psycopg2
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from archives.models import Archive
from ops import worker
from ops.doctor import stored
from rooms import search
from rooms.models import Room
from tests import forked
from tests.plans import forbid
from tests.server_process import ROOT, url_of_test_database
from web import folding

pytestmark = pytest.mark.django_db

ROOMS, ARCHIVES = "/admin/rooms/room/", "/admin/archives/archive/"


def make_room(name, **fields):
    return Room.objects.create(name=name, session_id=f"1_{uuid.uuid4().hex}", **fields)


def make_archive(**fields):
    return Archive.objects.create(
        **{"id": uuid.uuid4(), "session_id": "1_x", "status": "available"} | fields
    )


def rooms(term):
    return sorted(room.name for room in Room.objects.search(term))


@pytest.mark.parametrize(
    "term", ["zürich", "ZURICH", "uric", "  Zürich ", "zu\u0308ri", "h b", "bur", "ü", "STRASSE"]
)
def test_part_of_a_name_finds_a_room_in_any_case_with_and_without_accents(term):
    make_room("Team Zürich Büro Langstraße")
    make_room("Team Basel")
    assert rooms(term) == ["Team Zürich Büro Langstraße"]


def test_letters_of_every_script_are_kept():
    for name in ("Комната", "会议室", "कि", "한국어"):
        make_room(name)
    for term, name in {"КОМ": "Комната", "议": "会议室", "क": "कि", "국": "한국어"}.items():
        assert rooms(term) == [name]
    assert rooms("का") == []


@pytest.mark.parametrize("term", ["%", "_", "\\", '"', "abc*", "a OR b", "zzz", "x" * 100_000])
def test_what_a_database_might_read_as_a_pattern_is_text(term):
    make_room("abc or b")
    assert rooms(term) == []


def test_signs_of_patterns_are_found():
    make_room("100 % a_b\\c")
    for term in "%", "_", "\\", "% a_":
        assert rooms(term) == ["100 % a_b\\c"]


def test_a_room_made_at_a_first_visit_is_found(opentok):
    Room.objects.open("Zürich")
    assert rooms("zur") == ["Zürich"]


def test_a_recording_is_found_by_its_name_and_its_rooms_also_when_they_change():
    archive = make_archive(name="Réunion", room_name="Salle bleue")
    for term in ("reunion", "BLEUE"):
        assert Archive.objects.search(term).get() == archive
    archive.name = "Concert"
    archive.save()
    assert Archive.objects.search("concert").get() == archive
    assert not Archive.objects.search("reunion")


def test_a_recording_that_a_callback_names_is_found_by_that_name():
    remote = {"id": str(uuid.uuid4()), "sessionId": "1_x", "status": "started", "createdAt": 1}
    Archive.objects.apply_callback(remote)
    Archive.objects.apply_callback(remote | {"status": "stopped", "name": "Réunion"})
    assert str(Archive.objects.search("reunion").get().pk) == remote["id"]


def test_a_recording_is_found_by_its_id_and_its_session():
    archive = make_archive(session_id="1_MX4xMjM0NTY3OH4")
    make_archive()
    for term in str(archive.pk), f" {archive.pk} ", archive.session_id:
        assert Archive.objects.search(term).get() == archive


def test_of_many_that_are_found_filters_and_orders_see_all(monkeypatch):
    monkeypatch.setattr(search, "MOST", 3)
    for number in range(5):
        make_room(f"standup {number}", e2ee=number == 4)
    assert len(rooms("standup")) == 5
    assert Room.objects.matching(search="standup", e2ee=True).get().name == "standup 4"


@pytest.mark.parametrize("term", ["standup", "st", "a b", "会议"])
def test_a_search_reads_an_index_in_place_of_rows(term):
    has_trigrams = connection.vendor == "postgresql" and term == "standup"
    # Of so few rows PostgreSQL would also read the smaller index.
    forbid("seqscan", *["indexonlyscan"] * has_trigrams)
    for model, column in ((Room, "folded_name"), (Archive, "folded_names")):
        found = model.objects.filter(search._has(term, column)).order_by()
        plan = found.values_list("pk", flat=True)[:11].explain()
        kind = model._meta.model_name
        assert (f"{kind}_trigrams" if has_trigrams else f"{kind}_{column}") in plan
        assert connection.vendor == "postgresql" or "COVERING INDEX" in plan


def test_the_longest_names_are_stored_and_found():
    hard = "".join(chr(0x1F300 + number) for number in range(200))
    assert rooms(make_room(hard).name[50:150]) == [hard]
    archive = make_archive(name=(hard + "ΐ" * 300)[:5000], room_name=hard)
    assert Archive.objects.search(hard[:99]).get() == archive


def test_staff_find_own_rooms_only(monkeypatch):
    monkeypatch.setattr(search, "MOST", 3)
    teacher = User.objects.create_user("teacher", is_staff=True)
    named = ["view_room", "view_archive", "only_own_rooms"]
    teacher.user_permissions.set(Permission.objects.filter(codename__in=named))
    client = Client()
    client.force_login(teacher)
    own = make_room("Übung", owner=teacher)
    others = [make_room(f"übung {number}") for number in range(5)]
    archives = [make_archive(room=room, room_name=room.name) for room in [own, *others]]
    for path, row in ((ROOMS, own), (ARCHIVES, archives[0])):
        assert list(client.get(path, {"q": "UBUN"}).context["cl"].result_list) == [row]


def test_rows_of_an_older_server_are_found_once_the_server_has_tidied_up(opentok):
    room, archive = make_room("Zürich"), make_archive(name="Réunion")
    # As that inserts them: without the column.
    for model, column in ((Room, "folded_name"), (Archive, "folded_names")):
        model.objects.update(**{column: None})
    assert rooms("zur") == []
    worker.tidy()
    assert rooms("zur") == ["Zürich"]
    assert Archive.objects.search("reunion").get() == archive
    room.refresh_from_db()
    assert room.folded_name == "zurich"


def test_rows_are_folded_in_batches_also_those_of_one_moment(monkeypatch):
    monkeypatch.setattr(folding, "BATCH", 2)
    now = timezone.now()
    for number in range(7):
        make_room(f"Zürich {number}", created_at=now - timedelta(days=min(number, 2)))
    Room.objects.update(folded_name=None)
    folding.fold_all(Room.objects.all(), "folded_name")
    assert len(rooms("zurich")) == 7


def test_the_api_finds_rooms_by_part_of_a_name(program):
    make_room("Team Zürich")
    make_room("Team Basel")
    for term in ("ZURICH", "uri", " züri "):
        items = program.get(f"rooms?search={quote(term)}").json()["items"]
        assert [item["name"] for item in items] == ["Team Zürich"]


def test_the_api_finds_recordings_by_part_of_a_name(program):
    archive = make_archive(name="Réunion", room_name="Salle bleue")
    make_archive(name="concert")
    for term in ("REUNION", "bleu", str(archive.pk)):
        items = program.get(f"archives?search={quote(term)}").json()["items"]
        assert [item["id"] for item in items] == [str(archive.pk)]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
def test_without_trigrams_a_search_finds_the_same_and_the_doctor_says_so():
    make_room("Team Zürich")
    assert [finding.level for finding in stored.search()] == ["ok"]
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX room_trigrams")
    assert rooms("zur") == ["Team Zürich"]
    (finding,) = stored.search()
    assert finding.level == "warning"
    assert "CREATE INDEX CONCURRENTLY room_trigrams ON rooms_room USING gin" in finding.remedy


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
def test_a_migration_that_may_not_make_the_extension_is_finished_without_the_indexes(
    transactional_db,
):
    name = f"{connection.settings_dict['NAME']}_poor"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'poor'")
        cursor.execute(f"GRANT {name} TO CURRENT_USER")
        cursor.execute(f"REVOKE CREATE ON DATABASE {name} FROM PUBLIC")
    url = urlsplit(url_of_test_database())._replace(path=f"/{name}")
    try:
        with closing(psycopg2.connect(url.geturl())) as other, other, other.cursor() as cursor:
            cursor.execute(f"GRANT ALL ON SCHEMA public TO {name}")
        poor = url._replace(netloc=f"{name}:poor@{url.netloc.rpartition('@')[2]}").geturl()
        command = ["manage.py", "migrate", "--verbosity=0"]
        done = forked.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": poor})
        assert done.returncode == 0, done.stderr
        assert "No index archive_trigrams: PostgreSQL has no pg_trgm." in done.stdout
        with closing(psycopg2.connect(poor)) as other, other, other.cursor() as cursor:
            cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'room_%'")
            names = {row[0] for row in cursor}
            assert "room_folded_name" in names
            assert "room_trigrams" not in names
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
            cursor.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("path", [ROOMS, ARCHIVES])
@pytest.mark.parametrize("term", ["\0", "a\0b", "%" * 255, "\u0301" * 500])
def test_a_made_up_search_of_staff_is_no_server_error(admin_client, path, term):
    make_archive(room=make_room("lobby"))
    assert admin_client.get(path, {"q": term}).status_code in {200, 400}


@pytest.mark.parametrize("path", ["rooms", "archives"])
def test_a_made_up_search_of_a_program_is_no_server_error(program, path):
    assert program.get(f"{path}?search=a%00b").status_code == 400
    assert program.get(f"{path}?search={quote(chr(0x301) * 300)}").status_code == 200

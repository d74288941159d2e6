"""What staff see and do in the admin."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archives.models import Archive
from rooms.models import Room
from staff.large_tables import CappedPaginator

pytestmark = pytest.mark.django_db

ROOMS = "/admin/rooms/room/"
ARCHIVES = "/admin/archives/archive/"


def make_room(number, **fields):
    return Room.objects.create(name=f"room {number}", session_id=f"1_session{number}", **fields)


def make_archive(room, **fields):
    made = {"id": uuid.uuid4(), "room": room, "room_name": room.name,
            "session_id": room.session_id, "status": "available"}  # fmt: skip
    return Archive.objects.create(**made | fields)


def page(client, path, **query):
    response = client.get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def test_staff_have_to_log_in(client):
    assert client.get(ROOMS).status_code == 302
    assert client.get("/admin").headers["Location"] == "/admin/"


def test_nothing_but_the_admin_has_sessions(admin_client):
    """Which would cost every request of the API some time."""
    for path, has in ("/admin/", True), ("/", False), ("/api/v1/rooms", False):
        assert hasattr(admin_client.get(path).wsgi_request, "session") == has


def test_staff_log_in_with_a_browser():
    User.objects.create_superuser("ada", password="lovelace-1815")
    browser = Client(enforce_csrf_checks=True)
    form = browser.get("/admin/login/")
    # With "no-referrer" a browser sends `Origin: null`, which the check for forgeries refuses.
    assert form.headers["Referrer-Policy"] == "same-origin"
    fields = {
        "username": "ada", "password": "lovelace-1815", "next": "/admin/",
        "csrfmiddlewaretoken": form.context["csrf_token"],
    }  # fmt: skip
    sent = browser.post("/admin/login/", fields, headers={"origin": "http://testserver"})
    assert sent.headers["Location"] == "/admin/"
    assert browser.post("/admin/login/", fields, headers={"origin": "null"}).status_code == 403


def test_rooms_are_found_by_name_and_session(admin_client):
    for number in (1, 2):
        make_room(number)
    for term in ("room 1", "1_session1"):
        found = page(admin_client, ROOMS, q=term)
        assert ">room 1<" in found
        assert ">room 2<" not in found


def test_moments_are_written_so_that_all_columns_have_room(admin_client):
    room = make_room(1)
    Room.objects.filter(pk=room.pk).update(last_used_at=datetime(2026, 1, 9, 22, 46, tzinfo=UTC))
    assert ">2026-01-09 22:46<" in page(admin_client, ROOMS)


def test_a_rooms_page_shows_its_recordings_and_lets_nobody_change_them(admin_client):
    room = make_room(1)
    archive = make_archive(room, reason="user initiated")
    shown = page(admin_client, f"{ROOMS}{room.pk}/change/")
    assert "user initiated" in shown
    assert f"{ARCHIVES}{archive.pk}/change/" in shown
    assert 'name="archives-0-reason"' not in shown


def test_a_rooms_page_shows_its_newest_recordings_only(admin_client):
    room = make_room(1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for day in range(25):
        make_archive(room, name=f"day-{day:02}", created_at=start + timedelta(days=day))
    shown = page(admin_client, f"{ROOMS}{room.pk}/change/")
    assert "day-24" in shown
    assert "day-05" in shown
    assert "day-04" not in shown


def test_staff_choose_a_rooms_role(admin_client):
    room = make_room(1)
    form = {
        "token_role": "moderator", "_save": "Save",
        "past_sessions-TOTAL_FORMS": 0, "past_sessions-INITIAL_FORMS": 0,
        "archives-TOTAL_FORMS": 0, "archives-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert admin_client.post(f"{ROOMS}{room.pk}/change/", form).status_code == 302
    room.refresh_from_db()
    assert room.token_role == "moderator"


def test_a_new_session_is_given_after_asking(admin_client, opentok):
    room = Room.objects.open("standup")
    before = room.session_id
    action = {"action": "new_session", "_selected_action": [room.pk]}
    asked = admin_client.post(ROOMS, action)
    room.refresh_from_db()
    assert b"Yes, give a new session" in asked.content
    assert room.session_id == before
    admin_client.post(ROOMS, action | {"confirmed": "yes"})
    room.refresh_from_db()
    assert room.session_id != before
    assert room.past_sessions.get().session_id == before
    assert LogEntry.objects.get().get_change_message() == "Gave the room a new session."


def test_staff_are_told_when_opentok_gives_no_session(admin_client, opentok):
    keys = [Room.objects.open(name).pk for name in ("One", "Two")]
    opentok.fault(status=500)
    action = {"action": "new_session", "_selected_action": keys, "confirmed": "yes"}
    told = admin_client.post(ROOMS, action, follow=True).content.decode()
    for name in "One", "Two":
        assert f"“{name}”: The video service answered with an error" in told
    assert len(opentok.requests()) == 4


def test_new_sessions_are_given_to_a_few_rooms_at_a_time(admin_client):
    keys = [make_room(number).pk for number in range(11)]
    action = {"action": "new_session", "_selected_action": keys, "confirmed": "yes"}
    told = admin_client.post(ROOMS, action, follow=True)
    assert b"Choose at most 10 rooms" in told.content


def test_recordings_are_not_made_or_changed_by_hand(admin_client):
    archive = make_archive(make_room(1))
    assert admin_client.get(f"{ARCHIVES}add/").status_code == 403
    assert admin_client.post(f"{ARCHIVES}{archive.pk}/change/", {}).status_code == 403
    assert admin_client.post(f"{ARCHIVES}{archive.pk}/delete/", {"post": "yes"}).status_code == 403


def test_recordings_are_found_by_id_session_room_and_status(admin_client):
    wanted = make_archive(make_room(1), status="failed")
    other = make_archive(make_room(2))
    for query in (
        {"q": str(wanted.pk)}, {"q": str(wanted.pk).upper()}, {"q": "1_session1"}, {"q": "room 1"},
        {"status__exact": "failed"}, {"room": wanted.room_id},
    ):  # fmt: skip
        found = page(admin_client, ARCHIVES, **query)
        assert str(wanted.pk) in found, query
        assert str(other.pk) not in found, query
    assert f"{ROOMS}{wanted.room_id}/change/" in page(admin_client, ARCHIVES)


def test_a_recordings_page_can_be_read(admin_client):
    archive = make_archive(make_room(1), name="standup", details={"outputMode": "composed"})
    assert "outputMode" in page(admin_client, f"{ARCHIVES}{archive.pk}/change/")


def test_lists_count_no_further_than_they_have_to(admin_client, monkeypatch):
    monkeypatch.setattr(CappedPaginator, "most", 60)
    for number in range(70):
        make_archive(make_room(number))
    for path in (ROOMS, ARCHIVES):
        with CaptureQueriesContext(connection) as queries:
            assert "more than 60" in page(admin_client, path, p=2)
        counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
        assert len(counts) == 1
        assert "LIMIT 61" in counts[0]
        assert "ORDER BY" not in counts[0]


@pytest.mark.parametrize(
    ("period", "found"),
    [
        ("today", ["2026-03-02"]),
        ("yesterday", ["2026-03-01"]),
        ("past 7 days", ["2026-03-02", "2026-03-01", "2026-02-23"]),
        ("this month", ["2026-03-02", "2026-03-01"]),
        ("last month", ["2026-02-23", "2026-02-01"]),
        ("made up", ["2026-03-02", "2026-03-01", "2026-02-23", "2026-02-01", "2026-01-31"]),
    ],
)
def test_a_period_is_looked_up_in_the_index_and_not_row_by_row(
    admin_client, monkeypatch, period, found
):
    now = datetime(2026, 3, 2, 15, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    for number, days in enumerate([0, 1, 7, 29, 30]):
        room = make_room(number, last_used_at=now.replace(hour=0) - timedelta(days=days))
        make_archive(room, created_at=room.last_used_at)
    for path, field in ((ROOMS, "last_used_at"), (ARCHIVES, "created_at")):
        with CaptureQueriesContext(connection) as queries:
            shown = admin_client.get(path, {field: period}).context["cl"].result_list
        assert [f"{getattr(row, field):%Y-%m-%d}" for row in shown] == found
        for query in queries:
            assert not re.search("trunc|extract", query["sql"].lower())


def test_lists_ask_no_more_queries_for_more_rows(admin_client):
    def queries_for(path):
        with CaptureQueriesContext(connection) as queries:
            page(admin_client, path)
        return len(queries)

    now = timezone.now()
    make_archive(make_room(0, last_used_at=now), created_at=now)
    few = {path: queries_for(path) for path in (ROOMS, ARCHIVES)}
    for number in range(1, 30):
        make_archive(make_room(number, last_used_at=now), created_at=now)
    assert {path: queries_for(path) for path in (ROOMS, ARCHIVES)} == few


@pytest.mark.parametrize("query", [{"e": "1"}, {"p": "9999"}, {"q": "\0"}, {"status__exact": "\0"},
                                   {"created_at__year": "x"}, {"room": "x"}, {"o": "9"}])  # fmt: skip
def test_a_made_up_query_is_no_server_error(query, admin_client):
    make_archive(make_room(1))
    for path in (ROOMS, ARCHIVES):
        assert admin_client.get(path, query).status_code < 500

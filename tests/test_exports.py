"""Lists of the admin as CSV."""

import csv
import io
import uuid
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from archives.models import Archive
from audit.models import Entry
from meetings.models import Meeting
from rooms.admin import RoomAdmin
from rooms.closed_names import ClosedName
from rooms.models import Room
from staff.models import TimeZone
from web.spreadsheets import csv_response

pytestmark = pytest.mark.django_db

ROOMS = "/admin/rooms/room/"


def make_room(name, **fields):
    return Room.objects.create(name=name, session_id=f"1_{uuid.uuid4().hex}", **fields)


def rows(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_what_a_list_finds_and_filters_comes_as_csv(admin_client):
    make_room("standup a", e2ee=True)
    make_room("standup b")
    page = admin_client.get(ROOMS, {"q": "standup", "e2ee__exact": "1"}).content.decode()
    assert f'href="{ROOMS}csv/?q=standup&amp;e2ee__exact=1"' in page
    (row,) = rows(admin_client.get(f"{ROOMS}csv/?q=standup&e2ee__exact=1"))
    assert (row["Name"], row["End-to-end encrypted"]) == ("standup a", "True")


def test_recordings_meetings_and_closed_names_come_as_csv(admin_client):
    Meeting.objects.create(room_name="standup", session_id="1_x", started_at=timezone.now())
    (row,) = rows(admin_client.get("/admin/meetings/meeting/csv/"))
    assert (row["Room"], row["Ended"]) == ("standup", "")
    archive = Archive.objects.create(
        id=uuid.uuid4(), room_name="lobby", session_id="1_x", status="failed", duration=3
    )
    ClosedName.objects.create(name="exam")
    (row,) = rows(admin_client.get("/admin/archives/archive/csv/"))
    assert (row["Id"], row["Room"], row["Seconds"]) == (str(archive.pk), "lobby", "3")
    assert rows(admin_client.get("/admin/rooms/closedname/csv/"))[0]["Name"] == "exam"


def test_times_are_those_of_the_pages_and_spreadsheets_read_them(admin_client, admin_user):
    TimeZone.objects.create(user=admin_user, name="Asia/Tokyo")
    start = datetime(2026, 3, 1, 20, 30, 5, 999, tzinfo=UTC)
    Meeting.objects.create(room_name="standup", session_id="1_x", started_at=start)
    (row,) = rows(admin_client.get("/admin/meetings/meeting/csv/"))
    assert (row["Started"], row["Ended"]) == ("2026-03-02 05:30:05", "")
    assert row["Time zone"] == "Asia/Tokyo"


def test_times_for_programs_are_in_utc():
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        answer = csv_response("x.csv", ["at"], [[noon]])
    assert answer.content.decode("utf-8-sig") == "at\r\n2026-03-01T12:00:00+00:00\r\n"


def test_a_cell_is_no_formula(admin_client):
    make_room("=1+1", owner=User.objects.create_user("@SUM(1)"))
    (row,) = rows(admin_client.get(f"{ROOMS}csv/"))
    assert (row["Name"], row["Owner"]) == ("'=1+1", "'@SUM(1)")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"', '""', '"""'])
@pytest.mark.parametrize("before", ["", "x;", "x;;", "x\t", "x\n", "x\r", "x\r\n", 'x";', "x,"])
@pytest.mark.parametrize("sign", "=+-@")
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(before, quote, sign, delimiter):
    typed = f"{before}{quote}{sign}cmd|'/C calc'!A0;y"
    answer = csv_response("x.csv", ["a", "b", "c"], [["first", typed, "last"], [typed, 1, typed]])
    text = answer.content.decode("utf-8-sig")
    for lines in (io.StringIO(text, newline=""), text.splitlines()):
        for row in csv.reader(lines, delimiter=delimiter):
            assert not [cell for cell in row if cell.lstrip('"').startswith(tuple("=+-@"))]


def test_a_cell_without_formulas_stays_as_it_is():
    for typed in ("a-b", "x; y=1", "a;b", "1;2-3", "two\nlines", 'say "=1"'):
        answer = csv_response("x.csv", ["a"], [[typed]])
        assert list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))[1] == [
            typed
        ]


def test_an_access_code_is_in_no_csv(admin_client):
    room = make_room("lobby")
    room.set_code("18151210")
    room.save()
    assert room.access_code not in admin_client.get(f"{ROOMS}csv/").content.decode()


def test_the_audit_log_tells_of_it_without_the_content(admin_client):
    make_room("lobby")
    admin_client.get(f"{ROOMS}csv/?q=lobby")
    entry = Entry.objects.first()
    assert (entry.what, entry.actor_name) == ("room.exported", "admin")
    assert entry.details == {"query": {"q": "(not recorded)"}, "rows": 1}


@pytest.mark.parametrize("query", ["q", "actor_name"])
def test_a_name_searched_in_the_audit_log_does_not_stay_in_it(admin_client, query):
    answer = admin_client.get(f"/admin/audit/entry/csv/?{query}=Anna&at=7")
    assert answer.status_code == 200
    assert Entry.objects.first().details["query"] == {query: "(not recorded)", "at": "7"}


def test_it_takes_the_right_to_view():
    user = User.objects.create_user("ada", password="x", is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.get(f"{ROOMS}csv/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_room"))
    assert client.get(f"{ROOMS}csv/").status_code == 200


def test_staff_with_own_rooms_only_get_those():
    user = User.objects.create_user("ada", is_staff=True)
    named = ["view_room", "view_archive", "only_own_rooms"]
    user.user_permissions.set(Permission.objects.filter(codename__in=named))
    client = Client()
    client.force_login(user)
    for room in (make_room("own", owner=user), make_room("foreign")):
        made = {"room": room, "room_name": room.name, "session_id": room.session_id}
        Archive.objects.create(id=uuid.uuid4(), status="failed", **made)
    assert [row["Name"] for row in rows(client.get(f"{ROOMS}csv/"))] == ["own"]
    assert [row["Room"] for row in rows(client.get("/admin/archives/archive/csv/"))] == ["own"]


def test_a_made_up_query_is_refused(admin_client):
    assert admin_client.get(f"{ROOMS}csv/?access_code__regex=a").status_code == 400


def test_there_are_no_more_rows_than_the_limit(admin_user, rf):
    class OneRow(RoomAdmin):
        max_csv_rows = 1

    make_room("a")
    make_room("b")
    request = rf.get("/")
    request.user = admin_user
    assert len(rows(OneRow(Room, admin.site).as_csv(request))) == 1

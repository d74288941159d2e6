"""The pages of the audit log in the admin."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from audit.actors import Actor, ActorKind, acting_as
from audit.models import Entry
from rooms.models import Ban, Room

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/entry/"
UUID = "0a1b2c3d-0000-4000-8000-000000000000"


def record(
    what, subject=None, *, by="ada", kind=ActorKind.STAFF, address="192.0.2.1", days=0, **told
):
    with acting_as(Actor(kind, "7", by, address)):
        entry = Entry.objects.entry(what, subject, **told)
    entry.at = timezone.now() - timedelta(days=days)
    entry.save()
    return entry


@pytest.fixture
def room():
    return Room.objects.create(name="standup <b>", session_id="1_standup")


@pytest.fixture(autouse=True)
def entries(room):
    record("room.closed", room, before={"closed": False}, after={"closed": True})
    record("room.deleted", Room(pk=8, name="standup 2"), by="ben", kind=ActorKind.KEY, days=40)
    record("user.changed", User(pk=9, username="=1+1"), message="Changed.")


def listed(client, query=""):
    page = client.get(f"{LIST}{query}")
    assert page.status_code == 200, query
    return {entry.what for entry in page.context["cl"].result_list}


def test_the_list_is_searched_by_person_by_the_beginning_of_a_room_and_by_time(admin_client):
    Entry.objects.record("recording.stopped", room="hall")
    assert listed(admin_client, "?q=ben") == {"room.deleted"}
    assert listed(admin_client, "?q=standup") == {"room.closed", "room.deleted"}
    assert listed(admin_client, "?q=Standup") == set()
    assert "room.deleted" not in listed(admin_client, "?at=today")
    assert listed(admin_client, "?actor_name=ada") == {"room.closed", "user.changed"}
    assert listed(admin_client, "?subject_id=8") == {"room.deleted"}


@pytest.mark.parametrize(
    "lookup", ["address=192.0.2.1", "details__after=1", "actor_name=a&actor_name=b"]
)
def test_no_other_lookups_are_taken(admin_client, lookup):
    assert admin_client.get(f"{LIST}?{lookup}").status_code == 302
    assert admin_client.get(f"{LIST}csv/?{lookup}").status_code == 400


def test_an_entry_has_a_page_with_a_link_to_its_subject(admin_client, room):
    entry = Entry.objects.get(what="room.closed")
    page = admin_client.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert f'<a href="/admin/rooms/room/{room.pk}/change/">{escape(room.name)}</a>' in page
    assert "&quot;closed&quot;: true" in page
    assert "192.0.2.1" in page
    assert "<b>" not in page.replace("standup &lt;b&gt;", "")


def test_what_has_no_page_is_named_without_a_link(admin_client):
    record("user.deleted", User(username="cai"))
    record("ban.lifted", Ban(pk=1, identity="hall"))
    page = admin_client.get(LIST).content.decode()
    assert '<td class="field-subject">cai</td>' in page
    assert '<td class="field-subject">hall<' in page


def test_the_list_says_who_it_was_and_from_where_in_one_column(admin_client):
    record("room.made", by="", kind=ActorKind.SERVER, address="")
    page = admin_client.get(LIST).content.decode()
    assert '<td class="field-who">Server</td>' in page
    assert '>ben</a> (API key) <span class="from">192.0.2.1</span></td>' in page
    assert '>ada</a> <span class="from">192.0.2.1</span></td>' in page


def test_nobody_adds_changes_or_deletes_entries_in_the_admin(admin_client):
    entry = Entry.objects.first()
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{entry.pk}/change/", {"what": "x"}).status_code == 403
    assert admin_client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    admin_client.post(LIST, selected)
    assert Entry.objects.filter(pk=entry.pk).exists()


def test_what_is_listed_comes_as_csv_without_formulas(admin_client):
    page = admin_client.get(f"{LIST}?q=ada&at=today").content.decode()
    assert f'href="{LIST}csv/?q=ada&amp;at=today"' in page
    answer = admin_client.get(f"{LIST}csv/?q=ada&at=today")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["What"], row["Subject"]) for row in rows] == [
        ("user.changed", "'=1+1"), ("room.closed", "standup <b>"),
    ]  # fmt: skip
    told = {"before": {"closed": False}, "after": {"closed": True}}
    assert json.loads(rows[1]["Details"]) == told


def test_a_rooms_page_leads_to_what_was_done_in_it(admin_client, room, opentok):
    page = admin_client.get(f"/admin/rooms/room/{room.pk}/change/").content.decode()
    query = "?room_name=standup+%3Cb%3E"
    assert f'<a href="{LIST}{query}">Who did what</a>' in page
    assert listed(admin_client, query) == {"room.closed"}
    shown = admin_client.get(f"{LIST}{query}").content.decode()
    assert "Entries in the room “standup &lt;b&gt;”." in shown


def test_staff_need_the_permission_to_view_entries(room, opentok):
    user = User.objects.create_user("mod", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_room", "change_room"]))
    client = Client()
    client.force_login(user)
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}csv/").status_code == 403
    assert b"Who did what" not in client.get(f"/admin/rooms/room/{room.pk}/change/").content
    user.user_permissions.add(Permission.objects.get(codename="view_entry"))
    client.force_login(User.objects.get(pk=user.pk))
    assert client.get(LIST).status_code == 200
    assert client.get(f"{LIST}csv/").status_code == 200

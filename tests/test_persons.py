"""What is held about a person is shown as a whole, and forgotten without what others need."""

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Entry
from meetings.models import Connection, Meeting, Stream
from rooms.guests import Guest
from rooms.models import Ban, Room
from tests.test_admin_actions import staff
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db

ANNA = '{"name": "Anna", "identity": "user-1"}'


@pytest.fixture
def rows():
    room = Room.objects.create(name="standup", session_id="1_x")
    now = timezone.now()
    meeting = Meeting.objects.create(session_id="1_x", started_at=now, people=3)
    gone = {"meeting": meeting, "connected_at": now, "left_at": now + timedelta(minutes=5)}
    Connection.objects.create(pk="a", data=ANNA, **gone)
    Connection.objects.create(pk="b", data='{"name": "Annabel"}', **gone)
    Connection.objects.create(pk="c", data=ANNA, meeting=meeting, connected_at=now)
    named = Connection.objects.create(pk="d", **gone)
    Stream.objects.create(pk="s", connection=named, name="Anna", started_at=now)
    Guest.objects.ask(room, "Anna")
    Guest.objects.ask(room, "Ben")
    Ban.objects.create(room=room, identity="user-1", name="Anna")
    endpoint = Endpoint.objects.create(url="https://example.com/", is_active=False)
    for name in "Anna", "Ben":
        payload = json.dumps({"data": {"name": name}})
        Delivery.objects.create(endpoint=endpoint, event="participant.joined", payload=payload)
    Entry.objects.create(actor_kind="client", actor_name="Anna", what="person.muted")
    Entry.objects.note("ban.made", Ban.objects.get(), room=room.name)
    return room


def test_nobody_is_no_person(rows):
    with pytest.raises(CommandError):
        call_command("person", "forget", " ")


def run(capsys, what, person):
    call_command("person", what, person)
    return json.loads(capsys.readouterr().out)


def test_all_that_is_held_is_exported(rows, capsys):
    held = run(capsys, "export", "Anna")
    counts = {what: len(found) for what, found in held.items()}
    assert counts == {
        "account": 0, "connections": 3, "streams": 1, "guests": 1, "bans": 1, "events": 1, "acts": 2,
    }  # fmt: skip
    assert {each["id"] for each in held["connections"]} == {"a", "c", "d"}
    Connection.objects.filter(pk="b").update(data='{"name": "Z\\u00fc"}')
    assert len(run(capsys, "export", "Zü")["connections"]) == 1
    by_identity = run(capsys, "export", "user-1")
    assert {each["id"] for each in by_identity["connections"]} == {"a", "c"}
    User.objects.create_user("ada", "ada@example.com", "lovelace-1815", is_staff=True)
    (account,) = run(capsys, "export", "ada")["account"]
    assert account["email"] == "ada@example.com"
    assert "password" not in account


def test_a_person_is_forgotten_and_what_others_need_stays(rows, capsys):
    assert run(capsys, "forget", "Anna")["connections"] == 2
    assert "Anna" not in Connection.objects.get(pk="a").data
    assert Connection.objects.get(pk="b").data == '{"name": "Annabel"}'
    assert Connection.objects.get(pk="c").data == ANNA  # who is there now
    assert Stream.objects.get().name == ""
    assert [guest.name for guest in Guest.objects.all()] == ["Ben"]
    assert (Ban.objects.get().identity, Ban.objects.get().name) == ("user-1", "")
    assert Delivery.objects.count() == 1
    assert Meeting.objects.get().people == 3
    acts = dict(Entry.objects.values_list("what", "actor_name"))
    assert acts["person.muted"] == "(forgotten)"
    assert "person.forgotten" in acts
    assert "Anna" not in str(list(Entry.objects.values()))


# The page of the admin

PAGE = "/admin/person/"


def test_the_page_shows_what_is_held_and_downloads_it(rows, admin_client):
    assert "Show what is held" in admin_client.get(PAGE).content.decode()
    shown = admin_client.post(PAGE, {"person": "Anna"}).content.decode()
    assert "Connections to rooms: 3" in shown
    assert "Entries of the audit log: 2" in shown
    assert "Accounts of staff" not in shown
    assert "user-1" in shown
    assert "Annabel" not in shown
    answer = admin_client.post(PAGE, {"person": "Anna", "export": "yes"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="person.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert len(answer.json()["connections"]) == 3
    exported = Entry.objects.get(what="person.exported")
    assert (exported.actor_kind, exported.details["rows"]["guests"]) == ("staff", 1)
    assert "Anna" not in str((exported.details, exported.subject_name))


def test_the_page_asks_and_forgets_as_the_command_does(rows, admin_client):
    shown = admin_client.post(PAGE, {"person": "Anna"}).content.decode()
    question = shown.partition('id="ask"')[2].partition("</div>")[0]
    assert "Forget “<bdi>Anna</bdi>”?" in question
    assert "Guests of waiting rooms (1) are deleted." in question
    answer = admin_client.post(PAGE, {"person": "Anna", "forget": "yes"}, follow=True)
    page = answer.content.decode()
    assert "Forgot the person in 8 rows." in page
    assert "Anna" not in page
    assert "Anna" not in Connection.objects.get(pk="a").data
    forgotten = Entry.objects.get(what="person.forgotten")
    assert (forgotten.actor_kind, forgotten.actor_name) == ("staff", "admin")
    assert forgotten.details["rows"]["connections"] == 2
    assert "Anna" not in str(list(Entry.objects.values()))
    assert "Anna" not in str(list(LogEntry.objects.values()))


def test_of_staff_only_the_account_is_shown(admin_client):
    shown = admin_client.post(PAGE, {"person": "admin"}).content.decode()
    assert "admin@example.com" in shown
    assert "Forget the person" not in shown


@pytest.mark.parametrize("person", ["", "  ", "x" * 1001, "a\0b"])
def test_what_names_nobody_finds_nothing(rows, admin_client, person):
    for act in ({}, {"export": "yes"}, {"forget": "yes"}):
        answer = admin_client.post(PAGE, {"person": person} | act)
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode() or person == ""
    assert not Entry.objects.filter(what__startswith="person.f").exists()
    shown = admin_client.post(PAGE, {"person": "<b>"}).content.decode()
    assert "Nothing is held about “<bdi>&lt;b&gt;</bdi>”" in shown


def test_the_page_takes_a_permission_of_its_own():
    browser = staff("view_connection", "view_entry", "view_user")
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE, {"person": "mod", "forget": "yes"}).status_code == 403
    assert "A person’s data" not in browser.get("/admin/").content.decode()
    user = User.objects.get()
    user.user_permissions.add(Permission.objects.get(codename="forget_person"))
    assert browser.get(PAGE).status_code == 200
    assert "A person’s data" in browser.get("/admin/").content.decode()
    # All of it is of all rooms.
    user.user_permissions.add(Permission.objects.get(codename="only_own_rooms"))
    assert browser.get(PAGE).status_code == 403
    assert "A person’s data" not in browser.get("/admin/").content.decode()


def test_whoever_is_not_logged_in_is_sent_to_log_in(client):
    assert client.get(PAGE).headers["Location"].startswith("/admin/login/")


def test_what_staff_do_about_people_is_logged_without_names(rows, admin_client):
    guest = Guest.objects.get(name="Ben")
    path = f"/admin/rooms/room/{rows.pk}/people/admit/{guest.pk}/"
    assert admin_client.post(path).json() == {"done": "Let Ben in."}
    assert LogEntry.objects.get().change_message == "People: admit."

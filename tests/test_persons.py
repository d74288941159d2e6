"""What is held about a person is shown as a whole, and forgotten without what others need."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry
from meetings.models import Connection, Meeting, Stream
from ops.persons import find, forget
from rooms.guests import Guest
from rooms.models import Ban, Room
from tests import test_meetings
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


def came(pk, data, **more):
    now = timezone.now()
    meeting = Meeting.objects.create(session_id=f"1_{pk}", started_at=now, ended_at=now)
    gone = {"meeting": meeting, "connected_at": now, "left_at": now}
    return Connection.objects.create(pk=pk, data=data, **gone | more)


def deliver(name, connection="", event="participant.joined", room="standup"):
    endpoint, _ = Endpoint.objects.get_or_create(url="https://example.com/", is_active=False)
    data = {"room": room, "meeting": 1, "connection": connection, "name": name}
    payload = json.dumps({"type": event, "timestamp": "2026-11-27T10:00:00Z", "data": data})
    return Delivery.objects.create(endpoint=endpoint, event=event, room_name=room, payload=payload)


def told_names():
    return sorted(json.loads(each.payload)["data"]["name"] for each in Delivery.objects.all())


@pytest.mark.parametrize(
    ("data", "person"),
    [
        (r'{"name": "O\u0027Brien"}', "O'Brien"),
        (r'{"name": "x", "identity": "org\/anna"}', "org/anna"),
        (r'{"name": "Z\u00FC"}', "Zü"),
        (r'{"name": "Z\u00fc"}', "Zü"),
        (r'{"name": "\u0041nna"}', "Anna"),
        ('{"name": " Anna "}', "Anna"),
        ('{"name": "Anna"}', " Anna "),
    ],
)
def test_a_person_is_found_however_their_data_is_escaped(data, person):
    came("a", data)
    came("b", r'{"name": "Ben\u0027s"}')
    assert find(person).connections == ["a"]


@pytest.mark.parametrize("person", ["anna", "ANNA", "room", "data", "standup", "Ann", "%"])
def test_events_about_others_stay(person):
    deliver("Anna")
    deliver("Ben")
    assert forget(find(person))["events"] == 0
    assert Delivery.objects.count() == 2


def test_events_are_found_by_the_name_or_the_connection():
    came("a", ANNA)
    deliver("Anna P.", "a")
    deliver("user-1")
    deliver("Zü", "z")
    deliver("Anna", "b")
    deliver("Anna", event="room.opened")
    assert forget(find("user-1"))["events"] == 2
    assert told_names() == ["Anna", "Anna", "Zü"]
    assert forget(find("Zü"))["events"] == 1


def test_by_an_identity_the_name_goes_as_well(rows):
    Connection.objects.filter(pk="c").delete()
    deliver("Anna", "a")
    held = find("user-1")
    assert held.other_names == {"Anna"}
    forget(held)
    assert Connection.objects.get(pk="a").data == "{}"
    assert "Anna" not in str(list(Entry.objects.filter(what="ban.made").values()))
    assert told_names() == ["Anna", "Ben"]  # one of no known connection
    assert Entry.objects.get(what="person.muted").actor_name == "Anna"  # perhaps another's
    forget(find("Anna"))
    assert told_names() == ["Ben"]
    assert "Anna" not in str(list(Entry.objects.values()))


def test_who_is_in_a_room_is_forgotten_once_they_have_left():
    there = came("a", '{"identity": "user-1"}', left_at=None)
    Stream.objects.create(pk="s", connection=there, name="Anna", started_at=timezone.now())
    assert set(forget(find("Anna")).values()) == {0}
    Connection.objects.update(left_at=timezone.now())
    assert forget(find("Anna"))["connections"] == 1
    assert (Connection.objects.get().data, Stream.objects.get().name) == ("{}", "")


def test_other_names_are_told(capsys):
    came("a", ANNA)
    came("b", '{"role": "x", "identity": "user-1"}')
    Stream.objects.create(pk="s", connection_id="b", name="Screen", started_at=timezone.now())
    deliver("Annie", "a")
    call_command("person", "forget", "user-1")
    assert '["Anna", "Annie", "Screen"]' in capsys.readouterr().err
    came("c", '{"role": "x", "name": "Ada"}')
    call_command("person", "forget", "Ada")
    assert capsys.readouterr().err == ""


def test_spaces_around_a_name_do_not_count():
    came("a", '{"name": " Anna "}')
    Entry.objects.create(actor_kind="client", actor_name=" Anna ", what="person.muted")
    Entry.objects.create(actor_kind="client", actor_name="anna", what="person.muted")
    assert forget(find("Anna"))["acts"] == 1
    assert set(Entry.objects.values_list("actor_name", flat=True)) >= {"(forgotten)", "anna"}


def test_nobody_is_found_by_no_name():
    came("a", "")
    with pytest.raises(ValueError, match="name"):
        find(" ")


def test_a_person_of_many_rows_is_forgotten_in_short_transactions(rows, monkeypatch):
    monkeypatch.setattr("ops.persons.READ_AT_ONCE", 7)
    monkeypatch.setattr("web.rows.ROWS_AT_ONCE", 10)
    meeting = Meeting.objects.get()
    now = timezone.now()
    Connection.objects.bulk_create(
        Connection(pk=f"x{number}", data=ANNA, meeting=meeting, connected_at=now, left_at=now)
        for number in range(95)
    )
    Entry.objects.bulk_create(
        Entry(actor_kind="client", actor_name="Anna", what="person.muted") for _ in range(45)
    )
    with CaptureQueriesContext(connection) as queries:
        held = find("Anna")
    assert held.counts()["connections"] == 98
    assert not any(each["sql"].startswith(("BEGIN", "SAVEPOINT")) for each in queries)
    most = max(each["sql"].count(" 'x") for each in queries)
    with CaptureQueriesContext(connection) as queries:
        forgotten = forget(held)
    assert (forgotten["connections"], forgotten["acts"]) == (97, 47)
    updates = [each["sql"] for each in queries if each["sql"].startswith("UPDATE")]
    assert most <= 10
    assert max(each.count("'x") for each in updates) <= 10
    transactions = [each for each in queries if each["sql"].startswith(("BEGIN", "SAVEPOINT"))]
    assert len(transactions) >= 10 + 5


def test_forgetting_that_is_interrupted_is_logged(rows, monkeypatch):
    monkeypatch.setattr("ops.persons._unname_bans", fail)
    with pytest.raises(OperationalError):
        forget(find("Anna"))
    entry = Entry.objects.first()
    assert (entry.what, entry.details["is_complete"]) == ("person.forgotten", False)
    assert (entry.details["rows"]["connections"], entry.details["rows"]["bans"]) == (2, 0)


@pytest.mark.parametrize("person", ["Anna", "user-1"])
@pytest.mark.parametrize(
    "step",
    ["_unname_actors", "_unname_subjects", "_delete_guests", "_empty_connections",
     "_unname_streams", "_unname_bans"],
)  # fmt: skip
def test_forgetting_again_does_what_an_interruption_left(rows, monkeypatch, person, step):
    deliver("Anna P.", "a")
    named = Connection.objects.get(pk="d")
    Stream.objects.create(pk="t", connection=named, name="Anna P.", started_at=timezone.now())
    with monkeypatch.context() as broken, suppress(OperationalError):
        broken.setattr(f"ops.persons.{step}", fail)
        forget(find(person))
    forget(find(person))
    assert set(forget(find(person)).values()) == {0}
    assert "Anna P." not in told_names()
    assert (Connection.objects.get(pk="a").data, Ban.objects.get().name) == ("{}", "")
    assert Entry.objects.get(what="ban.made").subject_name == "(forgotten)"
    if person == "Anna":
        assert list(Stream.objects.values_list("name", flat=True)) == ["", ""]
        assert Entry.objects.get(what="person.muted").actor_name == "(forgotten)"


def fail(ids):
    raise OperationalError("disk I/O error")


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


def test_the_audit_log_has_who_looked_at_how_many_rows(rows, admin_client):
    admin_client.post(PAGE, {"person": "Anna"})
    entry = Entry.objects.get(what="person.shown")
    assert (entry.actor_kind, entry.actor_name) == ("staff", "admin")
    assert (entry.details["rows"]["connections"], entry.details["rows"]["acts"]) == (3, 2)
    assert "Anna" not in str((entry.details, entry.subject_name))
    admin_client.post(PAGE, {"person": "Nobody"})
    assert set(Entry.objects.first().details["rows"].values()) == {0}


def test_the_page_offers_other_names_before_and_after(rows, admin_client):
    offered = '<input type="hidden" name="person" value="Anna">'
    page = admin_client.post(PAGE, {"person": "user-1"}).content.decode()
    assert offered in page.partition("Other names")[2].partition("Forget the person")[0]
    page = admin_client.post(PAGE, {"person": "user-1", "forget": "yes"}).content.decode()
    assert offered in page.partition("Other names")[2]
    assert "Forgot the person in" in page
    assert "messages" not in admin_client.cookies
    page = admin_client.post(PAGE, {"person": "Ben"}).content.decode()
    assert "Other names" not in page


def test_of_many_rows_the_page_reads_the_last_ones(admin_client):
    Entry.objects.bulk_create(
        Entry(actor_kind="key", actor_name="booking", what=f"room.{number}") for number in range(60)
    )
    with CaptureQueriesContext(connection) as queries:
        page = admin_client.post(PAGE, {"person": "booking"}).content.decode()
    assert "Entries of the audit log: 60" in page
    assert ("room.59" in page, "room.40" in page, "room.39" in page) == (True, True, False)
    (read,) = [each["sql"] for each in queries if '"details"' in each["sql"]
               and each["sql"].startswith("SELECT")]  # fmt: skip
    assert read.count(",") < 60


def test_a_callback_that_comes_again_brings_no_name_back(db):
    arrival = test_meetings.came("a", 0, ANNA)
    test_meetings.tell(arrival, test_meetings.left("a", 0, 60))
    forget(find("Anna"))
    test_meetings.tell(arrival)
    assert Connection.objects.get().data == "{}"


def test_a_callback_that_comes_late_brings_no_name_of_a_stream_back(db):
    published = test_meetings.publishes("s", "a", 0, 1, "Anna")
    test_meetings.tell(test_meetings.came("a", 0, ANNA), published, test_meetings.left("a", 0, 60))
    forget(find("Anna"))
    test_meetings.tell(published)
    assert Stream.objects.get().name == ""

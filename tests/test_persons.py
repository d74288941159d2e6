"""What is held about a person is shown as a whole, and forgotten without what others need."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Entry
from meetings.models import Connection, Meeting, Stream
from rooms.guests import Guest
from rooms.models import Ban, Room
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

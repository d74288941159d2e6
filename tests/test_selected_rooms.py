"""What staff do with several rooms at once."""

import pytest
from django.utils import timezone

from audit.models import Entry
from meetings.models import Connection, Meeting
from rooms.models import Room
from tests.test_admin_actions import staff

pytestmark = pytest.mark.django_db

ROOMS = "/admin/rooms/room/"


def rooms(*names, **fields):
    made = [Room.objects.create(name=name, session_id=f"1_{name}", **fields) for name in names]
    return [room.pk for room in made]


def choose(client, action, keys, **fields):
    sent = {"action": action, "_selected_action": keys} | fields
    return client.post(ROOMS, sent, follow=True).content.decode()


def closed():
    return list(Room.objects.order_by("name").values_list("closed", flat=True))


def test_rooms_are_closed_after_asking_and_opened_again(admin_client):
    keys = rooms("a", "b", "c")[:2]
    meeting = Meeting.objects.create(session_id="1_a", started_at=timezone.now())
    Connection.objects.create(pk="1", meeting=meeting, connected_at=timezone.now())
    asked = choose(admin_client, "close_selected", keys)
    assert "1 person is there now" in asked
    assert closed() == [False, False, False]
    told = choose(admin_client, "close_selected", keys, confirmed="yes")
    assert "“b”, “a”: Closed." in told
    assert closed() == [True, True, False]
    choose(admin_client, "open_selected", keys)
    assert closed() == [True, True, False]
    choose(admin_client, "open_selected", keys, confirmed="yes")
    assert closed() == [False, False, False]
    entries = Entry.objects.filter(room_name__in=["a", "b"])
    acts = entries.values_list("what", flat=True)
    assert sorted(acts) == ["room.closed"] * 2 + ["room.opened"] * 2
    assert {entry.actor_name for entry in entries} == {"admin"}


def test_people_in_rooms_that_are_closed_are_disconnected_if_staff_want_that(admin_client, opentok):
    room = Room.objects.open("standup")
    opentok.connect(room.session_id)
    opentok.connect(room.session_id)
    answer = {"confirmed": "yes", "disconnect": "on"}
    told = choose(admin_client, "close_selected", [room.pk], **answer)
    assert "“standup”: Closed. Disconnected 2 people." in told
    opentok.fault(status=500, times=9)
    told = choose(admin_client, "close_selected", [room.pk], **answer)
    failed = told.partition('class="error"')[2].partition("</li>")[0]
    assert "“standup”: Closed. Disconnected nobody." in failed
    assert "The video service answered with an error" in failed


def test_one_of_several_is_answered_without_a_page(admin_client):
    keys = rooms("a", "b")
    sent = {"action": "close_selected", "confirmed": "yes", "step": "yes"}
    answer = admin_client.post(ROOMS, sent | {"_selected_action": keys[0]})
    assert (answer.status_code, closed()) == (204, [True, False])


def test_rooms_that_have_left_the_list_are_told(admin_client):
    keys = rooms("a", "b")
    Room.objects.filter(name="a").delete()
    told = choose(admin_client, "close_selected", keys, confirmed="yes")
    assert "1 of those that you chose are not in the list any more." in told
    assert "“b”: Closed." in told


def test_hours_are_set_for_all_rooms_that_were_chosen(admin_client):
    keys = rooms("a", "b", closes_at=timezone.now())
    rooms("c")
    asked = choose(admin_client, "set_hours", keys)
    assert 'type="datetime-local"' in asked
    hours = {"confirmed": "yes", "hours": "Mon-Fri 08:00-10:00", "hours_zone": "Europe/Berlin"}
    dates = {"opens_at": "2999-01-01T08:00", "closes_at": ""}
    told = choose(admin_client, "set_hours", keys, **hours, **dates)
    assert "Hours set." in told
    a, b, c = Room.objects.order_by("name")
    assert str(a.hours) == str(b.hours) == "Mon-Fri 08:00-10:00"
    assert (a.hours_zone, a.opens_at.year, a.closes_at) == ("Europe/Berlin", 2999, None)
    assert (c.hours, c.opens_at) == (None, None)
    assert Entry.objects.filter(what="room.changed").count() == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"hours": "Someday 08:00-10:00"}, "is no day"),
        ({"opens_at": "soon"}, "Enter a valid date/time."),
        ({"opens_at": "2999-01-01T08:00", "closes_at": "2999-01-01T07:00"},
         "A room cannot close before it opens."),
        ({"hours_zone": "Moon/Base"}, "Select a valid choice"),
    ],
)  # fmt: skip
def test_wrong_hours_are_asked_for_again_and_change_nothing(admin_client, wrong, sentence):
    keys = rooms("a")
    answer = {"confirmed": "yes", "hours_zone": "UTC"} | wrong
    asked = choose(admin_client, "set_hours", keys, **answer)
    assert sentence in asked
    room = Room.objects.get()
    assert (room.hours, room.opens_at, room.closes_at) == (None, None, None)


def test_a_room_that_is_deleted_meanwhile_is_told_and_the_others_are_closed(
    admin_client, monkeypatch
):
    keys = rooms("a", "b")
    lock = Room.objects.lock

    def deleted_first(name):
        Room.objects.filter(name="a").delete()
        return lock(name)

    monkeypatch.setattr("rooms.managers.RoomManager.lock", lambda _, name: deleted_first(name))
    told = choose(admin_client, "close_selected", keys, confirmed="yes")
    assert "“a”: There is no room with this name" in told
    assert closed() == [True]


def test_as_many_rooms_as_a_request_can_change_are_taken_at_once(admin_client):
    keys = rooms(*(f"room {number}" for number in range(51)))
    told = choose(admin_client, "close_selected", keys, confirmed="yes")
    assert "Choose at most 50 rooms" in told
    assert not any(closed())
    assert "Yes, close" in choose(admin_client, "close_selected", keys)


def test_staff_who_may_only_look_change_no_rooms():
    keys = rooms("a")
    client = staff("view_room")
    for action in "close_selected", "open_selected", "set_hours", "new_session":
        choose(client, action, keys, confirmed="yes", hours="Mon 08:00-09:00")
    room = Room.objects.get()
    assert (room.closed, room.hours, room.session_id) == (False, None, "1_a")
    assert not Entry.objects.filter(room_name="a").exists()


def test_a_rooms_page_has_the_link_and_its_qr_code(admin_client, settings):
    page = f"{ROOMS}{rooms('a b')[0]}/change/"
    shown = admin_client.get(page).content.decode()
    assert 'href="http://testserver/join/a%20b"' in shown
    assert "<title>http://testserver/join/a%20b</title>" in shown
    settings.ANONYMOUS_ACCESS = frozenset()
    shown = admin_client.get(page).content.decode()
    assert "/join/a%20b" not in shown
    assert "People join by a link that you make" in shown

"""Whose a room is, and what staff note about it."""

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooms.models import Room
from tests.plans import forbid

ROOMS = "/admin/rooms/room/"
FORM = {
    "_save": "Save",
    "past_sessions-TOTAL_FORMS": 0, "past_sessions-INITIAL_FORMS": 0,
    "archives-TOTAL_FORMS": 0, "archives-INITIAL_FORMS": 0,
}  # fmt: skip


def make_user(name):
    return User.objects.create_user(name, is_staff=True)


def test_who_makes_a_room_in_the_admin_owns_it(admin_client, admin_user, opentok, db):
    admin_client.post(f"{ROOMS}add/", {"name": "lobby"})
    assert Room.objects.get().owner == admin_user


def test_staff_give_a_room_to_somebody_else_and_note_why(admin_client, db):
    ada, room = make_user("ada"), Room.objects.create(name="lobby", session_id="1_x")
    page = f"{ROOMS}{room.pk}/change/"
    sent = {"owner": "ada", "notes": "For the exam.\nAsk Ada."}
    assert admin_client.post(page, FORM | sent).status_code == 302
    room.refresh_from_db()
    assert (room.owner, room.notes) == (ada, "For the exam.\nAsk Ada.")
    shown = admin_client.get(page).content.decode()
    assert 'value="ada"' in shown
    assert "Ask Ada." in shown
    assert ">ada<" in admin_client.get(ROOMS).content.decode()
    # The form as it was shown changes nothing, and an empty name is nobody's.
    admin_client.post(page, FORM | sent)
    assert Room.objects.get().owner == ada
    admin_client.post(page, FORM)
    assert Room.objects.get().owner is None


def test_an_unknown_owner_is_refused(admin_client, db):
    room = Room.objects.create(name="lobby", session_id="1_x")
    for name in "nobody", "\0", "9" * 500:
        answer = admin_client.post(f"{ROOMS}{room.pk}/change/", FORM | {"owner": name})
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["owner"]


def test_a_room_stays_when_its_owner_leaves(db):
    ada = make_user("ada")
    Room.objects.create(name="lobby", session_id="1_x", owner=ada)
    ada.delete()
    assert Room.objects.get().owner is None


def test_programs_read_and_change_owner_and_notes(program, server):
    make_user("ada")
    made = program.post("rooms", name="lobby", owner="ada", notes="For the exam.").json()
    assert (made["owner"], made["notes"]) == ("ada", "For the exam.")
    assert program.get("rooms").json()["items"][0]["owner"] == "ada"
    assert not {"owner", "notes"} & server.get("/room/lobby").json().keys()
    changed = program.patch("rooms/lobby", owner=None, notes="").json()
    assert (changed["owner"], changed["notes"]) == (None, "")
    assert program.get("rooms/lobby").json() == changed


def test_a_visit_reads_no_more_of_a_room_that_has_an_owner(opentok, db):
    Room.objects.open("lobby")
    Room.objects.update(owner=make_user("ada"))
    with CaptureQueriesContext(connection) as queries:
        assert Room.objects.open("lobby").owner_id
    assert len(queries) == 1


def test_rooms_of_one_owner_are_found_by_an_index(db):
    rooms = Room.objects.filter(owner=make_user("ada"))
    forbid("seqscan")
    assert "room_owner_last_used" in rooms.explain()

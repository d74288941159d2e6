"""What a deleted room leaves behind: its name, open or kept closed, and its recordings."""

from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from rooms.closed_names import ClosedName
from rooms.models import PastSession, Room
from tests.api_client import Program, refusal
from tests.test_api_archives import wait_until_somebody_waits_for_a_lock

ROOMS = "/admin/rooms/room/"
NAMES = "/admin/rooms/closedname/"
KEEP = {"post": "yes", "keep_closed": "Delete and keep the name closed"}
CSRF = "x" * 32


class Staff:
    """Somebody who is logged in to the admin of the real server."""

    def __init__(self, server, client):
        client.force_login(User.objects.create_superuser("ada"))
        self.server = server
        self.cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": CSRF}

    def send(self, path, **form):
        return self.server.post(
            path, data=form | {"csrfmiddlewaretoken": CSRF}, cookies=self.cookies
        )

    def delete(self, room, **form):
        return self.send(f"{ROOMS}{room.pk}/delete/", **{"post": "yes"} | form)


@pytest.fixture
def staff(server, client):
    return Staff(server, client)


# Names that are kept closed


def test_a_name_that_was_kept_closed_is_answered_as_a_closed_room(program, server, opentok):
    program.post("rooms", name="shut", closed=True)
    program.post("rooms", name="exam", accessCode="1815")
    assert program.delete("rooms/exam?keepClosed=true").status_code == 204
    joining = Program(server, can="join").headers
    asked = len(opentok.requests())
    for headers in ({}, joining, program.headers):
        closed, kept = [
            server.get(f"/room/{name}?code=1815", headers=headers) for name in ("shut", "exam")
        ]
        assert refusal(kept) == refusal(closed) == (403, "room_closed")
        assert kept.json() | {"requestId": ""} == closed.json() | {"requestId": ""}
    assert server.request("HEAD", "/room/exam").status_code == 404
    assert refusal(program.get("rooms/exam")) == (404, "room_not_found")
    assert refusal(program.post("rooms/exam/tokens")) == (404, "room_not_found")
    assert program.get("rooms?search=exam").json()["items"] == []
    assert len(opentok.requests()) == asked
    assert list(Room.objects.values_list("name", flat=True)) == ["shut"]


def test_a_closed_name_is_one_however_its_accents_are_composed(program, server):
    program.post("rooms", name="Zürich")
    program.delete("rooms/Zu%CC%88rich?keepClosed=true")
    assert refusal(server.get("/room/Zu%CC%88rich")) == (403, "room_closed")
    assert refusal(server.get("/room/Z%C3%BCrich")) == (403, "room_closed")
    assert server.get("/room/z%C3%BCrich").status_code == 200


def test_who_makes_the_room_on_purpose_opens_its_name_again(program, school, server):
    program.post("rooms", name="school-1")
    program.delete("rooms/school-1?keepClosed=true")
    assert refusal(Program(server, rooms="other-").post("rooms", name="school-1")) == (
        403, "room_not_covered",
    )  # fmt: skip
    assert refusal(server.get("/room/school-1")) == (403, "room_closed")
    assert school.post("rooms", name="school-1").status_code == 201
    assert not ClosedName.objects.exists()
    assert server.get("/room/school-1").status_code == 200
    # Nor is it closed by the next deletion, which says nothing.
    program.delete("rooms/school-1")
    assert server.get("/room/school-1").status_code == 200


def test_a_name_stays_closed_when_opentok_gives_its_new_room_no_session(program, server, opentok):
    program.post("rooms", name="exam")
    program.delete("rooms/exam?keepClosed=true")
    opentok.fault(path="/session/create", status=500)
    assert refusal(program.post("rooms", name="exam")) == (502, "opentok_failed")
    assert refusal(server.get("/room/exam")) == (403, "room_closed")


@pytest.mark.parametrize("query", ["", "?keepClosed=false"])
def test_without_being_kept_closed_a_name_makes_a_room_for_the_next_visitor(program, server, query):
    old = program.post("rooms", name="exam", closed=True).json()
    assert program.delete(f"rooms/exam{query}").status_code == 204
    made = server.get("/room/exam")
    assert made.status_code == 200
    assert made.json()["sessionId"] != old["sessionId"]


@pytest.mark.parametrize(
    "query",
    ["keepClosed=perhaps", "keepClosed=", "keepClosed=2", "keepclosed=true", "keep_closed=true",
     "keepClosed=true&force=true", "cursor=x"],
)  # fmt: skip
def test_a_deletion_with_a_query_that_makes_no_sense_deletes_nothing(program, query):
    program.post("rooms", name="exam", closed=True)
    assert refusal(program.delete(f"rooms/exam?{query}")) == (400, "invalid")
    assert program.get("rooms/exam").status_code == 200
    assert not ClosedName.objects.exists()


def test_closing_a_name_needs_its_room_and_a_key_for_it(program, school):
    assert refusal(program.delete("rooms/exam?keepClosed=true")) == (404, "room_not_found")
    program.post("rooms", name="exam")
    assert refusal(school.delete("rooms/exam?keepClosed=true")) == (403, "room_not_covered")
    assert not ClosedName.objects.exists()


def test_a_known_room_costs_no_look_at_closed_names(program, client):
    program.post("rooms", name="lobby")
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/room/lobby").status_code == 200
    assert len(queries) == 1


# At once


def while_a_visitor_waits_for_a_session(server, opentok, visitors):
    """Somebody who asks for the room "exam", which is not there, and whose session takes long."""
    opentok.fault(path="/session/create", delay=3, times=1)
    visit = visitors.submit(server.get, "/room/exam")
    opentok.requests(at_least=1)
    return visit


def test_a_visitor_makes_no_room_whose_name_was_closed_meanwhile(program, server, opentok):
    with ThreadPoolExecutor(1) as visitors:
        visit = while_a_visitor_waits_for_a_session(server, opentok, visitors)
        program.post("rooms", name="exam")
        assert program.delete("rooms/exam?keepClosed=true").status_code == 204
        assert refusal(visit.result()) == (403, "room_closed")
    assert not Room.objects.exists()
    assert ClosedName.objects.get().name == "exam"


def test_a_visitor_makes_no_room_whose_name_is_being_closed(program, server, opentok):
    with ThreadPoolExecutor(1) as visitors:
        visit = while_a_visitor_waits_for_a_session(server, opentok, visitors)
        program.post("rooms", name="exam")
        with transaction.atomic():
            Room.objects.remove([Room.objects.lock("exam")], keep_closed=True)
            if connection.vendor == "postgresql":
                wait_until_somebody_waits_for_a_lock()
        assert refusal(visit.result()) == (403, "room_closed")
    assert not Room.objects.exists()


def test_a_visitor_makes_a_room_again_whose_deletion_keeps_no_name_closed(program, server, opentok):
    with ThreadPoolExecutor(1) as visitors:
        visit = while_a_visitor_waits_for_a_session(server, opentok, visitors)
        program.post("rooms", name="exam", closed=True)
        program.delete("rooms/exam")
        assert visit.result().status_code == 200
    assert Room.objects.get().session_id == visit.result().json()["sessionId"]


def test_of_many_deletions_at_once_one_is_done(program, staff):
    program.post("rooms", name="exam")
    room = Room.objects.get()

    def delete(number):
        if number % 2:
            return program.delete("rooms/exam?keepClosed=true").status_code
        return staff.delete(room, **KEEP).status_code

    with ThreadPoolExecutor(8) as everybody:
        statuses = sorted(everybody.map(delete, range(8)))
    # Whoever of the staff comes later is told on the next page that it is gone, or at once.
    assert set(statuses) <= {204, 302, 404}
    assert statuses.count(204) <= 1
    assert ClosedName.objects.get().name == "exam"
    assert not Room.objects.exists()
    told = LogEntry.objects.filter(change_message="Kept the name closed.").count()
    assert told + statuses.count(204) == 1


def test_a_name_is_open_or_closed_after_makers_and_deleters_at_once(program, server):
    """Never both: a room that is there, and a name that its deletion would find closed."""

    def do(number):
        if number % 3 == 0:
            return program.post("rooms", name="exam").status_code
        if number % 3 == 1:
            return program.delete("rooms/exam?keepClosed=true").status_code
        return server.get("/room/exam").status_code

    with ThreadPoolExecutor(9) as everybody:
        statuses = set(everybody.map(do, range(60)))
    assert statuses <= {200, 201, 204, 403, 404, 409, 502}
    assert Room.objects.count() + ClosedName.objects.count() == 1
    seen = server.get("/room/exam").status_code
    assert seen == (200 if Room.objects.exists() else 403)


def test_staff_delete_a_room_that_gets_a_session_at_that_moment(program, staff, opentok):
    program.post("rooms", name="exam")
    opentok.fault(path="/session/create", delay=2, times=1)
    with ThreadPoolExecutor(1) as other:
        rotating = other.submit(program.post, "rooms/exam/session")
        opentok.requests(at_least=2)
        assert staff.delete(Room.objects.get(), **KEEP).status_code == 302
        assert refusal(rotating.result()) == (404, "room_not_found")
    assert not PastSession.objects.exists()
    assert ClosedName.objects.get().name == "exam"


@pytest.mark.parametrize("action", [{}, {"action": "delete_selected"}], ids=["one", "selected"])
def test_staff_delete_a_room_while_something_of_it_is_being_written(program, staff, action):
    program.post("rooms", name="exam")
    room = Room.objects.get()
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            Room.objects.filter(pk=room.pk).update(session_id="1_new")
            PastSession.objects.create(room=room, session_id=room.session_id)
            if action:
                form = {"post": "yes", "_selected_action": room.pk} | action
                deleting = other.submit(staff.send, ROOMS, **form)
            else:
                deleting = other.submit(staff.delete, room)
            if connection.vendor == "postgresql":
                wait_until_somebody_waits_for_a_lock()
        assert deleting.result().status_code == 302
    assert not Room.objects.exists()
    assert not PastSession.objects.exists()


# What staff see and do


@pytest.fixture
def rooms(db):
    """A room that keeps people out, and one that does not."""
    return [
        Room.objects.create(name="exam", session_id="1_exam", closed=True),
        Room.objects.create(name="lobby", session_id="1_lobby"),
    ]


def text(response):
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


@pytest.mark.parametrize("several", [False, True])
def test_the_page_says_what_deleting_does_and_offers_to_keep_the_name_closed(
    admin_client, rooms, several
):
    exam, lobby = rooms
    chosen = {"action": "delete_selected", "_selected_action": [exam.pk, lobby.pk]}
    page = (
        admin_client.post(ROOMS, chosen) if several
        else admin_client.get(f"{ROOMS}{exam.pk}/delete/")
    )  # fmt: skip
    said = text(page)
    assert "The next visitor who asks for" in said
    assert "without an access code and all else" in said
    assert "Recordings stay" in said
    assert "keep the name of the room" in said
    assert "key that is for some rooms only reaches them no more" in said
    # The safe one is the default where the room kept people out.
    keep, delete = said.index('name="keep_closed"'), said.index('value="Delete">')
    assert keep < delete
    assert Room.objects.count() == 2
    assert "<script" not in said.partition("</head>")[2].partition("Recordings stay")[2][:2000]


def test_of_an_open_room_the_plain_deletion_comes_first(admin_client, rooms):
    said = text(admin_client.get(f"{ROOMS}{rooms[1].pk}/delete/"))
    assert said.index('value="Delete">') < said.index('name="keep_closed"')


def test_the_page_names_keys_where_only_they_make_rooms(admin_client, rooms, settings):
    settings.ROOM_CREATION = "keys"
    said = text(admin_client.get(f"{ROOMS}{rooms[0].pk}/delete/"))
    assert "The next API key with <code>join</code> who asks" in said
    assert "The next visitor" not in said


def test_staff_delete_a_room_and_keep_its_name_closed(admin_client, rooms):
    told = admin_client.post(f"{ROOMS}{rooms[0].pk}/delete/", KEEP, follow=True)
    assert "The name “exam” is kept closed." in text(told)
    assert admin_client.get("/room/exam").status_code == 403
    assert list(Room.objects.values_list("name", flat=True)) == ["lobby"]
    said = [(str(entry.content_type), entry.object_repr, entry.get_change_message())
            for entry in LogEntry.objects.order_by("id")]  # fmt: skip
    assert said == [
        ("Rooms | room", "exam", ""),
        ("Rooms | closed name", "exam", "Kept the name closed."),
    ]


def test_staff_delete_several_rooms_and_keep_their_names_closed(admin_client, rooms):
    chosen = {"action": "delete_selected", "_selected_action": [room.pk for room in rooms]}
    told = admin_client.post(ROOMS, chosen | KEEP, follow=True)
    assert "2 names are kept closed." in text(told)
    assert "Successfully deleted 2 rooms." in text(told)
    assert not Room.objects.exists()
    assert set(ClosedName.objects.values_list("name", flat=True)) == {"exam", "lobby"}
    assert LogEntry.objects.count() == 4


@pytest.mark.parametrize("several", [False, True])
def test_staff_delete_rooms_and_leave_their_names_open(admin_client, rooms, opentok, several):
    if several:
        chosen = {"action": "delete_selected", "_selected_action": [room.pk for room in rooms]}
        admin_client.post(ROOMS, chosen | {"post": "yes"})
    else:
        admin_client.post(f"{ROOMS}{rooms[0].pk}/delete/", {"post": "yes"})
    assert not Room.objects.filter(name="exam").exists()
    assert not ClosedName.objects.exists()
    assert admin_client.get("/room/exam").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("several", [False, True])
def test_a_deletion_that_fails_half_way_leaves_everything_as_it_was(client, rooms, several):
    client.force_login(User.objects.create_superuser("ada"))
    client.raise_request_exception = False

    def fail(execute, sql, *rest):
        if sql.startswith('DELETE FROM "rooms_room"'):
            raise OperationalError("the disk is full")
        return execute(sql, *rest)

    chosen = {"action": "delete_selected", "_selected_action": [room.pk for room in rooms]}
    with connection.execute_wrapper(fail):
        if several:
            answer = client.post(ROOMS, chosen | KEEP)
        else:
            answer = client.post(f"{ROOMS}{rooms[0].pk}/delete/", KEEP)
    assert answer.status_code == 503
    assert Room.objects.count() == 2
    assert not ClosedName.objects.exists()
    assert not LogEntry.objects.exists()


def test_staff_find_closed_names_and_open_them_again(admin_client, db, opentok):
    kept = ClosedName.objects.close(["exam 1", "exam 2", "Exam 3", "100%"])
    found = text(admin_client.get(NAMES, {"q": "exam"}))
    assert ">exam 1<" in found
    assert ">exam 2<" in found
    assert "Exam 3" not in found
    assert "100%" not in found
    assert ">100%<" in text(admin_client.get(NAMES, {"q": "100%"}))
    assert admin_client.get("/room/exam%201").status_code == 403
    chosen = {"action": "open_again", "_selected_action": [kept[0].pk]}
    told = admin_client.post(NAMES, chosen, follow=True)
    assert "The name “exam 1” is open again" in text(told)
    assert admin_client.get("/room/exam%201").status_code == 200
    assert admin_client.get("/room/exam%202").status_code == 403
    (entry,) = LogEntry.objects.all()
    assert (entry.object_repr, entry.get_change_message()) == ("exam 1", "Opened the name again.")


def test_only_those_who_may_open_names(client, db):
    kept = ClosedName.objects.close(["exam"])
    watcher = User.objects.create_user("grace", is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_closedname"))
    client.force_login(watcher)
    assert "Open again" not in text(client.get(NAMES))
    client.post(NAMES, {"action": "open_again", "_selected_action": [kept[0].pk]})
    assert ClosedName.objects.exists()
    for path in (f"{NAMES}add/", f"{NAMES}{kept[0].pk}/delete/"):
        assert client.post(path, {"post": "yes"}).status_code == 403
    watcher.user_permissions.add(Permission.objects.get(codename="delete_closedname"))
    client.post(NAMES, {"action": "open_again", "_selected_action": [kept[0].pk]})
    assert not ClosedName.objects.exists()

"""Guests wait, in whatever process they ask, until a moderator of the room lets them in."""

import json
import uuid
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from meetings.models import Connection, Meeting
from rooms.conferences import Conference
from rooms.guests import MAX_WAITING, Guest, connection_data, id_of
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import Server
from web.errors import Problem

ROOM = "/room/exam"


@pytest.fixture
def exam(program):
    program.post("rooms", name="exam", waitingRoom=True)
    return Room.objects.get()


def ask(server, name="Ben", **options):
    return server.request("POST", "/waiting/exam", json={"name": name}, **options)


def join(server, ticket="", **headers):
    return server.get(ROOM, headers={"X-Ticket": ticket, **headers})


def ticket_of(answer):
    assert answer.status_code == 201
    return answer.json()["ticket"]


def admitted(server, name="Ben"):
    """The ticket of a guest who was let in."""
    ticket = ticket_of(ask(server, name))
    Guest.objects.filter(name=name).update(is_admitted=True)
    return ticket


def decide(program, ticket, *, admit, room="exam"):
    return program.patch(f"rooms/{room}/guests/{id_of(ticket)}", admitted=admit)


def moderator_link(program):
    link = program.post("rooms/exam/invitations", role="moderator").json()["invitation"]
    return f"Bearer {link}"


def moderator(program, server):
    """The headers of somebody who has joined as a moderator."""
    answer = join(server, Authorization=moderator_link(program))
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_a_guest_gets_no_token_until_a_moderator_lets_them_in(program, server, exam):
    assert refusal(server.get(ROOM)) == (403, "admission_required")
    ticket = ticket_of(ask(server))
    waiting = join(server, ticket)
    assert refusal(waiting) == (403, "admission_pending")
    assert waiting.headers["Retry-After"] == "10"
    headers = moderator(program, server)
    (guest,) = server.get("/api/v1/rooms/exam/guests", headers=headers).json()["items"]
    assert (guest["name"], guest["admitted"]) == ("Ben", None)
    path = f"/api/v1/rooms/exam/guests/{guest['id']}"
    decided = server.request("PATCH", path, headers=headers, json={"admitted": True})
    assert decided.json()["admitted"] is True
    assert join(server, ticket).json()["sessionId"] == exam.session_id
    assert server.get("/api/v1/rooms/exam/guests", headers=headers).json() == {"items": []}


def test_a_guest_who_is_turned_away_is_told_so(program, server, exam):
    ticket = ticket_of(ask(server))
    program = Program(server, can="moderate")
    assert decide(program, ticket, admit=False).status_code == 200
    assert refusal(join(server, ticket)) == (403, "admission_refused")


def test_another_process_knows_who_was_let_in(program, server, exam, emulator):
    with Server(OPENTOK_API_URL=emulator.url) as other:
        ticket = ticket_of(ask(server))
        decide(Program(other, can="moderate"), ticket, admit=True)
        assert join(server, ticket).status_code == 200
        assert join(other, ticket).status_code == 200


def test_keys_that_manage_do_not_wait_and_keys_that_join_do(program, server, exam):
    assert program.server.get(ROOM, headers=program.headers).status_code == 200
    joining = Program(server, can="join")
    assert refusal(server.get(ROOM, headers=joining.headers)) == (403, "admission_required")
    assert program.post("rooms/exam/tokens").status_code == 201


def test_a_guest_by_a_link_waits_as_well(program, server, exam):
    link = program.post("rooms/exam/invitations").json()["invitation"]
    headers = {"Authorization": f"Bearer {link}"}
    assert refusal(server.get(ROOM, headers=headers)) == (403, "admission_required")
    ticket = ticket_of(ask(server, headers=headers))
    assert refusal(join(server, ticket, **headers)) == (403, "admission_pending")


def test_a_ticket_counts_in_its_own_room(program, server, exam):
    ticket = ticket_of(ask(server))
    Guest.objects.update(is_admitted=True)
    program.post("rooms", name="other", waitingRoom=True)
    answer = server.get("/room/other", headers={"X-Ticket": ticket})
    assert refusal(answer) == (403, "admission_required")
    refused = decide(program, ticket, admit=True, room="other")
    assert refusal(refused) == (403, "capability_missing")
    refused = decide(Program(server, can="moderate"), ticket, admit=True, room="other")
    assert refusal(refused) == (404, "guest_not_found")


@pytest.mark.parametrize("ticket", ["x", "0", "é".encode().decode("latin-1"), "'; --", "0" * 4000])
def test_a_ticket_that_is_none_counts_as_none(server, exam, ticket):
    assert refusal(join(server, ticket)) == (403, "admission_required")


def test_a_client_token_of_another_session_or_of_a_publisher_lets_nobody_in(program, server, exam):
    program.post("rooms", name="other")
    token = program.post("rooms/other/tokens", role="moderator").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/v1/rooms/exam/guests"
    assert refusal(server.get(path, headers=headers)) == (403, "session_not_covered")
    path += f"/{id_of(ticket_of(ask(server)))}"
    answer = server.request("PATCH", path, headers=headers, json={"admitted": True})
    assert refusal(answer) == (403, "session_not_covered")
    assert Guest.objects.get().is_admitted is None
    token = program.post("rooms/exam/tokens", role="publisher").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = server.get("/api/v1/rooms/exam/guests", headers=headers)
    assert refusal(answer) == (403, "client_token_insufficient")


def test_a_guest_who_no_longer_asks_is_no_longer_listed_and_one_who_does_is(server, exam):
    program = Program(server, can="moderate")
    ticket = ticket_of(ask(server))
    Guest.objects.update(seen_at=timezone.now() - timedelta(seconds=91))
    assert program.get("rooms/exam/guests").json()["items"] == []
    join(server, ticket)
    assert len(program.get("rooms/exam/guests").json()["items"]) == 1


def test_a_ticket_is_good_for_a_day_and_then_goes(server, exam):
    ticket = ticket_of(ask(server))
    Guest.objects.update(is_admitted=True, asked_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert refusal(join(server, ticket)) == (403, "admission_required")
    ask(server, "Zoe")
    assert [guest.name for guest in Guest.objects.all()] == ["Zoe"]


def test_old_tickets_are_deleted_some_at_a_time(opentok, transactional_db):
    room = Room.objects.open("exam")
    long_ago = timezone.now() - timedelta(days=2)
    Guest.objects.bulk_create(
        Guest(id=uuid.uuid4(), room=room, name=str(n), asked_at=long_ago, seen_at=long_ago)
        for n in range(150)
    )
    Guest.objects.ask(room, "Ben")
    assert Guest.objects.count() == 51
    Guest.objects.ask(room, "Ben")
    assert Guest.objects.count() == 2


def test_the_id_that_others_see_is_not_the_ticket_and_the_database_has_no_ticket(server, exam):
    ticket = admitted(server)
    guest = Guest.objects.values().get()
    assert ticket not in str(guest)
    assert refusal(join(server, str(guest["id"]))) == (403, "admission_required")
    assert join(server, ticket).status_code == 200


def test_a_guest_who_is_waited_for_no_more_is_gone(program, server, exam):
    ticket = ticket_of(ask(server))
    gone = server.request("DELETE", "/waiting/exam", headers={"X-Ticket": ticket})
    assert (gone.status_code, gone.content) == (204, b"")
    assert Program(server, can="moderate").get("rooms/exam/guests").json()["items"] == []
    assert refusal(join(server, ticket)) == (403, "admission_required")
    again = server.request("DELETE", "/waiting/exam/", headers={"X-Ticket": ticket})
    assert refusal(again) == (404, "guest_not_found")


def test_a_guest_stops_waiting_in_their_own_room_and_with_their_ticket_alone(program, server, exam):
    ticket = ticket_of(ask(server))
    program.post("rooms", name="other", waitingRoom=True)
    for path, headers in (
        ("other", {"X-Ticket": ticket}),
        ("exam", {"X-Ticket": str(id_of(ticket))}),
        ("exam", {}),
    ):
        answer = server.request("DELETE", f"/waiting/{path}", headers=headers)
        assert refusal(answer) == (404, "guest_not_found")
    answer = server.request("DELETE", "/waiting/none", headers={"X-Ticket": ticket})
    assert refusal(answer) == (404, "room_not_found")
    assert Guest.objects.count() == 1


def test_who_need_not_wait_is_told_to_join(program, server, exam):
    headers = {"Authorization": moderator_link(program)}
    assert refusal(ask(server, headers=headers)) == (409, "admission_not_required")
    assert refusal(ask(server, headers=program.headers)) == (409, "admission_not_required")
    program.patch("rooms/exam", waitingRoom=False)
    assert refusal(ask(server)) == (409, "admission_not_required")
    program.patch("rooms/exam", closed=True)
    assert refusal(ask(server)) == (403, "room_closed")
    assert Guest.objects.count() == 0


def test_a_room_that_is_deleted_meanwhile_is_a_404(opentok, transactional_db):
    room = Room.objects.open("exam")
    Room.objects.filter(pk=room.pk).delete()
    with pytest.raises(Problem) as refused:
        Guest.objects.ask(room, "Ben")
    assert refused.value.code == "room_not_found"


def test_phones_cannot_pass_the_waiting_room(client, db, opentok):
    room = Room.objects.open("exam")
    pin = Conference.objects.of_room(room).pin
    answer = client.post("/sip/vapi/answer", {"dtmf": {"digits": pin}}, "application/json")
    assert answer.json()[-1]["action"] == "conversation"
    for policy in ("waiting_room", "recording_consent"):
        Room.objects.update(waiting_room=False, recording_consent=False)
        Room.objects.update(**{policy: True})
        answer = client.post("/sip/vapi/answer", {"dtmf": {"digits": pin}}, "application/json")
        assert answer.json() == [{"action": "talk", "text": "This room cannot be joined by phone."}]


@pytest.mark.parametrize(("method", "path"), [("POST", "session"), ("DELETE", "invitations")])
def test_a_new_session_and_revoked_links_end_tickets(program, server, exam, method, path):
    ticket = ticket_of(ask(server))
    Guest.objects.update(is_admitted=True)
    assert join(server, ticket).status_code == 200
    assert program.call(method, f"rooms/exam/{path}").ok
    assert refusal(join(server, ticket)) == (403, "admission_required")


def test_a_guest_who_is_removed_has_to_be_let_in_again(server, exam, opentok):
    """Without callbacks nobody knows which of them it was. Others have not joined yet."""
    ben, eve, zoe = (admitted(server, name) for name in ("Ben", "Eve", "Zoe"))
    waiting = ticket_of(ask(server, "Max"))
    assert join(server, ben).status_code == join(server, eve).status_code == 200
    connection = opentok.connect(exam.session_id)
    moderating = Program(server, can="moderate")
    unknown = moderating.delete(f"rooms/exam/connections/{uuid.uuid4()}")
    assert refusal(unknown) == (404, "connection_not_found")
    assert join(server, ben).status_code == 200
    assert moderating.delete(f"rooms/exam/connections/{connection}").status_code == 204
    for ticket in (ben, eve):
        assert refusal(join(server, ticket)) == (403, "admission_required")
    assert join(server, zoe).status_code == 200
    assert refusal(join(server, waiting)) == (403, "admission_pending")


@pytest.fixture
def monitored(server, exam, opentok):
    """OpenTok tells the server of connections."""
    url = f"{server.url}/callbacks"
    opentok.call_back(url, settings.CALLBACK_SECRET, urls={"session": url})


def connect(opentok, answer):
    """Join with the credentials of an answer, once the server knows of it. The connection's id."""
    token = answer.json()["token"]
    told = jwt.decode(token, options={"verify_signature": False})
    body = {"data": told["connection_data"]}
    made = opentok.control("POST", f"/sessions/{told['session_id']}/connections", body)
    deliver(opentok)
    return made["connectionId"]


def deliver(opentok):
    """Wait until the server has been told of all that has happened."""
    callbacks = opentok.control("GET", "/callbacks?at_least=0")["callbacks"]
    opentok.callbacks(attempts=len(callbacks))


def test_where_callbacks_tell_connections_only_the_removed_guest_asks_again(
    server, exam, opentok, monitored
):
    ben, eve = (admitted(server, name) for name in ("Ben", "Eve"))
    removed = connect(opentok, join(server, ben))
    connect(opentok, join(server, eve))
    known = set(Guest.objects.values_list("connection_id", flat=True))
    assert uuid.UUID(removed) in known
    assert len(known - {None}) == 2
    path = f"rooms/exam/connections/{removed.upper()}"
    assert Program(server, can="moderate").delete(path).status_code == 204
    assert refusal(join(server, ben)) == (403, "admission_required")
    assert join(server, eve).status_code == 200


@pytest.mark.parametrize(("reason", "asks_again"), [("forced", True), ("left", False)])
def test_a_guest_who_is_removed_by_any_app_asks_again_and_one_who_leaves_does_not(
    server, exam, opentok, monitored, reason, asks_again
):
    ben = admitted(server)
    connection = connect(opentok, join(server, ben))
    connect(opentok, join(server, ben))  # of a second tab, which is the one that is known
    if reason == "forced":
        path = f"session/{exam.session_id}/connection/{connection}"
        opentok.call("DELETE", f"/v2/project/{opentok.api_key}/{path}")
    else:
        opentok.disconnect(exam.session_id, connection)
    deliver(opentok)
    assert (join(server, ben).status_code == 403) is asks_again


def test_all_guests_ask_again_once_everybody_was_disconnected(program, server, exam, opentok):
    ben, eve = (admitted(server, name) for name in ("Ben", "Eve"))
    assert join(server, ben).status_code == 200
    opentok.connect(exam.session_id)
    assert Program(server, can="moderate").post("rooms/exam/stop").ok
    assert refusal(join(server, ben)) == (403, "admission_required")
    assert join(server, eve).status_code == 200


def test_a_guests_token_has_their_id_and_a_moderators_has_none(program, server, exam):
    def data(answer):
        token = answer.json()["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        return claims.get("connection_data")

    ben = admitted(server)
    assert json.loads(data(join(server, ben))) == {"guest": str(id_of(ben))}
    viewer = "/broadcast/lesson/viewer"
    server.get(viewer)
    program.patch("rooms/lesson-broadcast", waitingRoom=True)
    ticket = ticket_of(server.request("POST", "/waiting/lesson-broadcast", json={"name": "Eve"}))
    Guest.objects.update(is_admitted=True)
    watching = server.get(viewer, headers={"X-Ticket": ticket})
    assert json.loads(data(watching)) == {"guest": str(id_of(ticket))}
    assert data(join(server, ben, Authorization=moderator_link(program))) is None
    assert data(join(server, ben, **program.headers)) is None


@pytest.mark.parametrize("data", ["", "{", '{"guest":1}', "[" * 900, None, 5, {"guest": "x"}])
def test_a_callback_about_other_connections_changes_no_guest(server, exam, data):
    admitted(server)
    for event in ("connectionCreated", "connectionDestroyed"):
        told = {
            "event": event,
            "reason": "forceDisconnected",
            "connection": {"id": "x", "data": data},
        }
        Guest.objects.apply_callback(exam.session_id, told)
        Guest.objects.apply_callback(exam.session_id, told | {"connection": data})
    assert Guest.objects.get().connection_id is None


def test_a_full_waiting_room_says_so(server, exam):
    Guest.objects.bulk_create(
        Guest(id=uuid.uuid4(), room=exam, name=str(n)) for n in range(MAX_WAITING)
    )
    assert refusal(ask(server)) == (503, "waiting_room_full")
    assert Guest.objects.count() == MAX_WAITING


def test_who_may_not_join_may_not_wait_either(program, server, exam):
    program.patch("rooms/exam", accessCode="18151210")
    assert refusal(ask(server)) == (403, "access_code_required")
    assert ask(server, headers={"X-Access-Code": "18151210"}).status_code == 201
    program.patch("rooms/exam", closed=True)
    assert refusal(ask(server)) == (403, "room_closed")
    program.delete("rooms/exam")
    assert refusal(ask(server)) == (404, "room_not_found")
    assert Guest.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x" * 101}, {"name": ["x"]}, [], {"name": 5}, {"name": True},
     {"name": "Ben\nEve"}, {"name": "\x7f"}, {"name": "\x00"}, {"name": "Ben", "role": "x"}],
)  # fmt: skip
def test_a_guest_has_a_name(server, exam, body):
    answer = server.request("POST", "/waiting/exam", json=body)
    assert refusal(answer) == (400, "invalid")


def test_consent_to_recording_is_asked_for_and_given(program, server):
    program.post("rooms", name="exam", recordingConsent=True)
    assert refusal(server.get(ROOM)) == (403, "consent_required")
    assert refusal(server.get(ROOM, headers={"X-Recording-Consent": "no"})) == (
        403,
        "consent_required",
    )
    assert server.get(ROOM, headers={"X-Recording-Consent": "yes"}).status_code == 200
    program.patch("rooms/exam", recordingConsent=False)
    assert server.get(ROOM).status_code == 200


def test_a_policy_that_is_set_holds_at_once_for_a_room_that_was_open(program, server):
    program.post("rooms", name="exam")
    assert server.get(ROOM).status_code == 200
    program.patch("rooms/exam", waitingRoom=True)
    assert refusal(server.get(ROOM)) == (403, "admission_required")
    shown = program.get("rooms/exam").json()
    assert (shown["waitingRoom"], shown["recordingConsent"]) == (True, False)


def test_a_room_that_is_not_open_says_when_to_programs(program, server):
    program.post("rooms", name="exam", opensAt="2099-01-01T10:00:00+02:00")
    assert server.get(ROOM).json()["opensAt"] == "2099-01-01T08:00:00Z"
    program.patch("rooms/exam", opensAt=None, closesAt="2020-01-01T00:00:00Z")
    assert server.get(ROOM).json()["closedAt"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize("how", ["connection", "identity"])
def test_the_ticket_of_a_guest_who_is_banned_ends_at_once(program, server, exam, opentok, how):
    program = Program(server, can="manage,moderate")
    ticket, other = admitted(server, "Ben"), admitted(server, "Cleo")
    assert join(server, ticket).status_code == join(server, other).status_code == 200
    data = connection_data(ticket)
    if how == "connection":  # its callback has come, that of its end has not
        meeting = Meeting.objects.create(session_id=exam.session_id, started_at=timezone.now())
        connection = str(uuid.uuid4())
        Connection.objects.create(
            pk=connection, meeting=meeting, data=data, connected_at=timezone.now()
        )
        made = program.post("rooms/exam/bans", connectionId=connection)
    else:
        made = program.post("rooms/exam/bans", identity=data)
    assert made.status_code == 201
    assert refusal(join(server, ticket)) == (403, "admission_required")
    assert join(server, other).status_code == 200

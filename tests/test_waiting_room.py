"""Guests wait, in whatever process they ask, until a moderator of the room lets them in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rooms.conferences import Conference
from rooms.guests import MAX_WAITING, Guest
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


def moderator(program, server):
    """The headers of somebody who has joined as a moderator."""
    link = program.post("rooms/exam/invitations", role="moderator").json()["invitation"]
    answer = join(server, Authorization=f"Bearer {link}")
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
    assert (guest["name"], guest["ticket"], guest["admitted"]) == ("Ben", ticket, None)
    path = f"/api/v1/rooms/exam/guests/{ticket}"
    decided = server.request("PATCH", path, headers=headers, json={"admitted": True})
    assert decided.json()["admitted"] is True
    assert join(server, ticket).json()["sessionId"] == exam.session_id
    assert server.get("/api/v1/rooms/exam/guests", headers=headers).json() == {"items": []}


def test_a_guest_who_is_turned_away_is_told_so(program, server, exam):
    ticket = ticket_of(ask(server))
    program = Program(server, can="moderate")
    assert program.patch(f"rooms/exam/guests/{ticket}", admitted=False).status_code == 200
    assert refusal(join(server, ticket)) == (403, "admission_refused")


def test_another_process_knows_who_was_let_in(program, server, exam, emulator):
    with Server(OPENTOK_API_URL=emulator.url) as other:
        ticket = ticket_of(ask(server))
        Program(other, can="moderate").patch(f"rooms/exam/guests/{ticket}", admitted=True)
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
    path = f"rooms/other/guests/{ticket}"
    assert refusal(program.patch(path, admitted=True)) == (403, "capability_missing")
    moderating = Program(server, can="moderate")
    assert refusal(moderating.patch(path, admitted=True)) == (404, "guest_not_found")


@pytest.mark.parametrize("ticket", ["x", "0", "é".encode().decode("latin-1"), "'; --", "0" * 4000])
def test_a_ticket_that_is_none_counts_as_none(server, exam, ticket):
    assert refusal(join(server, ticket)) == (403, "admission_required")


def test_a_client_token_of_another_session_or_of_a_publisher_lets_nobody_in(program, server, exam):
    program.post("rooms", name="other")
    token = program.post("rooms/other/tokens", role="moderator").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/v1/rooms/exam/guests"
    assert refusal(server.get(path, headers=headers)) == (403, "session_not_covered")
    path += f"/{ticket_of(ask(server))}"
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


def test_a_ticket_counts_in_upper_case_as_well(server, exam):
    ticket = ticket_of(ask(server)).upper()
    assert refusal(join(server, ticket)) == (403, "admission_pending")


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


def test_a_full_waiting_room_says_so(server, exam):
    Guest.objects.bulk_create(Guest(room=exam, name=str(n)) for n in range(MAX_WAITING))
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


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": ["x"]}, []])
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

"""A link lets people into its room, in its role, until it ends or is revoked."""

from datetime import timedelta
from urllib.parse import urlsplit

import jwt
import pytest
from django.utils import timezone

from access.invitations import Invitation
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import Server


@pytest.fixture
def closed_server(emulator, transactional_db):
    """A server that lets nobody in without a key."""
    with Server(OPENTOK_API_URL=emulator.url, ANONYMOUS_ACCESS="none") as server:
        yield server


def with_link(invitation):
    return {"Authorization": f"Bearer {invitation['invitation']}"}


def invited(program, room, **body):
    answer = program.post(f"rooms/{room}/invitations", **body)
    assert answer.status_code == 201
    return answer.json()


def role(answer):
    assert answer.status_code == 200
    return jwt.decode(answer.json()["token"], options={"verify_signature": False})["role"]


def test_an_invited_person_needs_no_key_and_no_code_and_has_the_links_role(closed_server):
    program = Program(closed_server)
    program.post("rooms", name="a/b", accessCode="18151210")
    assert refusal(closed_server.get("/room/a%2Fb")) == (401, "key_required")
    for wanted in ("moderator", "publisher", "subscriber"):
        link = invited(program, "a%2Fb", role=wanted)
        assert role(closed_server.get("/room/a%2Fb", headers=with_link(link))) == wanted
        assert link["role"] == wanted


def test_an_invitation_is_a_publishers_for_a_week_unless_asked_otherwise(program):
    program.post("rooms", name="a")
    link = invited(program, "a")
    week = timezone.now() + timedelta(days=7)
    until = timezone.datetime.fromisoformat(link["expiresAt"])
    assert link["role"] == "publisher"
    assert abs(until - week) < timedelta(minutes=1)


def test_the_url_is_the_join_page_and_keeps_the_invitation_from_logs(program, server):
    program.post("rooms", name="a b")
    link = invited(program, "a%20b")
    url = urlsplit(link["url"])
    assert (url.path, url.query, url.fragment) == ("/join/a%20b", "", link["invitation"])
    assert f"{url.scheme}://{url.netloc}" == server.url


def test_an_invitation_counts_for_its_own_room_alone(program, server):
    for name in ("a", "b"):
        program.post("rooms", name=name, accessCode="18151210")
    headers = with_link(invited(program, "a"))
    assert refusal(server.get("/room/b", headers=headers)) == (401, "invitation_invalid")
    assert refusal(server.get("/room/new", headers=headers)) == (401, "invitation_invalid")
    assert not Room.objects.filter(name="new").exists()


def test_revoked_invitations_let_nobody_in_and_new_ones_do(program, server):
    program.post("rooms", name="a")
    old = invited(program, "a")
    assert program.delete("rooms/a/invitations").status_code == 204
    assert refusal(server.get("/room/a", headers=with_link(old))) == (401, "invitation_invalid")
    assert role(server.get("/room/a", headers=with_link(invited(program, "a")))) == "publisher"


def test_an_invitation_to_a_deleted_room_is_none_to_the_room_made_anew(program, server):
    program.post("rooms", name="a")
    old = invited(program, "a")
    program.delete("rooms/a")
    assert refusal(server.get("/room/a", headers=with_link(old))) == (401, "invitation_invalid")
    program.post("rooms", name="a")
    assert refusal(server.get("/room/a", headers=with_link(old))) == (401, "invitation_invalid")


def test_an_invitation_ends_and_cannot_be_forged(program, server):
    program.post("rooms", name="a")
    room = Room.objects.get()
    ended = Invitation(room.pk, 0, "moderator", timezone.now() - timedelta(seconds=1)).signed()
    good = invited(program, "a")["invitation"]
    for text in (ended, good[:-1], good + "x", "invite_", "invite_e30:1:x"):
        headers = {"Authorization": f"Bearer {text}"}
        assert refusal(server.get("/room/a", headers=headers)) == (401, "invitation_invalid")


def test_an_invited_person_is_held_to_the_hours_of_the_room(program, server):
    program.post("rooms", name="a")
    link = invited(program, "a", role="moderator")
    program.patch("rooms/a", closed=True)
    assert refusal(server.get("/room/a", headers=with_link(link))) == (403, "room_closed")


def test_an_invitation_stands_for_nothing_but_joining(closed_server):
    program = Program(closed_server)
    program.post("rooms", name="a")
    headers = with_link(invited(program, "a", role="moderator"))
    for method, path in (
        ("GET", "/api/v1/rooms"),
        ("POST", "/api/v1/rooms/a/invitations"),
        ("GET", "/api/v1/rooms/a/guests"),
        ("GET", "/archive"),
        ("GET", "/broadcast/a/viewer"),
    ):
        answer = closed_server.request(method, path, headers=headers)
        assert answer.status_code == 401, path


def test_an_invitation_makes_no_host_where_anybody_may_broadcast(emulator, transactional_db):
    with Server(OPENTOK_API_URL=emulator.url, ANONYMOUS_ACCESS="join,broadcast,call") as server:
        program = Program(server)
        program.post("rooms", name="a-broadcast", accessCode="18151210", waitingRoom=True)
        headers = with_link(invited(program, "a-broadcast", role="subscriber"))
        for path in ("/broadcast/a/host", "/broadcast/a/viewer", "/sip/a-broadcast"):
            answer = server.get(path, headers=headers)
            assert refusal(answer) == (401, "invitation_invalid")


@pytest.mark.parametrize(
    "body", [{"role": "king"}, {"lifetime": 59}, {"lifetime": 366 * 86_400}, {"colour": "red"}]
)
def test_an_invitation_that_makes_no_sense_is_refused(program, body):
    program.post("rooms", name="a")
    assert refusal(program.post("rooms/a/invitations", **body)) == (400, "invalid")


def test_a_key_for_other_rooms_invites_and_revokes_nobody(server, program):
    program.post("rooms", name="a")
    other = Program(server, rooms="b")
    assert refusal(other.post("rooms/a/invitations")) == (403, "room_not_covered")
    assert refusal(other.delete("rooms/a/invitations")) == (403, "room_not_covered")
    assert refusal(program.post("rooms/none/invitations")) == (404, "room_not_found")

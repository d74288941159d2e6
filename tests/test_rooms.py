"""How a name becomes a session that can be joined, and stays it."""

import unicodedata
from datetime import timedelta

import jwt
import pytest
from django.utils import timezone

from rooms.credentials import credentials_for
from rooms.models import PastSession, Room
from rooms.names import clean_name
from tests.problems import raises
from video import sessions

pytestmark = pytest.mark.django_db

# A session of another project, as a room has it after the server's credentials were changed.
FOREIGN = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"


@pytest.mark.parametrize(
    "name",
    ["__proto__", "a/b", "start", "Zürich-会议-🎥", ":001", " x ", ".", "x" * 200, "👨‍👩‍👧", "%2F"],
)
def test_an_ordinary_name_is_kept_as_it_is(name):
    assert clean_name(name) == name


def test_the_longest_name_may_come_in_four_times_as_many_pieces():
    pieces = unicodedata.normalize("NFD", "ᾂ" * 200)
    assert (len(pieces), clean_name(pieces)) == (800, "ᾂ" * 200)


@pytest.mark.parametrize(
    "name", ["", " ", "\u3000\u2003", "x" * 201, "a\0", "a\nb", "\x7f", "\ud800"]
)
def test_a_name_that_no_room_can_have_asks_nothing_of_opentok(name, opentok):
    with raises("room_name_invalid"):
        Room.objects.open(name)
    assert opentok.requests() == []


def test_a_failure_of_opentok_leaves_no_room_behind(opentok):
    opentok.fault(status=500)
    with raises("opentok_failed"):
        Room.objects.open("standup")
    assert not Room.objects.exists()


def test_end_to_end_encryption_is_chosen_at_the_first_visit_and_kept(opentok):
    assert Room.objects.open("secret", e2ee=True).e2ee
    assert Room.objects.open("secret", e2ee=False).e2ee
    assert not Room.objects.open("open", e2ee=False).e2ee
    assert not Room.objects.open("open", e2ee=True).e2ee


def test_a_new_session_of_an_encrypted_room_is_encrypted(opentok):
    Room.objects.open("secret", e2ee=True).rotate_session()
    assert ["e2ee=true" in request["body"] for request in opentok.requests()] == [True, True]


def test_a_session_of_another_project_is_replaced_and_stays_known(opentok):
    room = Room.objects.create(name="moved", session_id=FOREIGN)
    opened = Room.objects.open("moved")
    assert opened.session_id != FOREIGN
    assert sessions.owns(opened.session_id)
    assert Room.objects.by_session([FOREIGN]) == {FOREIGN: room}


def test_when_two_rotate_a_room_at_once_both_get_the_firsts_session(opentok):
    first = Room.objects.open("standup")
    second = Room.objects.get(pk=first.pk)
    first.rotate_session()
    second.rotate_session()
    assert second.session_id == first.session_id
    assert PastSession.objects.count() == 1


def test_a_failed_rotation_changes_nothing(opentok):
    room = Room.objects.open("standup")
    before = room.session_id
    opentok.fault(status=500)
    with raises("opentok_failed"):
        room.rotate_session()
    room.refresh_from_db()
    assert room.session_id == before
    assert not PastSession.objects.exists()


def test_rooms_are_found_by_present_and_past_sessions(opentok):
    room = Room.objects.open("standup")
    past = room.session_id
    room.rotate_session()
    found = Room.objects.by_session([past, room.session_id, "1_unknown"])
    assert found == {past: room, room.session_id: room}


def test_the_last_use_is_noted_once_a_minute_at_most(opentok, django_assert_num_queries):
    room = Room.objects.open("standup")
    with django_assert_num_queries(1):
        Room.objects.open("standup")
    long_ago = timezone.now() - timedelta(days=3)
    Room.objects.filter(pk=room.pk).update(last_used_at=long_ago)
    Room.objects.open("standup")
    room.refresh_from_db()
    assert room.last_used_at - long_ago > timedelta(days=2)


def test_a_token_has_the_servers_role_and_lifetime_unless_the_room_has_a_role(opentok, settings):
    settings.TOKEN_ROLE, settings.TOKEN_TTL = "subscriber", 120
    room = Room.objects.open("standup")
    claims = read(credentials_for(room)["token"], opentok)
    assert (claims["role"], claims["exp"] - claims["iat"]) == ("subscriber", 120)
    room.token_role = "moderator"
    assert read(credentials_for(room)["token"], opentok)["role"] == "moderator"


def read(token, opentok):
    return jwt.decode(token, opentok.secret, algorithms=["HS256"])


def test_search_finds_part_of_a_name_or_a_whole_session_id(opentok):
    rooms = {
        name: Room.objects.open(name) for name in ("team a", "team b", "Team c", "a team", "te%m")
    }
    found = {room.name for room in Room.objects.search("team")}
    assert found == {"team a", "team b", "Team c", "a team"}
    assert {room.name for room in Room.objects.search("te%")} == {"te%m"}
    assert [room.name for room in Room.objects.search(rooms["Team c"].session_id)] == ["Team c"]
    assert not Room.objects.search("nobody")
    zurich = Room.objects.open("Z\u00fcrich")
    assert Room.objects.search("Zu\u0308").get() == zurich

"""Rooms with roles: a host, viewers and guests of one session."""

import jwt
import pytest

from rooms.models import Room
from tests.test_capabilities import bearer


def role_in(answer):
    return jwt.decode(answer.json()["token"], options={"verify_signature": False})["role"]


@pytest.fixture
def host():
    return bearer("broadcast")


def test_all_who_join_a_broadcast_get_one_session_each_with_their_role(server, host):
    roles = {}
    for who, headers in (("viewer", {}), ("host", host), ("guest", {})):
        answer = server.get(f"/broadcast/my%20show/{who}", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert {"apiKey", "applicationId", "sessionId", "token"} == answer.json().keys()
        roles[who] = role_in(answer), answer.json()["sessionId"]
    session = Room.objects.get(name="my show-broadcast").session_id
    assert roles == {
        "host": ("moderator", session),
        "viewer": ("subscriber", session),
        "guest": ("subscriber", session),
    }


def test_viewers_who_ask_for_the_room_itself_may_only_watch_as_well(server):
    server.get("/broadcast/show/viewer")
    assert role_in(server.get("/room/show-broadcast")) == "subscriber"


@pytest.mark.parametrize("path", ["/broadcast/show/host", "/broadcast/show/host/"])
def test_without_the_capability_nobody_is_a_host(server, opentok, path):
    refused = server.get(path)
    assert (refused.status_code, refused.json()["code"]) == (401, "key_required")
    refused = server.get(path, headers=bearer("join", "manage", "record"))
    assert (refused.status_code, refused.json()["code"]) == (403, "capability_missing")
    assert not Room.objects.exists()
    assert opentok.requests() == []


def test_a_client_token_makes_nobody_a_host(server):
    token = server.get("/room/show").json()["token"]
    refused = server.get("/broadcast/show/host", headers={"Authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "client_token_insufficient")


def test_a_head_makes_no_room(server):
    assert server.request("HEAD", "/broadcast/show/viewer").status_code == 404
    assert not Room.objects.exists()
    server.get("/broadcast/show/viewer")
    assert server.request("HEAD", "/broadcast/show/viewer").status_code == 200


@pytest.mark.parametrize("name", ["a%2Fb", "Z%C3%BCrich", "constructor", "a:b", ".."])
def test_any_name_of_a_room_is_a_name_of_a_broadcast(server, name):
    assert server.get(f"/broadcast/{name}/viewer/").status_code == 200


def test_a_name_that_is_too_long_with_its_ending_is_refused(server):
    assert server.get(f"/broadcast/{190 * 'x'}/viewer").status_code == 200
    refused = server.get(f"/broadcast/{191 * 'x'}/viewer")
    assert (refused.status_code, refused.json()["code"]) == (400, "room_name_invalid")


def test_a_key_for_some_rooms_broadcasts_those_alone(server):
    inside = bearer("broadcast", "join", room_prefix="class-")
    assert server.get("/broadcast/class-1/host", headers=inside).status_code == 200
    for who in ("host", "viewer"):
        refused = server.get(f"/broadcast/staff/{who}", headers=inside)
        assert (refused.status_code, refused.json()["code"]) == (403, "room_not_covered")


def test_the_policy_of_the_room_holds_for_all_of_them(server, host):
    server.get("/broadcast/show/viewer")
    Room.objects.get().change_policy(closed=True)
    for who, headers in (("viewer", {}), ("host", host)):
        assert server.get(f"/broadcast/show/{who}", headers=headers).json()["code"] == "room_closed"

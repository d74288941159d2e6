"""ROOM_CREATION=keys: who makes rooms, where a name alone does not."""

import pytest

from access.models import ApiKey
from rooms.closed_names import ClosedName
from rooms.models import Room
from tests.server_process import Server


@pytest.fixture(scope="module")
def _server(_emulator, django_db_setup, django_db_blocker):
    keys = {"OPENTOK_API_URL": _emulator.url, "ROOM_CREATION": "keys"}
    with django_db_blocker.unblock(), Server(**keys) as server:
        yield server


def bearer(*capabilities):
    key = ApiKey(name="a program", capabilities=list(capabilities))
    key.issue()
    return {"Authorization": f"Bearer {key.text}"}


@pytest.mark.parametrize("capabilities", [None, ["list", "manage"]])
def test_an_unknown_name_makes_no_room_without_a_key_that_may_join(server, opentok, capabilities):
    headers = bearer(*capabilities) if capabilities else {}
    refused = server.get("/room/standup", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "room_unknown")
    assert "ROOM_CREATION" in refused.json()["error"]
    assert opentok.requests() == []
    assert not Room.objects.exists()


def test_a_key_that_may_join_makes_a_room_and_everybody_gets_in(server):
    made = server.get("/room/standup", headers=bearer("join"))
    assert made.status_code == 200
    joined = server.get("/room/standup")
    assert joined.json()["sessionId"] == made.json()["sessionId"]


def test_a_closed_name_is_a_closed_room_also_for_those_who_make_none(server):
    ClosedName.objects.close(["standup"])
    for headers in ({}, bearer("join"), bearer("list", "manage")):
        refused = server.get("/room/standup", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "room_closed")

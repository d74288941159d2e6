"""Whom the server has muted is known after a reload, and who joins is muted until that is ended."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from meetings.models import Mute, Stream
from ops.worker import tidy
from rooms import moderating
from rooms.models import Room
from tests.api_client import Program
from tests.test_admin_actions import ROOMS, act, moderate, offered, people
from tests.test_admin_meetings import present
from tests.test_api_moderation import sent
from tests.test_callbacks import sign
from tests.test_meetings import came

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(opentok):
    return Room.objects.open("standup")


@pytest.fixture
def anna(room, opentok):
    return present(room, opentok)


@pytest.fixture
def browser(client):
    client.force_login(User.objects.create_superuser("ada"))
    return client


def publish(room, opentok, anna):
    """A stream of Anna's, which callbacks have told of."""
    stream = opentok.publish(room.session_id, anna)
    Stream.objects.create(pk=stream, connection_id=anna, started_at=timezone.now())
    return stream


def muted(browser, room):
    """By whom each stream was muted, as the page shows it; None for the others."""
    told = people(browser, room)
    streams = [*told["streams"], *(each for who in told["people"] for each in who["streams"])]
    return {each["id"]: each["muted"] and each["muted"]["by"] for each in streams}


def hears(room, opentok, stream):
    streams = opentok.control("GET", f"/sessions/{room.session_id}")["streams"]
    return {each["streamId"]: each["hasAudio"] for each in streams}[stream]


def test_who_was_muted_by_whom_and_when_is_shown(browser, room, opentok, anna):
    first, second = publish(room, opentok, anna), publish(room, opentok, anna)
    before = timezone.now()
    moderate(browser, room, "mute", first)
    assert muted(browser, room) == {first: "ada", second: None}
    (stream,) = [each for each in people(browser, room)["people"][0]["streams"] if each["muted"]]
    assert (
        before.timestamp() * 1000 - 1 <= stream["muted"]["at"] <= timezone.now().timestamp() * 1000
    )
    assert not hears(room, opentok, first)
    assert hears(room, opentok, second)


def test_a_program_and_the_server_are_named_as_well(server, browser, room, opentok, anna):
    stream = publish(room, opentok, anna)
    moderating.mute(room, stream.upper())
    assert muted(browser, room) == {stream: "Server"}
    program = Program(server, can="moderate")
    assert program.post(f"rooms/standup/streams/{stream}/mute").status_code == 204
    assert muted(browser, room) == {stream: program.key.name}


def test_all_are_muted_for_a_moment_and_those_who_join_later_are_not(browser, room, opentok, anna):
    first = publish(room, opentok, anna)
    act(browser, ROOMS, room, "mute_all")
    later = publish(room, opentok, anna)
    assert muted(browser, room) == {first: "ada", later: None}
    assert people(browser, room)["joining"] is None
    assert {"mute_all", "start_muting"} <= offered(browser, ROOMS, room)
    assert "stop_muting" not in offered(browser, ROOMS, room)


def test_who_joins_is_muted_until_that_is_ended(browser, room, opentok, anna):
    first = publish(room, opentok, anna)
    act(browser, ROOMS, room, "start_muting")
    act(browser, ROOMS, room, "mute_all")  # which leaves that as it is
    second = publish(room, opentok, anna)
    assert people(browser, room)["joining"]["by"] == "ada"
    assert "stop_muting" in offered(browser, ROOMS, room)
    again = act(browser, ROOMS, room, "start_muting")
    assert "Who joins is muted already." in again.content.decode()
    told = act(browser, ROOMS, room, "stop_muting")
    assert "Who joins from now on is not muted." in told.content.decode()
    third = publish(room, opentok, anna)
    assert hears(room, opentok, third)
    assert people(browser, room)["joining"] is None
    assert muted(browser, room) == {first: "ada", second: "ada", third: None}
    again = act(browser, ROOMS, room, "stop_muting")
    assert "Who joins is not muted any more." in again.content.decode()


def arrives(client, room, opentok):
    """A new client, of whom a callback tells."""
    connection = opentok.connect(room.session_id)
    body = json.dumps(came(connection, 0) | {"sessionId": room.session_id}).encode()
    headers = {"Authorization": f"Bearer {sign(body)}"}
    answer = client.post("/callbacks", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    return connection


def test_who_joins_an_empty_room_is_not_muted_once_that_is_ended(browser, room, opentok, anna):
    act(browser, ROOMS, room, "start_muting")
    opentok.disconnect(room.session_id, anna)
    told = act(browser, ROOMS, room, "stop_muting")
    assert "Who joins from now on is not muted." in told.content.decode()
    assert people(browser, room)["joining"] is None
    assert "start_muting" in offered(browser, ROOMS, room)
    opentok.fault(status=500, path="/mute", times=1)
    arrives(browser, room, opentok)  # and OpenTok cannot be told yet
    assert Mute.objects.filter(end_is_due=True).exists()
    arrives(browser, room, opentok)
    assert sent(opentok) == ("POST", "mute", {"active": False, "excludedStreamIds": []})
    count = len(opentok.requests())
    arrives(browser, room, opentok)
    assert len(opentok.requests()) == count


def test_an_end_of_which_opentok_does_not_know_is_not_told_once_all_are_muted_anew(
    browser, room, opentok, anna
):
    act(browser, ROOMS, room, "start_muting")
    opentok.disconnect(room.session_id, anna)
    act(browser, ROOMS, room, "stop_muting")
    Mute.objects.update(muted_at=timezone.now() - timedelta(days=31))
    tidy()
    assert Mute.objects.filter(end_is_due=True).exists()
    opentok.connect(room.session_id)
    act(browser, ROOMS, room, "start_muting")
    arrives(browser, room, opentok)
    assert sent(opentok)[2]["active"]
    assert Mute.objects.of_all(room.session_id)


def test_spared_streams_are_not_shown_as_muted(browser, room, opentok, anna):
    first, second = publish(room, opentok, anna), publish(room, opentok, anna)
    moderating.mute_all(room, except_streams=[second])
    assert muted(browser, room) == {first: "Server", second: None}


def test_without_callbacks_streams_count_as_muted_while_all_are(browser, room, opentok):
    stream = opentok.publish(room.session_id)
    act(browser, ROOMS, room, "start_muting")
    assert muted(browser, room) == {stream: "ada"}
    act(browser, ROOMS, room, "stop_muting")
    assert muted(browser, room) == {stream: None}  # it may have begun later


def test_what_opentok_refuses_is_not_noted(browser, room, opentok):
    told = act(browser, ROOMS, room, "start_muting")
    assert "Nobody is connected" in told.content.decode()
    assert (
        "problem" in moderate(browser, room, "mute", "0a1b2c3d-0000-4000-8000-000000000000").json()
    )
    assert not Mute.objects.exists()


def test_a_new_session_is_not_muted(browser, room, opentok, anna):
    act(browser, ROOMS, room, "start_muting")
    act(browser, ROOMS, room, "renew_session")
    assert "start_muting" in offered(browser, ROOMS, room)


def test_mutes_are_forgotten(room, opentok, anna):
    moderating.mute_all(room)
    tidy()
    assert Mute.objects.count() == 1
    Mute.objects.update(muted_at=timezone.now() - timedelta(days=31))
    tidy()
    assert Mute.objects.of_all(room.session_id)  # it still holds
    moderating.unmute_all(room)
    Mute.objects.update(muted_at=timezone.now() - timedelta(days=31))
    tidy()
    assert not Mute.objects.exists()

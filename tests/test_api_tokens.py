"""POST /api/v1/rooms/<name>/tokens: what lets one person into a room."""

from datetime import datetime, timedelta

import jwt
import pytest
from django.db import connection
from django.utils import timezone

from rooms.models import Room
from tests.api_client import Program, refusal


@pytest.fixture
def program(server):
    program = Program(server)
    program.post("rooms", name="lobby")
    return program


def claims_of(answer, opentok):
    assert answer.status_code == 201
    return jwt.decode(answer.json()["token"], opentok.secret, algorithms=["HS256"])


def test_a_token_is_what_was_asked_for(program, opentok):
    chosen = {
        "role": "moderator", "lifetime": 600, "data": '{"name": "Zoë"}',
        "layoutClasses": ["focus", "full"],
    }  # fmt: skip
    answer = program.post("rooms/lobby/tokens", **chosen)
    claims = claims_of(answer, opentok)
    assert (claims["role"], claims["exp"] - claims["iat"]) == ("moderator", 600)
    assert claims["connection_data"] == '{"name": "Zoë"}'
    assert claims["initial_layout_class_list"] == "focus full"
    told = answer.json()
    session = Room.objects.get().session_id
    assert told.pop("token")
    assert datetime.fromisoformat(told.pop("expiresAt")).timestamp() == claims["exp"]
    assert told == {
        "apiKey": opentok.api_key, "applicationId": opentok.api_key, "sessionId": session,
    }  # fmt: skip
    assert claims["session_id"] == session


def test_what_is_left_out_is_as_for_everybody_in_the_room(program, opentok):
    claims = claims_of(program.post("rooms/lobby/tokens"), opentok)
    assert (claims["role"], claims["exp"] - claims["iat"]) == ("publisher", 86_400)
    assert not {"connection_data", "initial_layout_class_list"} & claims.keys()
    program.patch("rooms/lobby", tokenRole="subscriber", tokenLifetime=120)
    claims = claims_of(program.post("rooms/lobby/tokens", data="", layoutClasses=[]), opentok)
    assert (claims["role"], claims["exp"] - claims["iat"]) == ("subscriber", 120)
    assert not {"connection_data", "initial_layout_class_list"} & claims.keys()


def test_no_token_outlives_its_room(program, opentok):
    closes = timezone.now() + timedelta(minutes=5)
    program.patch("rooms/lobby", closesAt=closes.isoformat())
    answer = program.post("rooms/lobby/tokens", lifetime=86_400)
    assert 60 < claims_of(answer, opentok)["exp"] - timezone.now().timestamp() <= 300
    assert datetime.fromisoformat(answer.json()["expiresAt"]) <= closes


def test_nobody_gets_into_a_closed_room_and_no_code_is_asked_for(program):
    program.patch("rooms/lobby", accessCode="1234")
    assert program.post("rooms/lobby/tokens").status_code == 201
    program.patch("rooms/lobby", closed=True)
    assert refusal(program.post("rooms/lobby/tokens")) == (403, "room_closed")


def test_no_room_is_made_by_it(program, opentok):
    assert refusal(program.post("rooms/unknown/tokens")) == (404, "room_not_found")
    assert len(opentok.requests()) == 1
    assert Room.objects.count() == 1


def test_a_room_that_is_deleted_meanwhile_is_not_made_again(program, opentok, client):
    Room.objects.update(last_used_at=timezone.now() - timedelta(hours=1))
    looks = []

    def deleted_after_the_first_look(execute, sql, *rest):
        if "rooms_room" in sql:
            looks.append(sql)
            if len(looks) == 2:
                Room.objects.all().delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(deleted_after_the_first_look):
        path = "/api/v1/rooms/lobby/tokens"
        client.post(path, {}, "application/json", headers=program.headers, RAW_URI=path)
    assert len(looks) > 1
    assert not Room.objects.exists()
    assert len(opentok.requests()) == 1


def test_a_session_of_another_project_is_replaced_first(program, opentok):
    foreign = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"
    Room.objects.update(session_id=foreign)
    session = program.post("rooms/lobby/tokens").json()["sessionId"]
    assert session == Room.objects.get().session_id != foreign


@pytest.mark.parametrize("data", ["x" * 1000, "é" * 500, "😀" * 250, " \n\t", "{}"])
def test_data_of_up_to_a_thousand_bytes_gets_through_unchanged(program, opentok, data):
    claims = claims_of(program.post("rooms/lobby/tokens", data=data), opentok)
    assert claims["connection_data"] == data


@pytest.mark.parametrize(
    "body",
    [
        {"role": "boss"}, {"role": None}, {"role": ["publisher"]},
        {"lifetime": 59}, {"lifetime": 2_592_001}, {"lifetime": "long"}, {"lifetime": None},
        {"data": "x" * 1001}, {"data": "😀" * 251}, {"data": {"a": 1}}, {"data": "\0"},
        {"data": None}, {"layoutClasses": "focus"}, {"layoutClasses": ["a b"]},
        {"layoutClasses": [""]}, {"layoutClasses": ["a\n"]}, {"layoutClasses": [None]},
        {"layoutClasses": [["a"]]}, {"layoutClasses": ["x" * 500] * 2}, {"layoutClasses": {"0": "a"}},
        {"expiresAt": "2030-01-01T00:00:00Z"},
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_name(program, body):
    answer = program.post("rooms/lobby/tokens", **body)
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(f"{next(iter(body))}: ")


def test_a_key_for_other_rooms_gets_none(program, server):
    school = Program(server, rooms="school-")
    assert refusal(school.post("rooms/lobby/tokens")) == (403, "room_not_covered")
    school.post("rooms", name="school-1")
    assert school.post("rooms/school-1/tokens").status_code == 201
    joining = Program(server, can="join")
    assert refusal(joining.post("rooms/lobby/tokens")) == (403, "capability_missing")

"""`Idempotency-Key`: who sends a POST again gets its answer again, and nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import ApiKey
from api.models import IdempotentRequest
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import Server


def post(program, path, *, key, server=None, **body):
    headers = program.headers | {"Idempotency-Key": key}
    return (server or program.server).post(f"/api/v1/{path}", json=body, headers=headers)


def told(answer):
    """What has to be the same in each answer."""
    return (
        answer.status_code, answer.content, answer.headers.get("Content-Type"),
        answer.headers.get("Location"),
    )  # fmt: skip


def created(opentok):
    return [r for r in opentok.requests() if r["path"] == "/session/create"]


def test_the_same_request_is_answered_again_and_not_done_again(program, opentok):
    first = post(program, "rooms", key="1", name="exam")
    again = post(program, "rooms", key="1", name="exam")
    assert first.status_code == 201
    assert told(again) == told(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" in again.headers["Access-Control-Expose-Headers"]
    assert "Idempotent-Replayed" not in first.headers
    assert len(created(opentok)) == 1
    assert program.post("rooms", name="exam").status_code == 409


def assert_one_was_first(answers):
    """One of those that came together; the rest had its answer or were told to come back."""
    first, *others = sorted(
        answers, key=lambda a: (a.status_code, "Idempotent-Replayed" in a.headers)
    )
    assert first.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    for answer in others:
        if answer.status_code == 201:
            assert told(answer) == told(first)
            assert answer.headers["Idempotent-Replayed"] == "true"
        else:
            assert refusal(answer) == (409, "idempotency_in_progress")
            assert answer.headers["Retry-After"] == "2"
    return first


def test_many_at_once_make_one_room(program, opentok):
    opentok.fault(path="/session/create", delay=0.7)
    with ThreadPoolExecutor(40) as crowd:
        answers = list(crowd.map(lambda _: post(program, "rooms", key="1", name="exam"), range(40)))
    first = assert_one_was_first(answers)
    assert len(created(opentok)) == 1
    assert Room.objects.count() == IdempotentRequest.objects.count() == 1
    assert told(post(program, "rooms", key="1", name="exam")) == told(first)


def test_servers_agree_on_it(program, server, opentok):
    opentok.fault(path="/session/create", delay=0.5)
    with Server(OPENTOK_API_URL=opentok.url) as another, ThreadPoolExecutor(10) as crowd:
        servers = 5 * [server, another]
        answers = crowd.map(
            lambda one: post(program, "rooms", key="1", server=one, name="exam"), servers
        )
        first = assert_one_was_first(answers)
        for one in (server, another):
            assert told(post(program, "rooms", key="1", server=one, name="exam")) == told(first)
    assert len(created(opentok)) == 1


def test_a_request_that_is_still_being_answered_is_not_waited_for(program, opentok):
    opentok.fault(path="/session/create", hang=True)
    with ThreadPoolExecutor(1) as crowd:
        first = crowd.submit(post, program, "rooms", key="1", name="exam")
        opentok.requests(at_least=1)
        again = post(program, "rooms", key="1", name="exam")
        assert refusal(again) == (409, "idempotency_in_progress")
        assert not first.done()
        opentok.control("DELETE", "/faults")
        first.result()


def test_another_request_with_the_same_key_is_refused(program):
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    for answer in (
        post(program, "rooms", key="1", name="another"),
        post(program, "rooms?", key="1", name="exam", e2ee=True),
        post(program, "rooms/exam/session", key="1"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Room.objects.count() == 1
    assert post(program, "rooms", key="2", name="another").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "ü".encode(), "x" * 256])
def test_a_key_that_is_none_is_refused(program, key):
    answer = post(program, "rooms", key=key, name="exam")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Room.objects.exists()


def test_a_mistake_of_the_caller_is_answered_again(program):
    assert program.post("rooms", name="exam").status_code == 201
    first = post(program, "rooms", key="1", name="exam")
    assert (first.status_code, first.json()["code"]) == (409, "room_exists")
    program.delete("rooms/exam")
    assert told(post(program, "rooms", key="1", name="exam")) == told(first)


def test_what_went_wrong_with_us_is_tried_again(program, opentok):
    opentok.fault(path="/session/create", status=500)
    assert post(program, "rooms", key="1", name="exam").status_code == 502
    opentok.control("DELETE", "/faults")
    assert post(program, "rooms", key="1", name="exam").status_code == 201


def test_who_may_do_it_is_asked_each_time(program, server):
    confined = Program(server, rooms="school-")
    assert post(confined, "rooms", key="1", name="exam").status_code == 403
    ApiKey.objects.filter(pk=confined.key.pk).update(room_prefix="")
    assert post(confined, "rooms", key="1", name="exam").status_code == 201
    confined.key.refresh_from_db()
    confined.key.revoke()
    assert post(confined, "rooms", key="1", name="exam").status_code == 401


def test_the_keys_of_one_caller_are_no_keys_of_another(program, server):
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    assert post(Program(server), "rooms", key="1", name="another").status_code == 201


def test_a_token_is_the_same_one_again(program):
    program.post("rooms", name="exam")
    first = post(program, "rooms/exam/tokens", key="1", data="Ada")
    assert first.status_code == 201
    assert told(post(program, "rooms/exam/tokens", key="1", data="Ada")) == told(first)
    another = post(program, "rooms/exam/tokens", key="2", data="Ada")
    assert another.json()["token"] != first.json()["token"]


def test_an_answer_without_a_body_has_none_again(program, opentok):
    session = program.post("rooms", name="exam").json()["sessionId"]
    stream = opentok.publish(session)
    archive = program.post("archives", room="exam", streamMode="manual").json()["id"]
    first = post(program, f"archives/{archive}/streams", key="1", streamId=stream)
    assert told(first) == (204, b"", None, None)
    assert told(post(program, f"archives/{archive}/streams", key="1", streamId=stream)) == told(
        first
    )


def test_an_answer_is_not_for_a_key_that_is_for_other_rooms_since(program):
    post(program, "rooms", key="1", name="exam")
    assert post(program, "rooms/exam/tokens", key="2").status_code == 201
    program.key.room_prefix = "school-"
    program.key.save()
    again = post(program, "rooms/exam/tokens", key="2")
    assert refusal(again) == (422, "idempotency_key_reused")


def test_nothing_in_the_database_tells_what_was_sent_or_answered(program):
    answer = post(program, "rooms", key="1", name="exam", accessCode="1815")
    row = IdempotentRequest.objects.get()
    assert answer.json()["sessionId"] not in row.answer
    assert "exam" not in row.answer + row.fingerprint


def test_a_request_that_died_with_its_process_may_be_done_by_the_next(program):
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    long_ago = timezone.now() - timedelta(seconds=61)
    IdempotentRequest.objects.update(answer="", started_at=long_ago)
    Room.objects.all().delete()
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    assert Room.objects.count() == 1


@pytest.mark.parametrize("ahead", [timedelta(seconds=90), timedelta(days=365)])
def test_a_request_that_died_while_the_clock_ran_ahead_may_be_done_by_the_next(program, ahead):
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    IdempotentRequest.objects.update(answer="", started_at=timezone.now() + ahead)
    Room.objects.all().delete()
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    assert Room.objects.count() == 1


def test_a_request_that_a_server_with_another_clock_is_doing_is_under_way(program):
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    answer = IdempotentRequest.objects.get().answer
    IdempotentRequest.objects.update(answer="", started_at=timezone.now() + timedelta(seconds=20))
    again = post(program, "rooms", key="1", name="exam")
    assert refusal(again) == (409, "idempotency_in_progress")
    IdempotentRequest.objects.update(answer=answer)
    assert post(program, "rooms", key="1", name="exam").status_code == 201
    assert Room.objects.count() == 1


def test_an_answer_that_was_given_while_the_clock_ran_ahead_is_given_again(program, opentok):
    first = post(program, "rooms", key="1", name="exam")
    IdempotentRequest.objects.update(started_at=timezone.now() + timedelta(hours=2))
    assert told(post(program, "rooms", key="1", name="exam")) == told(first)
    assert len(created(opentok)) == 1
    # But for no longer than those of today are kept.
    IdempotentRequest.objects.update(started_at=timezone.now() + timedelta(hours=25))
    again = post(program, "rooms", key="1", name="exam")
    assert (again.status_code, again.json()["code"]) == (409, "room_exists")


def test_old_ones_are_forgotten(program):
    for number in range(120):
        # Of every other one the clock ran ahead.
        hours = 25 if number % 2 else -25
        IdempotentRequest.objects.create(
            api_key=program.key, key=f"old {number}", answer="x",
            started_at=timezone.now() + timedelta(hours=hours),
        )  # fmt: skip
    post(program, "rooms", key="1", name="exam")
    assert IdempotentRequest.objects.count() == 21
    post(program, "rooms", key="2", name="another")
    assert set(IdempotentRequest.objects.values_list("key", flat=True)) == {"1", "2"}

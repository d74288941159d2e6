"""First visitors in crowds, several processes, restarts: one room has one session all the same."""

import signal
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from archives.models import Archive
from meetings import news
from meetings.models import Connection, Meeting
from rooms.models import Room
from tests.server_process import Server


def visit(servers, name, times):
    """What `times` visitors get who come at once, spread over the servers."""

    def one(number):
        answer = servers[number % len(servers)].get(f"/room/{name}")
        return answer.status_code, answer.json().get("sessionId")

    with ThreadPoolExecutor(times) as crowd:
        return list(crowd.map(one, range(times)))


def created(opentok):
    return [r for r in opentok.requests() if r["path"] == "/session/create"]


def test_a_crowd_of_first_visitors_gets_one_session(server, opentok):
    opentok.fault(path="/session/create", delay=0.5)
    answers = visit([server], "keynote", 40)
    assert {status for status, _ in answers} == {200}
    assert len({session for _, session in answers}) == 1
    # One call for each of the server's two processes, however many visitors there are.
    assert len(created(opentok)) <= 2


def test_lists_that_overlap_are_recorded_at_the_same_time(transactional_db):
    told = [
        {"id": str(uuid.UUID(int=number)), "sessionId": "1_x", "status": "started", "updatedAt": 0}
        for number in range(50)
    ]

    def record(turn):
        news = [remote | {"updatedAt": turn} for remote in told]
        Archive.objects.record(news if turn % 2 else news[::-1])
        connection.close()

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(record, range(1, 41)))
    assert {a.updated_at.microsecond for a in Archive.objects.all()} == {40_000}


def test_news_of_a_recording_whose_room_is_being_deleted_is_written_down(transactional_db):
    room = Room.objects.create(name="standup", session_id="1_x")
    told = {"id": str(uuid.uuid4()), "sessionId": "1_x", "status": "started"}
    Archive.objects.record([told])

    def record():
        Archive.objects.record([told | {"status": "stopped"}])
        connection.close()

    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            room.delete()
            recorded = another.submit(record)
            while connection.vendor == "postgresql" and not somebody_waits_for_a_lock():
                assert not recorded.done()
        recorded.result()
    archive = Archive.objects.get()
    assert (archive.status, archive.room) == ("stopped", None)


def test_a_list_that_waits_for_a_departure_leaves_it_as_it_was_told(transactional_db):
    start = timezone.now()
    came = {"connection": {"id": "a", "createdAt": round(start.timestamp() * 1000)}}
    told = {"sessionId": "1_x", "timestamp": round(start.timestamp() * 1000) + 5_000, **came}
    news.apply_callback(told | {"event": "connectionCreated"}, name_of=str)
    left = told | {"event": "connectionDestroyed", "reason": "clientDisconnected"}

    list_while_told(left, listed=[], asked_at=start + timedelta(minutes=1))
    assert Connection.objects.get().reason == "clientDisconnected"
    assert Meeting.objects.get().ended_at == Connection.objects.get().left_at


def test_a_list_that_waits_for_a_departure_begins_no_meeting_of_nobody(transactional_db):
    start = timezone.now()
    client = {"id": "a", "createdAt": round(start.timestamp() * 1000)}
    told = {"sessionId": "1_x", "timestamp": client["createdAt"] + 5_000, "connection": client}
    news.apply_callback(told | {"event": "connectionCreated"}, name_of=str)
    news.reconcile("1_x", [], asked_at=start + timedelta(minutes=1), name_of=str)
    left = told | {"event": "connectionDestroyed", "reason": "clientDisconnected"}
    listed = [{"connectionId": "a", "createdAt": client["createdAt"]}]

    list_while_told(left, listed=listed, asked_at=start + timedelta(minutes=2))
    assert Connection.objects.get().reason == "clientDisconnected"
    assert Meeting.objects.get().ended_at is not None


def list_while_told(told, *, listed, asked_at):
    """A list comes while the callback before it is being written down, and waits for it."""

    def look():
        news.reconcile("1_x", listed, asked_at=asked_at, name_of=str)
        connection.close()

    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            news.apply_callback(told, name_of=str)
            looked = another.submit(look)
            while connection.vendor == "postgresql" and not somebody_waits_for_a_lock():
                assert not looked.done()
        looked.result()


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def test_a_reader_does_not_hold_up_a_writer(transactional_db):
    Room.objects.bulk_create(Room(name=str(n), session_id=f"1_{n}") for n in range(500))

    def write():
        Room.objects.create(name="new", session_id="1_new")
        connection.close()

    with connection.cursor() as reader, ThreadPoolExecutor(1) as another:
        reader.execute("SELECT name FROM rooms_room")
        reader.fetchone()
        another.submit(write).result()
        assert len(reader.fetchall()) == 499


def test_a_crowd_shares_the_error_as_well(server, opentok):
    opentok.fault(path="/session/create", status=500, delay=0.3)
    assert {status for status, _ in visit([server], "keynote", 20)} == {502}
    opentok.control("DELETE", "/faults")
    assert {status for status, _ in visit([server], "keynote", 20)} == {200}


def test_two_servers_on_one_database_agree(server, opentok):
    with Server(OPENTOK_API_URL=opentok.url) as another:
        answers = visit([server, another], "keynote", 20)
    assert len({session for _, session in answers}) == 1


def test_visits_of_a_room_that_is_deleted_again_and_again_all_get_a_session(
    server, opentok, program
):
    with Server(OPENTOK_API_URL=opentok.url) as another:
        servers = [server, another]

        def one(number):
            here = servers[number % 2]
            if number % 4 > 1:
                return "visit", here.get("/room/busy").status_code
            path = "/api/v1/rooms/busy"
            return "deletion", here.request("DELETE", path, headers=program.headers).status_code

        with ThreadPoolExecutor(12) as crowd:
            answers = Counter(crowd.map(one, range(800)))
    assert answers["visit", 200] == 400, answers
    assert answers["deletion", 204] > 20, answers
    assert answers["deletion", 204] + answers["deletion", 404] == 400, answers


def test_a_room_keeps_its_session_when_the_server_is_killed(server, opentok):
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as first:
        session = first.get("/room/standup").json()["sessionId"]
        first.stop(signal.SIGKILL)
        first.start()
        assert first.get("/room/standup").json()["sessionId"] == session


def test_requests_in_flight_are_answered_when_the_server_is_told_to_stop(server, opentok):
    with Server(OPENTOK_API_URL=opentok.url) as leaving, ThreadPoolExecutor(6) as crowd:
        opentok.fault(path="/session/create", delay=1)
        answers = [crowd.submit(leaving.get, f"/room/{number}") for number in range(6)]
        assert len(opentok.requests(at_least=6)) == 6
        leaving.stop()
        assert [answer.result().status_code for answer in answers] == [200] * 6


def test_a_crowd_that_finds_a_session_of_another_project_gets_one_new_session(server, opentok):
    foreign = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"
    Room.objects.create(name="keynote", session_id=foreign)
    opentok.fault(path="/session/create", delay=0.5)
    sessions = {session for _, session in visit([server], "keynote", 20)}
    assert len(sessions) == 1
    assert foreign not in sessions
    assert len(created(opentok)) <= 2

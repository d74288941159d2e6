"""Outgoing webhooks: what is told, in which order, signed how, and what becomes of failures."""

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from access.models import ApiKey
from archives.models import Archive
from audit.models import Entry
from emulator.tls import own_certificate
from live import managers, operations
from live.models import Activity
from meetings.news import reconcile
from ops.doctor import running
from ops.jobs import run_jobs
from ops.worker import tidy
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import ROOT, Server
from tests.test_admin_actions import staff
from tests.test_jobs import worker
from tests.test_meetings import at, came, left, milliseconds, tell
from tests.test_metrics import samples
from tests.webhook_receiver import Receiver
from web.errors import Problem
from webhooks import deliveries, delivery, events, sending
from webhooks.addresses import place_of, resolve
from webhooks.deliveries import Delivery
from webhooks.delivery import deliver_due
from webhooks.endpoints import Endpoint, forget_endpoints

ENDPOINTS, DELIVERIES = "/admin/webhooks/endpoint/", "/admin/webhooks/delivery/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _inside(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    forget_endpoints()
    yield
    forget_endpoints()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def endpoint(receiver):
    return made(receiver)


def made(receiver, *, patterns=("*",), **fields):
    endpoint = Endpoint(url=receiver.url, events=list(patterns), **fields)
    receiver.secret = endpoint.new_secret()
    endpoint.save()
    return endpoint


def record(count=1, room="a", event="room.changed"):
    for number in range(count):
        events.record(event, room=room, number=number)


def age(**span):
    """As if that much time had passed since the last attempt."""
    past = timezone.now() - timedelta(**span)
    Delivery.objects.exclude(first_tried_at=None).update(first_tried_at=past)
    Delivery.objects.exclude(next_try_at=None).update(next_try_at=timezone.now())
    Endpoint.objects.exclude(failing_since=None).update(failing_since=past, resting_until=None)


# What is told


def test_an_event_is_signed_so_that_the_library_of_the_standard_verifies_it(endpoint, receiver):
    record(room="Zürich <1>")
    deliver_due()
    (told,) = receiver.told  # which were verified
    assert (told["type"], told["data"]) == ("room.changed", {"room": "Zürich <1>", "number": 0})
    assert told["id"].startswith(f"{Delivery.objects.get().pk}-")
    assert Delivery.objects.get().state == "delivered"


def test_an_id_is_that_of_all_attempts_and_of_no_event_after_a_restore(endpoint, receiver):
    record()
    receiver.answer = 500
    deliver_due()
    age(minutes=1)
    deliver_due()
    first = Delivery.objects.get()
    first.delete()
    Delivery.objects.create(pk=first.pk, endpoint=endpoint, event="ping", payload="{}")
    Endpoint.objects.update(resting_until=None)
    deliver_due()
    failed, again, restored = (told["id"] for told in receiver.told)
    assert failed == again != restored


def test_rooms_tell_what_becomes_of_them(endpoint, receiver, opentok):
    room = Room.objects.open("standup")
    with transaction.atomic():
        Room.objects.lock("standup").change_policy(closed=True)
        Room.objects.lock("standup").change_policy(closed=False)
        Room.objects.lock("standup").change_policy(token_role="subscriber", access_code="1234")
        Room.objects.remove([room])
    deliver_due()
    assert receiver.types() == [
        "room.created", "room.closed", "room.opened", "room.changed", "room.deleted",
    ]  # fmt: skip
    assert receiver.told[3]["data"] == {
        "room": "standup", "tokenRole": "subscriber", "hasAccessCode": True,
    }  # fmt: skip


def test_a_room_is_told_in_the_words_of_the_api(endpoint, receiver, program):
    week = {"timeZone": "Europe/Berlin", "week": {"mon": ["08:00-10:00"]}, "dates": {}}
    program.post("rooms", name="exam", weeklyHours=week, maxParticipants=3, accessCode="18151210")
    program.call("PATCH", "rooms/exam", json={"weeklyHours": None, "tokenRole": "publisher"})
    room = program.call("PATCH", "rooms/exam", json={"tokenRole": None}).json()
    deliver_due()
    made, changed, reset = (each["data"] for each in receiver.told)
    assert made == {
        "room": "exam", "e2ee": False, "weeklyHours": week, "maxParticipants": 3,
        "hasAccessCode": True,
    }  # fmt: skip
    assert made.keys() - {"room"} <= room.keys()
    assert changed == {"room": "exam", "weeklyHours": None, "tokenRole": "publisher"}
    assert reset == {"room": "exam", "tokenRole": None}


def test_meetings_and_people_are_told(endpoint, receiver):
    tell(
        came("a", 0, '{"name": "Anna"}'), came("r", 1, "render"), left("r", 1, 5), left("a", 0, 60)
    )
    deliver_due()
    assert receiver.types() == [
        "meeting.started", "participant.joined", "participant.left", "meeting.ended",
    ]  # fmt: skip
    joined, gone, ended = (told["data"] for told in receiver.told[1:])
    assert (joined["room"], joined["name"]) == ("standup", "Anna")
    assert gone["reason"] == "clientDisconnected"
    assert ended["people"] == 1


def test_a_page_that_a_list_told_of_as_a_person_has_left(endpoint, receiver):
    tell(came("a", 0))
    listed = [{"connectionId": name, "createdAt": milliseconds(0)} for name in ("a", "r")]
    reconcile("1_a", listed, asked_at=at(2), name_of=lambda _: "standup")
    tell(came("r", 0, "render"), left("r", 0, 30))
    deliver_due()
    told = [(each["type"], each["data"].get("connection")) for each in receiver.told[1:]]
    assert told == [("participant.joined", name) for name in "ar"] + [("participant.left", "r")]


def test_recordings_broadcasts_and_captions_are_told(endpoint, receiver, opentok):
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    archive = Archive.objects.start(room.session_id)
    Archive.objects.stop(archive["id"])
    opentok.advance(60)
    Archive.objects.fetch(archive["id"])
    Archive.objects.fetch(archive["id"])
    Archive.objects.remove(archive["id"])
    broadcast = Activity.objects.start_broadcast(room.session_id, outputs={"hls": {}})
    Activity.objects.stop(broadcast)
    deliver_due()
    assert receiver.types()[1:] == [
        "recording.started", "recording.stopped", "recording.available", "recording.deleted",
        "broadcast.started", "broadcast.stopped",
    ]  # fmt: skip
    assert receiver.told[3]["data"]["recording"]["id"] == archive["id"]
    assert "http" not in str(receiver.told)


@pytest.mark.parametrize("told", [["started"], ["started", "stopped"]], ids=" and ".join)
def test_a_broadcast_whose_callbacks_beat_the_answers_is_told_once_and_in_order(
    endpoint, receiver, opentok, monkeypatch, told
):
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    start, stop = managers.broadcasts.start_broadcast, operations.STOP["broadcast"]

    def callbacks_first(remote, statuses):
        for status in statuses:
            Activity.objects.apply_callback("broadcast", remote | {"status": status})
        return remote

    monkeypatch.setattr(
        managers.broadcasts,
        "start_broadcast",
        lambda *a, **k: callbacks_first(start(*a, **k), told),
    )
    monkeypatch.setitem(
        operations.STOP, "broadcast", lambda each: callbacks_first(stop(each), ["stopped"])
    )
    broadcast = Activity.objects.start_broadcast(room.session_id, outputs={"hls": {}})
    Activity.objects.stop(broadcast)
    deliver_due()
    assert receiver.types()[1:] == ["broadcast.started", "broadcast.stopped"]
    assert Activity.objects.get().status == "stopped"


def test_an_end_that_many_tell_of_at_the_same_moment_is_told_once(endpoint, broadcast):
    seen = [Activity.objects.get() for _ in range(4)]

    def tell_of(row):
        Activity.objects._save(row, {"status": "stopped"}, ends=True)
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(tell_of, seen))
    assert [row.status for row in seen] == ["stopped"] * 4
    assert Delivery.objects.filter(event="broadcast.stopped").count() == 1


def test_an_old_answer_does_not_bring_back_a_broadcast_that_has_ended(endpoint, broadcast):
    seen = Activity.objects.get()
    Activity.objects.stop(broadcast)
    Activity.objects._save(seen, {"status": "started", "reason": "later", "name": "new"})
    assert (Activity.objects.get().status, seen.status) == ("stopped", "stopped")


def test_an_end_that_is_found_out_by_a_look_is_told(endpoint, broadcast, opentok):
    opentok.advance(14_401)
    Activity.objects.fetch(Activity.objects.get())
    assert Delivery.objects.filter(event="broadcast.stopped").count() == 1


def test_captions_that_others_take_the_place_of_are_told_to_have_stopped(endpoint, opentok):
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    Activity.objects.start_captions(room.session_id)
    opentok.advance(14_401)
    Activity.objects.start_captions(room.session_id)
    told = Delivery.objects.filter(event__startswith="captions.").order_by("pk")
    assert [row.event for row in told] == [
        "captions.started",
        "captions.stopped",
        "captions.started",
    ]


@pytest.mark.parametrize("status", ["started", "stopped"])
def test_a_broadcast_is_not_stored_without_its_event(endpoint, broadcast, monkeypatch, status):
    """Or nobody would be told: what was stored is no news when OpenTok tells it once more."""
    remote = {"id": str(broadcast.pk), "sessionId": broadcast.session_id, "status": status}
    if status == "started":
        Activity.objects.all().delete()
    before = list(Activity.objects.values_list("status"))
    with monkeypatch.context() as patches:
        patches.setattr(events, "insert", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Activity.objects.apply_callback("broadcast", remote)
    assert list(Activity.objects.values_list("status")) == before
    Activity.objects.apply_callback("broadcast", remote)
    assert Delivery.objects.order_by("pk").last().event == f"broadcast.{status}"


@pytest.fixture
def broadcast(opentok):
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    return Activity.objects.start_broadcast(room.session_id, outputs={"hls": {}})


def test_an_endpoint_gets_the_events_and_rooms_that_it_asked_for(receiver):
    made(receiver, patterns=["room.*", "meeting.ended"], room_prefix="class ")
    for event in "room.created", "meeting.started", "meeting.ended":
        for room in "class 1", "lab":
            record(event=event, room=room)
    deliver_due()
    assert sorted((told["type"], told["data"]["room"]) for told in receiver.told) == [
        ("meeting.ended", "class 1"), ("room.created", "class 1"),
    ]  # fmt: skip


def test_what_is_rolled_back_is_not_told(endpoint, receiver):
    with transaction.atomic():
        record()
        transaction.set_rollback(True)
    deliver_due()
    assert receiver.told == []


def test_without_an_endpoint_nothing_is_stored_or_asked(django_assert_num_queries):
    record()
    with django_assert_num_queries(0):
        record(9)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("made_meanwhile", [True, False])
def test_no_event_of_a_change_stands_outside_its_transaction(receiver, made_meanwhile):
    """Which endpoints there are, a process reads anew each second: also amid a change."""
    if not made_meanwhile:
        made(receiver)
    with suppress(LookupError), events.together():
        if made_meanwhile:
            made(receiver)
        record()
        raise LookupError
    assert not Delivery.objects.exists()
    record()
    assert Delivery.objects.count() == 1


# In order, and at least once


def test_each_room_is_told_in_order_and_a_failure_holds_up_its_own_room_alone(endpoint, receiver):
    for number in range(5):
        events.record("room.changed", room="a", number=number)
        events.record("room.changed", room="b", number=number)
    receiver.answer = lambda told: 500 if told["data"] == {"room": "a", "number": 2} else 200
    deliver_due()
    deliver_due()
    assert numbers(receiver, "b") == [0, 1, 2, 3, 4]
    assert numbers(receiver, "a") == [0, 1, 2]
    waiting = Delivery.objects.get(status=500)
    assert timezone.now() < waiting.next_try_at < timezone.now() + timedelta(seconds=6)
    receiver.answer = 200
    age(minutes=1)
    deliver_due()
    assert numbers(receiver, "a") == [0, 1, 2, 2, 3, 4]


def numbers(receiver, room):
    return [told["data"]["number"] for told in receiver.told if told["data"]["room"] == room]


def test_many_workers_send_each_event_once(endpoint, receiver):
    for number in range(60):
        record(room=f"room {number % 7}")

    def work(_):
        deliver_due()
        connection.close()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    assert len({told["id"] for told in receiver.told}) == len(receiver.told) == 60


def test_backlogs_of_some_rooms_do_not_hide_other_rooms(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(delivery, "MOST", 40)
    for room in "busy", "as busy":
        record(50, room=room)
    record(room="quiet")
    rooms = {those[0].room_name: [each.pk for each in those] for those in delivery._due(endpoint)}
    assert {name: len(pks) for name, pks in rooms.items()} == {
        "busy": 20,
        "as busy": 19,
        "quiet": 1,
    }
    waiting = Delivery.objects.waiting().order_by("pk")
    for name, pks in rooms.items():
        assert pks == list(waiting.filter(room_name=name).values_list("pk", flat=True)[: len(pks)])


def test_rooms_with_backlogs_leave_a_slow_receiver_to_other_rooms(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(delivery, "ROOM_SECONDS", 0.1)
    for number in range(delivery.AT_ONCE):
        record(10, room=f"busy {number}")
    record(room="quiet")
    receiver.answer = lambda told: time.sleep(0.2) or 204
    delivery._send(endpoint, until=time.monotonic() + 30)
    rooms = [told["data"]["room"] for told in receiver.told]
    assert (len(rooms), rooms[-1]) == (delivery.AT_ONCE + 1, "quiet")


def test_an_older_event_that_is_sent_again_does_not_wait_for_a_newer_one(endpoint, receiver):
    record(4)
    older, resting, *_ = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=resting.pk).update(next_try_at=timezone.now() + timedelta(hours=1))
    assert [[each.pk for each in those] for those in delivery._due(endpoint)] == [[older.pk]]


def test_nothing_is_lost_when_workers_are_killed(endpoint, receiver):
    for number in range(30):
        for room in "a", "b", "c":
            events.record("room.changed", room=room, number=number)
    seen = threading.Event()
    receiver.answer = lambda told: seen.set() or 200
    for _ in range(3):
        seen.clear()
        process = worker(WEBHOOK_ALLOW_PRIVATE="on")
        assert seen.wait(30)
        process.send_signal(signal.SIGKILL)
        process.wait()
        Endpoint.objects.update(taken_until=timezone.now())
    deliver_due()
    for room in "a", "b", "c":
        told = numbers(receiver, room)
        assert sorted(set(told)) == list(range(30))
        # In order, but for what was sent once more.
        firsts = [number for place, number in enumerate(told) if number not in told[:place]]
        assert firsts == list(range(30))


# Failures


def test_after_a_day_an_event_is_given_up_and_the_next_one_is_sent(endpoint, receiver):
    record(2)
    receiver.answer = lambda told: 422 if told["data"]["number"] == 0 else 200
    deliver_due()
    age(hours=25)
    Endpoint.objects.update(failing_since=None)
    deliver_due()
    Endpoint.objects.update(resting_until=None)
    deliver_due()
    assert [(row.state, row.attempts) for row in Delivery.objects.order_by("pk")] == [
        ("failed", 2), ("delivered", 1),
    ]  # fmt: skip


def test_of_a_room_that_is_never_taken_old_events_are_given_up_one_after_the_other(
    endpoint, receiver
):
    record(4)
    young = Delivery.objects.order_by("pk").last()
    days_ago = timezone.now() - timedelta(days=3)
    Delivery.objects.exclude(pk=young.pk).update(created_at=days_ago)
    receiver.answer = 500
    deliver_due()
    age(hours=25)
    for _ in range(5):
        Endpoint.objects.update(failing_since=None, resting_until=None)
        deliver_due()
    assert [(row.state, row.attempts) for row in Delivery.objects.order_by("pk")] == [
        ("failed", 2), ("failed", 1), ("failed", 1), ("waiting", 1),
    ]  # fmt: skip
    assert numbers(receiver, "a") == [0, 0, 1, 2, 3]


def test_after_a_success_the_events_of_a_room_have_their_day_again(endpoint, receiver):
    record(3)
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=3))
    receiver.answer = lambda told: 200 if told["data"]["number"] == 1 else 500
    deliver_due()
    age(hours=25)
    for _ in range(3):
        Endpoint.objects.update(failing_since=None, resting_until=None)
        deliver_due()
    states = list(Delivery.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["failed", "delivered", "waiting"]


def test_an_error_about_one_endpoint_leaves_the_others(receiver, monkeypatch):
    broken, fine = made(receiver), made(receiver)
    judge = delivery._judge

    def fail(endpoint, outcomes):
        if endpoint.pk == broken.pk:
            raise OperationalError("canceling statement due to lock timeout")
        judge(endpoint, outcomes)

    monkeypatch.setattr(delivery, "_judge", fail)
    receiver.secret = ""
    record()
    deliver_due()
    assert len(receiver.told) == 2
    assert Delivery.objects.get(endpoint=fine).state == "delivered"


def test_the_endpoint_that_was_served_longest_ago_is_next(receiver, monkeypatch):
    for _ in range(3):
        made(receiver)
    first, second, third = Endpoint.objects.order_by("pk")
    for minutes, endpoint in ((1, first), (2, third)):
        moment = timezone.now() - timedelta(minutes=minutes)
        Endpoint.objects.filter(pk=endpoint.pk).update(taken_until=moment)
    turns = []
    monkeypatch.setattr(
        delivery, "_deliver", lambda pk, _, until: turns.append((pk, until - time.monotonic()))
    )
    record()
    deliver_due()
    assert [pk for pk, _ in turns] == [second.pk, third.pk, first.pk]
    Delivery.objects.exclude(endpoint=first).delete()
    deliver_due()
    # Alone, it has a longer turn.
    assert turns[-1][1] > 4 * turns[0][1]


def test_pauses_grow_up_to_an_hour(endpoint, receiver):
    record()
    receiver.answer = 500
    pauses = []
    deliver_due()
    for span in ({"minutes": 1}, {"minutes": 30}, {"hours": 20}):
        age(**span)
        deliver_due()
        pauses.append(round((Delivery.objects.get().next_try_at - timezone.now()).total_seconds()))
    assert pauses == [60, 1800, 3600]


def not_tried_for(*, failing, then):
    """As if all attempts had failed for so many hours, and the server had been off for some then."""
    since, due = (timezone.now() - timedelta(hours=hours) for hours in (failing + then, then))
    Endpoint.objects.update(failing_since=since, resting_until=due)
    Delivery.objects.update(first_tried_at=since, next_try_at=due)


@pytest.mark.parametrize(
    ("failing", "then", "is_over"), [(0, 25, False), (20, 3, False), (20, 30, False), (24, 3, True)]
)
def test_time_without_attempts_is_no_time_of_failures(endpoint, receiver, failing, then, is_over):
    record()
    receiver.answer = 500
    deliver_due()
    not_tried_for(failing=failing, then=then)
    deliver_due()
    endpoint.refresh_from_db()
    assert Delivery.objects.get().state == ("failed" if is_over else "waiting")
    assert endpoint.is_active != is_over


@pytest.mark.parametrize("what", ["an event", "a ping", "an event again"])
def test_failures_of_days_ago_switch_off_no_webhook(endpoint, receiver, what):
    record()
    receiver.answer = 500
    deliver_due()
    not_tried_for(failing=20, then=100)
    Delivery.objects.update(state="failed")
    if what == "an event":
        record()
    elif what == "a ping":
        Delivery.objects.ping(endpoint)
    else:
        Delivery.objects.send_again(Delivery.objects.all())
    deliver_due()
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert endpoint.failing_since > timezone.now() - timedelta(minutes=1)


def test_an_endpoint_that_nobody_answers_at_rests(receiver, endpoint):
    endpoint.url = "http://127.0.0.1:9/"
    endpoint.save()
    record(room="a")
    record(room="b")
    deliver_due()
    attempts = sum(Delivery.objects.values_list("attempts", flat=True))
    deliver_due()
    assert sum(Delivery.objects.values_list("attempts", flat=True)) == attempts
    assert Delivery.objects.exclude(attempts=0).first().answer == "Nothing listens there."
    endpoint.refresh_from_db()
    assert endpoint.resting_until > timezone.now()


@pytest.mark.parametrize("how", ["a day of failures", "gone"])
def test_an_endpoint_is_switched_off_and_its_owner_told(endpoint, receiver, settings, how):
    settings.EMAIL_HOST = "mail.example.com"
    endpoint.owner = User.objects.create_user("ada", "ada@example.com")
    endpoint.save()
    record(2)
    receiver.answer = 410 if how == "gone" else 500
    deliver_due()
    if how != "gone":
        assert Endpoint.objects.get().is_active
        age(hours=24)
        deliver_due()
    assert not Endpoint.objects.get().is_active
    run_jobs()
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.com"]
    assert endpoint.url in sent.body
    # What waits is sent once it is active again.
    assert Delivery.objects.waiting().exists()


def test_that_the_server_switched_it_off_is_told_until_somebody_makes_it_active(
    endpoint, receiver, admin_client, server
):
    def told():
        (found,) = running.webhooks()
        return (samples(server)["rooms_webhooks_switched_off",], found.level)

    endpoint.change(is_active=False)
    assert told() == (0, "ok")
    endpoint.change(is_active=True)
    record()
    receiver.answer = 410
    deliver_due()
    assert told() == (1, "warning")
    moment = Endpoint.objects.get().switched_off_at
    listed = admin_client.get(ENDPOINTS).content.decode()
    assert "Switched off" in listed
    Endpoint.objects.get().change(events=["room.*"])
    assert Endpoint.objects.get().switched_off_at == moment
    Endpoint.objects.get().change(is_active=True)
    assert told() == (0, "ok")
    assert Endpoint.objects.get().switched_off_at is None


def test_events_that_wait_or_were_given_up_are_in_the_metrics(endpoint, receiver, server):
    record(2, room="a")
    record(room="b")
    hour_ago = timezone.now() - timedelta(hours=1)
    Delivery.objects.update(created_at=hour_ago)
    assert 3600 <= samples(server)["rooms_oldest_webhook_seconds",] < 3700
    receiver.answer = 500
    deliver_due()
    Endpoint.objects.update(resting_until=None)
    # Those that wait for the first one of their room could not be sent.
    assert samples(server)["rooms_oldest_webhook_seconds",] == 0
    Delivery.objects.filter(room_name="b").update(state="failed")
    found = samples(server)
    assert found["rooms_webhook_events_given_up",] == 1
    assert found["rooms_webhooks_waiting",] == 2


@pytest.mark.parametrize("off_for", [timedelta(hours=20), timedelta(days=2)], ids=str)
def test_a_webhook_that_is_active_again_is_tried_at_once_and_for_a_day(endpoint, receiver, off_for):
    record()
    receiver.answer = 500
    deliver_due()
    endpoint.change(is_active=False)
    Delivery.objects.update(
        first_tried_at=timezone.now() - off_for, next_try_at=timezone.now() + timedelta(hours=1)
    )
    endpoint.change(is_active=True)
    deliver_due()
    row = Delivery.objects.get()
    assert (row.attempts, row.state) == (2, "waiting")
    assert row.next_try_at < timezone.now() + timedelta(seconds=6)


@pytest.mark.parametrize(
    "what", ["switched off", "key revoked", "at rest", "deleted", "other URL", "new secret"]
)
def test_a_webhook_is_sent_to_as_it_is_when_its_turn_comes(endpoint, receiver, monkeypatch, what):
    """And not as it was when the pass over all webhooks began."""
    record()
    take = delivery._take

    def change_and_take(pk):
        rows = Endpoint.objects.filter(pk=pk)
        match what:
            case "switched off":
                rows.update(is_active=False)
            case "key revoked":
                key = ApiKey(name="program")
                key.issue()
                key.revoke()
                rows.update(api_key=key)
            case "at rest":
                rows.update(resting_until=timezone.now() + timedelta(minutes=1))
            case "deleted":
                rows.get().remove()
            case "other URL":
                rows.update(url=receiver.url.replace("a=1", "a=2"))
            case "new secret":
                receiver.secret = rows.get().renew_secret()
        return take(pk)

    monkeypatch.setattr(delivery, "_take", change_and_take)
    deliver_due()
    assert receiver.paths == {"other URL": ["/hook?a=2"], "new secret": ["/hook?a=1"]}.get(what, [])
    assert not Endpoint.objects.filter(taken_until__gt=timezone.now()).exists()


def test_a_webhook_that_is_switched_off_gets_no_more(endpoint, receiver, monkeypatch):
    monkeypatch.setattr(delivery, "MOST_OF_ROOM", 1)
    record(3)

    def answer(_):
        Endpoint.objects.update(is_active=False)
        connection.close()
        return 204

    receiver.answer = answer
    deliver_due()
    assert len(receiver.told) == 1


@pytest.mark.parametrize("what", ["another success", "other URL"])
def test_failures_of_before_switch_off_no_webhook_that_works_by_now(endpoint, receiver, what):
    day_ago = timezone.now() - timedelta(hours=24)
    Endpoint.objects.update(failing_since=day_ago)
    record()

    def answer(_):
        if what == "another success":
            Endpoint.objects.update(failing_since=None)
        else:
            Endpoint.objects.get().change(url="https://example.com/")
        connection.close()
        return 500 if what == "another success" else 410

    receiver.answer = answer
    deliver_due()
    row = Endpoint.objects.get()
    assert row.is_active
    assert (row.failing_since is None) == (what == "other URL")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://nowhere.invalid/", "Its name leads nowhere."),
        ("https://{place}/", "Its certificate is invalid."),
    ],
)
def test_why_there_was_no_answer_is_told_in_words(endpoint, receiver, url, words):
    endpoint.url = url.format(place=receiver.url.split("/")[2])
    endpoint.save()
    record()
    deliver_due()
    assert Delivery.objects.get().answer == words


@pytest.mark.parametrize("where", ["look-up", "connection", "handshake", "answer", "several"])
def test_an_attempt_ends_in_time_wherever_it_hangs(endpoint, monkeypatch, where):
    """Or it would outlast the turn of its worker, and another one would send the same event."""
    monkeypatch.setattr(sending, "SECONDS", 1)
    look_up = sending.resolve

    def slow(place):
        time.sleep({"look-up": 3, "several": 0.9}.get(where, 0))
        return look_up(place)

    monkeypatch.setattr(sending, "resolve", slow)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as fills:
        if where == "answer":
            threading.Thread(target=trickle, args=[server], daemon=True).start()
        if where == "connection":  # nobody accepts, and the queue is full
            for _ in range(4):
                waiting = fills.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(server.getsockname())
        scheme = "http" if where == "answer" else "https"
        endpoint.url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/"
        record()
        began = time.monotonic()
        outcome = sending.send(endpoint, Delivery.objects.get())
        took = time.monotonic() - began
    assert (outcome.status, outcome.answer) == (None, "No answer in time.")
    assert 0.9 < took < 1.8


def trickle(server):
    """Answer one byte at a time."""
    connection, _ = server.accept()
    with connection, suppress(OSError):
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)


def test_events_are_sent_by_tls_to_those_whose_certificate_is_trusted(
    endpoint, receiver, settings, tmp_path, monkeypatch
):
    certificate = tmp_path / "certificate.pem"
    tls = own_certificate(certificate)
    settings.REQUESTS_CA_BUNDLE = str(certificate)
    receiver.socket = tls.wrap_socket(receiver.socket, server_side=True)
    port = receiver.server_address[1]
    monkeypatch.setattr(sending, "resolve", lambda _: "127.0.0.1")
    answers = []
    for host in "localhost", "other.example":
        endpoint.url = f"https://{host}:{port}/"
        record()
        answers.append(sending.send(endpoint, Delivery.objects.last())[:2])
    assert answers == [(204, ""), (None, "Its certificate is invalid.")]


def test_a_redirect_is_not_followed(endpoint, receiver):
    record()
    receiver.answer, receiver.headers = 302, {"Location": receiver.url}
    deliver_due()
    assert len(receiver.told) == 1
    assert Delivery.objects.get().status == 302


def test_of_a_long_answer_the_beginning_is_kept_without_secrets(endpoint, receiver, settings):
    record()
    receiver.answer, receiver.says = 500, f"{settings.SECRET_KEY} ".encode() + b"x" * 100_000
    deliver_due()
    kept = Delivery.objects.get().answer
    assert settings.SECRET_KEY not in kept
    assert len(kept) <= 500


def test_an_answer_with_odd_bytes_and_a_name_of_half_an_emoji_stop_nothing(endpoint, receiver):
    receiver.says = b"ok\0\xff"
    events.record("participant.joined", room="a", name="\ud83d")
    deliver_due()
    assert Delivery.objects.get().state == "delivered"
    assert receiver.told[0]["data"]["name"] == "\ud83d"


@pytest.mark.parametrize("words", [b"\x15\x03\x01\0\x02\x02F", b"\0" * 9 + b"\n"])
def test_what_answers_in_another_protocol_is_tried_like_others_that_fail(endpoint, words):
    """Such as a port for TLS alone, at which a URL with http:// leads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=say, args=[server, words], daemon=True).start()
        Endpoint.objects.update(url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        record()
        deliver_due()
    told = Delivery.objects.get()
    assert (told.attempts, told.state, told.status) == (1, "waiting", None)
    assert told.answer.startswith("BadStatusLine:")
    assert Endpoint.objects.get().resting_until is not None


def say(server, words):
    connection, _ = server.accept()
    with connection:
        connection.recv(10_000)
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        # To close with a part of the request unread would reset the connection.
        while connection.recv(10_000):
            pass


def test_the_webhooks_of_a_revoked_key_end(program, receiver):
    program.post("webhooks", url=receiver.url, events=["*"])
    forget_endpoints()
    record()
    program.key.revoke()
    forget_endpoints()
    record()
    deliver_due()
    assert receiver.told == []
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("key", "lasts"),
    [
        ({}, True),
        ({"expires_at": timedelta(hours=1)}, True),
        ({"expires_at": timedelta(hours=-1)}, False),
        ({"capabilities": ["join", "manage"]}, True),
        ({"capabilities": ["join", "list"]}, False),
        ({"capabilities": []}, False),
        ({"room_prefix": "School 1"}, True),
        ({"room_prefix": "School 12"}, False),
        ({"room_prefix": "SCHOOL"}, False),
        ({"room_prefix": "chool"}, False),
    ],
    ids=str,
)
def test_a_webhook_lasts_as_long_as_its_key_could_make_it(receiver, key, lasts):
    if "expires_at" in key:
        key = {"expires_at": timezone.now() + key["expires_at"]}
    api_key = ApiKey(name="program", **({"capabilities": ["manage"]} | key))
    api_key.issue()
    made(receiver, api_key=api_key, room_prefix="School 1")
    record(room="School 1")
    assert Delivery.objects.exists() == lasts
    Delivery.objects.create(endpoint=Endpoint.objects.get(), event="ping", payload="{}")
    deliver_due()
    assert bool(receiver.told) == lasts


def test_where_everybody_may_manage_a_webhook_lasts_without(receiver, settings):
    settings.ANONYMOUS_ACCESS = {"manage"}
    key = ApiKey(name="program", capabilities=["join"])
    key.issue()
    made(receiver, api_key=key)
    record()
    assert Delivery.objects.exists()


# Addresses inside


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://10.0.0.1/", "https://192.168.1.1/x",
        "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/",
        "https://100.64.0.1/", "https://224.0.0.1/", "https://0.0.0.0/", "https://user@example.com/",
        "ftp://example.com/", "https:///x", "https://example.com:99999/", "https://ex ample.com/",
        "https://example.com/\n", "javascript:alert(1)", "https://[::1", "https://[fd00::1]/",
        "https://[fec0::1]/", "https://[::10.0.0.1]/",
    ],
)  # fmt: skip
def test_what_is_no_address_outside_is_refused(settings, url):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    with pytest.raises(Problem) as refused:
        place_of(url)
    assert refused.value.code == "webhook_url_refused"


@pytest.mark.parametrize("url", ["https://localhost/", "https://2130706433/", "https://0x7f.1/"])
def test_a_name_that_leads_inside_is_not_connected_to(settings, url):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    place = place_of(url)
    with pytest.raises(PermissionError):
        resolve(place)


def test_what_a_name_leads_to_is_looked_up_once(settings, endpoint, receiver, monkeypatch):
    """Or a second answer of its name server could lead inside."""
    asked = []
    real = __import__("socket").getaddrinfo

    def answer(host, *rest, **named):
        asked.append(host)
        return real("127.0.0.1" if host == "hooks.example" else host, *rest, **named)

    monkeypatch.setattr("webhooks.addresses.socket.getaddrinfo", answer)
    endpoint.url = receiver.url.replace("127.0.0.1", "hooks.example")
    endpoint.save()
    record()
    deliver_due()
    assert len(receiver.told) == 1
    assert asked.count("hooks.example") == 1


# Programs


def test_a_program_makes_changes_and_deletes_a_webhook(program, receiver):
    made = program.post("webhooks", url=receiver.url, events=["room.*"])
    assert made.status_code == 201
    told, path = made.json(), f"webhooks/{made.json()['id']}"
    assert told["secret"].startswith("whsec_")
    assert (told["active"], told["roomPrefix"]) == (True, "")
    got = program.get(path).json()
    assert got == {name: value for name, value in told.items() if name != "secret"}
    assert program.get("webhooks").json()["items"] == [got]
    changed = program.patch(path, events=["meeting.*"], active=False).json()
    assert (changed["events"], changed["active"], changed["url"]) == (
        ["meeting.*"], False, receiver.url,
    )  # fmt: skip
    renewed = program.post(f"{path}/secret").json()["secret"]
    assert renewed != told["secret"]
    assert Endpoint.objects.get().secret == renewed
    assert program.delete(path).status_code == 204
    assert refusal(program.get(path)) == (404, "webhook_not_found")
    acts = Entry.objects.filter(what__startswith="webhook.").order_by("id")
    assert [entry.what for entry in acts] == [
        "webhook.made", "webhook.changed", "webhook.secret_renewed", "webhook.deleted",
    ]  # fmt: skip
    assert not any(secret in str(list(acts.values())) for secret in (told["secret"], renewed))


def test_a_program_reads_what_became_of_events_and_sends_them_again(program, receiver):
    path = f"webhooks/{program.post('webhooks', url=receiver.url, events=['*']).json()['id']}"
    receiver.answer, receiver.says = 500, b"no room"
    pinged = program.post(f"{path}/ping")
    assert (pinged.status_code, pinged.json()["state"]) == (201, "waiting")
    deliver_due()
    (row,) = program.get(f"{path}/deliveries").json()["items"]
    assert (row["id"], row["event"], row["status"], row["answer"], row["attempts"]) == (
        pinged.json()["id"], "ping", 500, "no room", 1,
    )  # fmt: skip
    Delivery.objects.update(state="failed")
    again = program.post(f"{path}/redeliver", deliveries=[int(row["id"])])
    assert again.json() == {"count": 1, "next": None}
    none = {"count": 0, "next": None}
    assert program.post(f"{path}/redeliver", deliveries=[int(row["id"])]).json() == none
    receiver.answer = 200
    deliver_due()
    assert program.get(f"{path}/deliveries?state=delivered").json()["items"][0]["id"] == row["id"]
    since = (timezone.now() - timedelta(minutes=1)).isoformat()
    assert program.post(f"{path}/redeliver", since=since).json() == {"count": 1, "next": None}
    assert program.post(f"{path}/redeliver", since=since, until=since).json() == none


def test_more_than_is_sent_again_at_once_is_sent_again_in_several_calls(endpoint, monkeypatch):
    monkeypatch.setattr(deliveries, "SENT_AGAIN", 2)
    record(5)
    Delivery.objects.update(state="delivered")
    since, counts = Delivery.objects.earliest("created_at").created_at, []
    while since:
        rows = Delivery.objects.filter(created_at__gte=since)
        sent, since = Delivery.objects.send_again(rows)
        counts.append(sent)
        Delivery.objects.update(state="delivered")  # as quick as the next call
    assert counts == [2, 2, 1]


def test_a_key_for_some_rooms_has_the_webhooks_of_these_alone(server, program, receiver):
    school = Program(server, rooms="School ")
    other = program.post("webhooks", url=receiver.url, events=["*"]).json()["id"]
    shouted = program.post("webhooks", url=receiver.url, events=["*"], roomPrefix="SCHOOL 1")
    refused = (403, "room_not_covered")
    assert refusal(school.post("webhooks", url=receiver.url, events=["*"])) == refused
    own = school.post("webhooks", url=receiver.url, events=["*"], roomPrefix="School 1").json()[
        "id"
    ]
    assert [each["id"] for each in school.get("webhooks").json()["items"]] == [own]
    assert refusal(school.patch(f"webhooks/{own}", roomPrefix="")) == refused
    for foreign in other, shouted.json()["id"]:
        for call, path in ((school.get, ""), (school.post, "/ping"), (school.post, "/secret"),
                           (school.get, "/deliveries"), (school.delete, "")):  # fmt: skip
            answer = call(f"webhooks/{foreign}{path}")
            assert refusal(answer) == (404, "webhook_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": 1, "events": ["*"]}, {"url": "https://example.com/", "events": []},
        {"url": "https://example.com/", "events": "*"},
        {"url": "https://example.com/", "events": ["nothing.*"]},
        {"url": "https://example.com/", "events": ["*"], "secret": "mine"},
        {"url": "https://example.com/", "events": ["*"], "active": "perhaps"},
        {"url": "https://example.com/\0", "events": ["*"]},
        {"url": "https://" + "x" * 3000, "events": ["*"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_webhook_is_refused(program, body):
    answer = program.post("webhooks", **body)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"invalid", "webhook_url_refused"}
    assert not Endpoint.objects.exists()


def test_a_program_may_not_send_inside(opentok):
    with Server(OPENTOK_API_URL=opentok.url) as server:
        answer = Program(server).post("webhooks", url="https://10.0.0.1/", events=["*"])
    assert refusal(answer) == (400, "webhook_url_refused")


# Staff


def test_staff_make_a_webhook_and_see_its_secret_once(admin_client, receiver):
    form = {"url": receiver.url, "events": ["room.*"], "room_prefix": "class a ", "is_active": "on"}
    page = admin_client.post(f"{ENDPOINTS}add/", form).content.decode()
    endpoint = Endpoint.objects.get()
    assert endpoint.secret in page
    assert (endpoint.room_prefix, endpoint.owner.username) == ("class a ", "admin")
    change = f"{ENDPOINTS}{endpoint.pk}/change/"
    assert endpoint.secret not in admin_client.get(change).content.decode()
    old = endpoint.secret
    renewed = admin_client.post(f"{ENDPOINTS}{endpoint.pk}/act/renew_secret/").content.decode()
    endpoint.refresh_from_db()
    assert endpoint.secret != old
    assert endpoint.secret in renewed
    # As the log-in leads there.
    later = admin_client.get(f"{ENDPOINTS}{endpoint.pk}/act/renew_secret/", follow=True)
    assert endpoint.secret not in later.content.decode()
    admin_client.post(change, form | {"events": ["meeting.*"]})
    assert Endpoint.objects.get().events == ["meeting.*"]
    admin_client.post(f"{ENDPOINTS}{endpoint.pk}/delete/", {"post": "yes"})
    assert not Endpoint.objects.exists()


def test_staff_try_it_read_what_became_of_it_and_send_it_again(admin_client, endpoint, receiver):
    admin_client.post(f"{ENDPOINTS}{endpoint.pk}/act/ping/")
    receiver.answer, receiver.says = 503, b"<b>later"
    deliver_due()
    listed = admin_client.get(f"{DELIVERIES}?endpoint__id__exact={endpoint.pk}").content.decode()
    assert "503 &lt;b&gt;later" in listed
    row = Delivery.objects.get()
    assert "webhook" not in admin_client.get(f"{DELIVERIES}{row.pk}/change/").headers
    Delivery.objects.update(state="failed")
    chosen = {"action": "send_again", "_selected_action": [row.pk]}
    told = admin_client.post(DELIVERIES, chosen, follow=True).content.decode()
    assert "1 event is sent again." in told
    change, button = f"{ENDPOINTS}{endpoint.pk}/change/", "act/send_failed_again/"
    assert button not in admin_client.get(change).content.decode()
    Delivery.objects.update(state="failed")
    assert button in admin_client.get(change).content.decode()
    admin_client.post(f"{ENDPOINTS}{endpoint.pk}/act/send_failed_again/")
    assert Delivery.objects.waiting().count() == 1


def test_staff_enter_no_address_inside(admin_client, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    form = {"url": "https://169.254.169.254/", "events": ["*"], "is_active": "on"}
    assert (
        "leads to no address inside" in admin_client.post(f"{ENDPOINTS}add/", form).content.decode()
    )
    assert not Endpoint.objects.exists()


def test_staff_who_work_with_own_rooms_have_no_webhooks(endpoint):
    browser = staff("view_endpoint", "add_endpoint", "view_delivery", "only_own_rooms")
    for path in (ENDPOINTS, f"{ENDPOINTS}add/", f"{ENDPOINTS}{endpoint.pk}/change/", DELIVERIES):
        assert browser.get(path).status_code == 403


def test_staff_who_may_only_look_change_nothing(endpoint):
    browser = staff("view_endpoint", "view_delivery")
    record()
    Delivery.objects.update(state="failed")
    for name in "ping", "renew_secret", "send_failed_again":
        assert browser.post(f"{ENDPOINTS}{endpoint.pk}/act/{name}/").status_code == 403
    chosen = {"action": "send_again", "_selected_action": [Delivery.objects.get().pk]}
    browser.post(DELIVERIES, chosen)
    assert not Delivery.objects.waiting().exists()


# Later


def test_deliveries_are_forgotten_and_those_of_a_deleted_webhook_at_once(endpoint, settings):
    record(3)
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(
        created_at=timezone.now() - timedelta(days=settings.WEBHOOK_DAYS, hours=1)
    )
    tidy()
    assert Delivery.objects.count() == 2
    endpoint.remove()
    run_jobs()
    assert not Delivery.objects.exists()
    record()  # this process has not seen yet that it is gone
    deliver_due()
    assert urls_in_the_audit_log() == []


def test_events_that_wait_for_too_long_are_given_up_before_they_are_forgotten(endpoint, settings):
    record(3)
    old, late, recent = Delivery.objects.order_by("pk")
    for row, hours in ((old, 1), (late, -1), (recent, -25)):
        past = timezone.now() - timedelta(days=settings.WEBHOOK_DAYS, hours=hours)
        Delivery.objects.filter(pk=row.pk).update(created_at=past)
    tidy()
    states = list(Delivery.objects.order_by("pk").values_list("pk", "state"))
    assert states == [(late.pk, "failed"), (recent.pk, "waiting")]


def urls_in_the_audit_log():
    """A URL can have a secret."""
    return [entry.pk for entry in Entry.objects.all() if "/hook" in str(vars(entry))]


def test_secrets_are_encrypted_again_with_a_new_key(endpoint, settings):
    secret = endpoint.secret
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    call_command("encrypt_again")
    settings.SECRET_KEY_FALLBACKS = []
    assert Endpoint.objects.get().secret == secret


def test_the_documentation_has_each_event():
    table = (ROOT / "docs/webhooks.md").read_text().split("| type | data |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in row.split("|")[1].split(",")]
    assert [name.strip(" `") for name in named] == [*events.EVENTS, "ping"]

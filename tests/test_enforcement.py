"""Who has to stay out is thrown out, in whatever order OpenTok tells and whatever fails."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from audit.models import Entry
from live import enforcement
from live.deadlines import meet_deadlines
from live.enforcement import enforce_all
from meetings import news
from meetings.models import Meeting
from rooms.guests import Guest, connection_data
from rooms.managers import RoomManager
from rooms.models import Ban, Room
from tests.test_callbacks import sign
from tests.test_meetings import at, came, left, milliseconds, publishes
from tests.test_presence_machine import OWN
from video.errors import VideoError

pytestmark = pytest.mark.django_db(transaction=True)

SESSION = OWN[0]
ANNA = '{"name": "Anna", "identity": "user-1"}'


@pytest.fixture
def room():
    return Room.objects.create(name="standup", session_id=SESSION)


@pytest.fixture
def banned(room):
    Ban.objects.add(room, "user-1", until_meeting_ends=False)
    return room


@pytest.fixture
def thrown_out(monkeypatch):
    """The connections that OpenTok was told to end."""
    ended = []
    monkeypatch.setattr(enforcement.moderation, "disconnect", lambda _, each: ended.append(each))
    return ended


@pytest.fixture
def tell(client):
    client.raise_request_exception = False

    def tell(*told):
        """Send callbacks. Returns the status of the last answer."""
        for each in told:
            body = json.dumps(each | {"sessionId": SESSION}).encode()
            headers = {"Authorization": f"Bearer {sign(body)}"}
            kind = "application/json"
            answer = client.post("/callbacks", body, content_type=kind, headers=headers)
        return answer.status_code

    return tell


def listed(monkeypatch, *names):
    """OpenTok lists these as connected."""
    there = [{"connectionId": name, "createdAt": milliseconds(0)} for name in names]
    monkeypatch.setattr("rooms.presence.connections.list_connections", lambda _: there)


def test_a_banned_person_whose_stream_is_told_of_first(banned, tell, thrown_out):
    stream = publishes("s1", "a", 0, 1)
    stream["stream"]["connection"]["data"] = ANNA
    tell(stream)
    assert thrown_out == ["a"]


def test_the_last_of_a_full_room_whom_a_list_has_told_of_first(room, tell, thrown_out):
    Room.objects.update(max_participants=1)
    tell(came("a", 0))
    clients = [{"connectionId": each, "createdAt": milliseconds(second)}
               for second, each in enumerate("ab")]  # fmt: skip
    news.reconcile(SESSION, clients, asked_at=at(2), name_of=lambda _: "standup")
    tell(came("b", 1))
    assert thrown_out == ["b"]


def test_a_callback_that_is_sent_again_since_the_first_one_failed(
    banned, tell, thrown_out, monkeypatch
):
    def fail(*_):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(RoomManager, "get_by_session", fail)
        assert tell(came("a", 0, ANNA)) == 503
    assert thrown_out == []
    assert tell(came("a", 0, ANNA)) == 200
    assert thrown_out == ["a"]


def test_the_worker_tries_again_what_opentok_refused(banned, tell, monkeypatch):
    def fail(*_):
        raise VideoError("opentok_unavailable")

    monkeypatch.setattr(enforcement.moderation, "disconnect", fail)
    assert tell(came("a", 0, ANNA)) == 200
    ended = []
    monkeypatch.setattr(enforcement.moderation, "disconnect", lambda _, each: ended.append(each))
    listed(monkeypatch, "a")
    enforce_all()
    assert ended == ["a"]


def test_the_worker_finds_out_who_has_gone_unheard(banned, tell, monkeypatch, thrown_out):
    monkeypatch.setattr(enforcement, "enforce", lambda _: None)
    tell(came("a", 0, ANNA))
    monkeypatch.undo()
    listed(monkeypatch)
    enforce_all()
    assert not Meeting.objects.filter(ended_at=None).exists()


def test_the_worker_finds_full_rooms_without_a_look_at_each(
    room, tell, thrown_out, monkeypatch, django_assert_num_queries
):
    for number in range(3):
        other = Room.objects.create(name=f"r{number}", session_id=f"1_{number}", max_participants=1)
        Meeting.objects.create(session_id=other.session_id, started_at=timezone.now())
    tell(came("r", 0, "render"), came("a", 1), came("b", 2))
    Room.objects.filter(pk=room.pk).update(max_participants=2)
    with django_assert_num_queries(1):
        enforce_all()
    Room.objects.filter(pk=room.pk).update(max_participants=1)
    listed(monkeypatch, "r", "a", "b")
    enforce_all()
    assert thrown_out == ["b"]


def test_a_room_without_bans_is_not_asked_about(room, tell, monkeypatch):
    tell(came("a", 0, ANNA))
    monkeypatch.setattr(enforcement, "look", lambda *_, **__: pytest.fail("OpenTok was asked"))
    enforce_all()


def test_who_comes_into_a_closed_room_with_an_older_token_is_thrown_out(room, tell, thrown_out):
    tell(came("a", 0))
    Room.objects.update(closed=True)
    listed_first = [{"connectionId": each, "createdAt": milliseconds(1)} for each in "ab"]
    news.reconcile(SESSION, listed_first, asked_at=at(2), name_of=lambda _: "standup")
    # Pages, bots and calls come by requests of programs, which may do that in closed rooms.
    tell(came("b", 1), came("r", 3, "render"), came("c", 4, "call"))
    tell(publishes("s", "a", 0, 5))  # who was there before stays
    enforce_all()
    assert thrown_out == ["b"]
    assert Entry.objects.get(what="person.removed").details["why"] == "room_closed"
    Room.objects.update(closed=False)
    tell(came("d", 6))
    assert thrown_out == ["b"]


def test_a_callback_that_is_hours_late_ends_no_meeting(room, tell, thrown_out, monkeypatch):
    Room.objects.update(max_meeting_minutes=60)
    now = timezone.now()
    tell(came("b", (now - at(0)).total_seconds()))
    tell(came("a", (now - at(0) - timedelta(hours=2)).total_seconds()))
    monkeypatch.setattr("live.deadlines.stop_all", lambda *_, **__: pytest.fail("it was ended"))
    meet_deadlines()


def test_a_meeting_past_its_limit_is_written_down_once_opentok_ends_it(room, tell, monkeypatch):
    Room.objects.update(max_meeting_minutes=60)
    tell(came("a", 0))

    def fail(*_, **__):
        raise VideoError("opentok_unavailable")

    monkeypatch.setattr("live.stopping.archives.list_archives", fail)
    monkeypatch.setattr("live.stopping.connections.list_connections", fail)
    for _ in range(3):
        meet_deadlines()
    assert not Entry.objects.filter(what="everything.stopped").exists()


def test_a_guest_who_is_removed_has_to_ask_again_after_callbacks_told_twice(room, tell):
    ticket = Guest.objects.ask(room, "Ben")
    Guest.objects.update(is_admitted=True, has_joined=True)
    data = connection_data(ticket)
    first, second = (str(uuid.UUID(int=number)) for number in (1, 2))
    old, new = came(first, 0, data), came(second, 10, data)
    tell(old, left(first, 0, 5), new, old)
    # OpenTok's own example of this callback has no data.
    tell(left(second, 10, 20, "forceDisconnected"))
    assert not Guest.objects.exists()

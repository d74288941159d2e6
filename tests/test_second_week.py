"""Weeks go by with everything in use: nothing grows for ever, and nothing goes that should stay."""

import json
import time
import uuid
from collections import Counter
from datetime import timedelta

import pytest
import requests
import time_machine
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from access.models import ApiKey
from archives.models import Archive
from live.models import Activity
from meetings.models import Connection, Meeting, Mute
from meetings.mutes import ALL
from ops.retention import KEPT, RULES
from rooms.closed_names import ClosedName
from rooms.conferences import Conference
from rooms.models import Ban, Room
from staff.models import NamePrefix, TimeZone
from staff.second_factors import RecoveryCode, SecondFactor
from tests.test_jobs import write
from tests.test_meetings import START, came, left, publishes, tell
from tests.test_storage import FILE
from tests.webhook_receiver import Receiver
from webhooks.deliveries import Delivery, State
from webhooks.endpoints import Endpoint, forget_endpoints

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600


@task()
def fail():
    raise OSError


@pytest.fixture(autouse=True)
def _kept_for_days(settings, monkeypatch):
    """Each rule deletes within a week, so that the second one has no more than the first."""
    settings.ARCHIVE_DAYS, settings.HISTORY_DAYS = 4, 5
    settings.ATTENDANCE_DAYS = settings.AUDIT_DAYS = settings.WEBHOOK_DAYS = 3
    settings.SESSION_COOKIE_AGE = 3 * 24 * HOUR
    settings.ARCHIVE_STORAGE_DELETE = settings.WEBHOOK_ALLOW_PRIVATE = True
    monkeypatch.setattr("ops.retention.MUTES_KEPT", timedelta(days=3))
    monkeypatch.setattr("ops.retention.FAILED_KEPT_DAYS", 3)


@pytest.fixture
def receiver():
    forget_endpoints()
    with Receiver() as receiver:
        yield receiver
    forget_endpoints()


class Deployment:
    """A server in use. Its clock and OpenTok's are moved on together."""

    def __init__(self, client, opentok, receiver, traveller, paper):
        self.client, self.opentok, self.receiver = client, opentok, receiver
        self.traveller, self.paper = traveller, paper
        self.days, self.began = 0, time.time()

    def wait(self, seconds):
        self.traveller.shift(seconds)
        self.opentok.advance(seconds)

    def set_up(self):
        """What stays until somebody deletes it."""
        self.ada = User.objects.create_superuser("ada", password="lovelace-1815")
        TimeZone.objects.create(user=self.ada, name="Europe/Berlin")
        NamePrefix.objects.create(user=self.ada, prefix="school-")
        factor = SecondFactor.objects.create(user=self.ada, secret="x", last_step=0)
        RecoveryCode.objects.create(factor=factor, hash="x")
        self.key = ApiKey(name="a program", capabilities=["manage"])
        self.key.issue()
        endpoint = Endpoint(url=self.receiver.url, events=["*"])
        self.receiver.secret = endpoint.new_secret()
        endpoint.save()
        for room in ("standup", "short", "lobby", "coded", "open-end", "moved"):
            Room.objects.add(room, e2ee=False)
        Room.objects.filter(name="short").update(recording_days=1)
        Room.objects.filter(name="lobby").update(waiting_room=True)
        with transaction.atomic():
            Room.objects.lock("coded").change_policy(access_code="4711")
        self.session_id = Room.objects.get(name="standup").session_id
        Room.objects.get(name="moved").rotate_session()
        Ban.objects.create(room=Room.objects.get(name="standup"), identity="for-good")
        ClosedName.objects.create(name="closed")
        Conference.objects.create(room=Room.objects.get(name="standup"))
        session_id = Room.objects.get(name="open-end").session_id
        self.stays = self.opentok.connect(session_id)
        tell(came(self.stays, seconds(), session=session_id))

    def call(self, method, path, body=None, **headers):
        headers["Authorization"] = f"Bearer {self.key.text}"
        content = json.dumps(body) if body is not None else ""
        answer = self.client.generic(
            method, path, content, content_type="application/json", headers=headers
        )
        assert answer.status_code < 300, answer.content
        return answer

    def record(self, room):
        """The id of a recording that has come to its end."""
        session_id = Room.objects.get(name=room).session_id
        stream = self.opentok.publish(session_id)
        archive_id = Archive.objects.start(session_id)["id"]
        Archive.objects.stop(archive_id)
        self.wait(60)
        self.opentok.unpublish(session_id, stream)
        Archive.objects.fetch(archive_id)
        return archive_id

    def meet(self):
        """A meeting of two, told of by callbacks; one is muted, and another one banned."""
        second = seconds()
        anna, ben, stream = (str(uuid.uuid4()) for _ in range(3))
        tell(came(anna, second, '{"name": "Anna"}', session=self.session_id),
             came(ben, second + 1, session=self.session_id),
             publishes(stream, anna, second, second + 2) | {"sessionId": self.session_id})  # fmt: skip
        Mute.objects.note(self.session_id, stream)
        Mute.objects.note(self.session_id, ALL)
        Mute.objects.note_end(self.session_id)
        room = Room.objects.get(name="standup")
        Ban.objects.add(room, f"guest-{self.days}", until_meeting_ends=True)
        tell(left(anna, second, second + 60, session=self.session_id),
             left(ben, second + 1, second + 61, session=self.session_id))  # fmt: skip

    def use(self):
        """All that is done in a day, in the morning."""
        self.wait(max(0, self.began + self.days * 24 * HOUR - time.time()))
        self.days += 1
        assert self.client.get("/room/standup").status_code == 200
        assert self.client.get("/room/coded?code=0815").status_code == 403
        self.call("POST", "/api/v1/rooms", {"name": "of-today"},
                  **{"Idempotency-Key": str(uuid.uuid4())})  # fmt: skip
        self.call("DELETE", "/api/v1/rooms/of-today")
        asked = self.client.post("/waiting/lobby", {"name": "Ben"}, content_type="application/json")
        assert asked.status_code == 201
        self.meet()
        recordings = [self.record("standup"), self.record("short")]
        broadcast = Activity.objects.start_broadcast(self.session_id, outputs={"hls": {}})
        Activity.objects.stop(broadcast)
        self.client.force_login(self.ada)
        LogEntry.objects.create(user=self.ada, object_repr="x", action_flag=CHANGE)
        self.client.cookies.clear()
        write.enqueue(str(self.paper), self.days)
        fail.enqueue()
        return recordings

    def rest_of_day(self):
        """In the evening the receiver of webhooks is away; at night nothing is done."""
        self.receiver.answer = 503
        self.work(hours=5)
        self.receiver.answer = 204
        self.work(hours=7)
        self.work(hours=6)

    def work(self, *, hours):
        self.wait(hours * HOUR)
        call_command("housekeeping")


def seconds():
    """As the callbacks of tests/test_meetings.py have it."""
    return (timezone.now() - START).total_seconds()


def rows():
    return Counter(
        {model._meta.label: model._default_manager.count() for model in apps.get_models()}
    )


@pytest.fixture
def deployment(client, opentok, receiver, storage, tmp_path):
    with time_machine.travel(timezone.now()) as traveller:
        deployment = Deployment(client, opentok, receiver, traveller, tmp_path / "paper")
        deployment.set_up()
        yield deployment


def test_the_second_week_has_no_more_rows_than_the_first_and_what_should_stay_is_there(
    deployment, storage
):
    begin = rows()
    weeks = []
    seen = Counter()
    for day in range(14):
        recordings = deployment.use()
        if day == 0:
            held = Archive.objects.get(pk=recordings[0])
            Archive.objects.hold(str(held.pk))
        seen |= rows()
        deployment.rest_of_day()
        assert not Delivery.objects.exclude(state=State.DELIVERED).exists()
        if day in (6, 13):
            weeks.append((rows(), len(storage.keys())))
    ruled = {rule.model._meta.label for rule in RULES}
    assert (KEPT.keys() | ruled) - seen.keys() == set()
    (first, files), (second, files_later) = weeks
    # By a row a day: where a count of guesses begins and ends is a matter of seconds.
    grown = {label for label, more in (second - first).items() if more >= 7}
    assert grown == {"rooms.DeletedSession"}
    assert files_later == files
    assert {label for label in KEPT if second[label] < begin[label]} == set()

    for _ in range(9):  # nobody comes any more
        deployment.work(hours=25)
    assert {label for label in ruled if rows()[label]} == {
        "archives.Archive",
        "meetings.Meeting",
        "meetings.Connection",
        "rooms.Ban",
    }
    assert Archive.objects.get() == held
    link = Archive.objects.link(Archive.objects.fetch(str(held.pk)))
    assert requests.get(link, timeout=10).content == FILE
    assert Connection.objects.get().pk == deployment.stays
    assert Meeting.objects.get().ended_at is None
    assert Ban.objects.get().identity == "for-good"

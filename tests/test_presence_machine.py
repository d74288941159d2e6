"""Presence against a model of OpenTok: its own lists are the truth, and its callbacks come late,
doubled, in any order, forged, or never.
"""

import base64
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from meetings import news, presence
from meetings.models import Connection, Meeting, Mute, Stream
from rooms.models import Room
from tests.test_callbacks import sign

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
DATA = ["", '{"name": "Anna"}', "render"]
OTHER_SECRET = "not-the-callback-secret-of-this-server-at-all"


def session_of(project, number):
    told = f"1~{project}~~{number}~presence~~~".encode()
    return "1_" + base64.urlsafe_b64encode(told).decode().rstrip("=")


OWN = [session_of(45999999, 1), session_of(45999999, 2)]
FOREIGN = session_of(46000000, 3)
sessions, datas = st.sampled_from(OWN), st.sampled_from(DATA)
picked = st.integers(0, 1_000)


@dataclass
class Person:
    """A client of the model, there until `left`. Times are whole seconds."""

    session: str
    data: str
    came: int
    left: int | None = None
    streams: dict[str, int | None] = field(default_factory=dict)
    id: str = ""

    @property
    def is_person(self):
        return self.data not in presence.NO_PERSON


class PresenceMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        for model in (Meeting, Mute, Room):  # with all that belongs to them
            model.objects.all().delete()
        for number, session in enumerate(OWN):
            Room.objects.create(name=f"room {number}", session_id=session)
        self.browser = Client()
        self.now = 0
        self.number = 0
        self.people = []
        self.pending, self.delivered = [], []
        self.looks = []
        self.loses = False
        self.muted = set()
        self.lossy = set()  # sessions that a callback was lost of

    # The truth

    def tick(self):
        self.now += 1
        return self.now

    def new_id(self):
        self.number += 1
        return str(uuid.UUID(int=self.number))

    def there(self, session):
        return [each for each in self.people if each.session == session and each.left is None]

    def tell(self, event, person, *, stream=None, **rest):
        client = {"id": person.id, "createdAt": milliseconds(person.came), "data": person.data}
        if event == "connectionDestroyed":
            client["data"] = ""  # as in OpenTok's own example
        about = {"connection": client}
        if stream:
            about = {"stream": {"id": stream, "connection": client, "name": "", "videoType": "camera",
                                "createdAt": milliseconds(person.came)}}  # fmt: skip
        self.pending.append(
            {"sessionId": person.session, "projectId": "45999999", "event": event,
             "timestamp": milliseconds(self.now), **about, **rest}
        )  # fmt: skip

    @initialize(
        people=st.lists(st.tuples(sessions, datas), min_size=2, max_size=5), loses=st.booleans()
    )
    def begin(self, people, loses):
        self.loses = loses
        for session, data in people:
            self.connect(session, data)

    @rule(session=sessions, data=datas)
    def connect(self, session, data):
        person = Person(session, data, self.tick(), id=self.new_id())
        self.people.append(person)
        self.tell("connectionCreated", person)

    @precondition(lambda self: any(map(self.there, OWN)))
    @rule(which=picked)
    def disconnect(self, which):
        person = self.someone(which)
        now = self.tick()
        for stream, ended in person.streams.items():
            if ended is None:
                self.end_stream(person, stream, "clientDisconnected")
        person.left = now
        self.tell("connectionDestroyed", person, reason="clientDisconnected")
        if not self.there(person.session):
            self.pending.append({"sessionId": person.session, "projectId": "45999999",
                                 "event": "sessionDestroyed", "timestamp": milliseconds(now)})  # fmt: skip

    @precondition(lambda self: any(map(self.there, OWN)))
    @rule(which=picked)
    def publish(self, which):
        person = self.someone(which)
        self.tick()
        stream = self.new_id()
        person.streams[stream] = None
        self.tell("streamCreated", person, stream=stream)

    @precondition(lambda self: self.published())
    @rule(which=picked)
    def unpublish(self, which):
        person, stream = pick(self.published(), which)
        self.tick()
        self.end_stream(person, stream, "mediaStopped")

    @precondition(lambda self: self.published())
    @rule(which=picked)
    def mute(self, which):
        """By the server: OpenTok tells nothing of it."""
        person, stream = pick(self.published(), which)
        self.tick()
        Mute.objects.note(person.session, stream)
        self.muted.add((person.session, stream))

    def someone(self, which):
        return pick([each for session in OWN for each in self.there(session)], which)

    def published(self):
        return [
            (person, stream)
            for person in self.people
            for stream, ended in person.streams.items()
            if ended is None
        ]

    def end_stream(self, person, stream, reason):
        person.streams[stream] = self.now
        self.tell("streamDestroyed", person, stream=stream, reason=reason)

    # What reaches the server

    def send(self, told, *, signed=None, **how):
        """The status of the answer. `signed` is what the signature is for, if it is not this."""
        body = json.dumps(told).encode()
        token = sign(json.dumps(signed).encode() if signed else body, **how)
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.browser.post("/callbacks", body, "application/json", headers=headers)
        return answer.status_code

    @precondition(lambda self: self.pending)
    @rule(several=st.lists(picked, min_size=1, max_size=6))
    def deliver(self, several):
        for which in several[: len(self.pending)]:
            told = self.pending.pop(which % len(self.pending))
            assert self.send(told) == 200
            self.delivered.append(told)

    @precondition(lambda self: self.delivered)
    @rule(which=picked)
    def deliver_again(self, which):
        assert self.send(pick(self.delivered, which)) == 200

    @precondition(lambda self: self.loses and self.pending)
    @rule(which=picked)
    def lose(self, which):
        told = self.pending.pop(which % len(self.pending))
        self.lossy.add(told["sessionId"])

    @rule(which=picked, how=st.sampled_from(["secret", "body", "project"]))
    def forge(self, which, how):
        """Signed by others, or for another body, or about a session of another project."""
        before = everything()
        told = dict(pick([*self.pending, *self.delivered, NOBODY], which))
        if how == "secret":
            status = self.send(told, secret=OTHER_SECRET)
        elif how == "body":
            status = self.send(told, signed=told | {"timestamp": 2})
        else:
            status = self.send(told | {"sessionId": FOREIGN})
        assert status == 401
        assert everything() == before

    @precondition(lambda self: self.about_the_known())
    @rule(which=picked)
    def deliver_to_another_session(self, which):
        """What there is to tell of a client who is known, told of another session."""
        told = pick(self.about_the_known(), which)
        (other,) = set(OWN) - {told["sessionId"]}
        before = everything()
        assert self.send(told | {"sessionId": other}) == 200
        assert everything() == before

    def about_the_known(self):
        known = set(Connection.objects.values_list("pk", flat=True))
        return [each for each in [*self.pending, *self.delivered] if client_in(each) in known]

    @rule(session=sessions)
    def ask_for_list(self, session):
        """Its answer arrives later."""
        self.looks.append((session, self.tick(), self.listed(session)))

    @precondition(lambda self: self.looks)
    @rule(which=picked)
    def read_list(self, which):
        self.reconcile(*self.looks.pop(which % len(self.looks)))

    @precondition(lambda self: self.loses)
    @rule(session=sessions)
    def ask_too_early(self, session):
        """The list is that of a moment ago, when one of the people was not yet there."""
        self.lossy.add(session)
        self.reconcile(session, self.tick(), self.listed(session)[:-1])

    @rule(session=sessions)
    def look(self, session):
        self.reconcile(session, self.tick(), self.listed(session))
        assert shown(session) == ids(self.there(session))

    def listed(self, session):
        return [{"connectionId": each.id, "createdAt": milliseconds(each.came)}
                for each in self.there(session)]  # fmt: skip

    def reconcile(self, session, asked_at, listed):
        news.reconcile(session, listed, asked_at=at(asked_at), name_of=lambda _: "a room")

    # What has to be so

    @invariant()
    def only_who_was_there_is_shown(self):
        for session in OWN:
            came = [each for each in self.people if each.session == session]
            assert shown(session) <= ids(came)

    @invariant()
    def who_was_muted_stays_known(self):
        assert set(Mute.objects.values_list("session_id", "stream_id")) == self.muted

    @invariant()
    def meetings_say_what_their_people_say(self):
        meetings = list(Meeting.objects.prefetch_related("connections"))
        running = [meeting.session_id for meeting in meetings if meeting.ended_at is None]
        assert len(running) == len(set(running))
        for meeting in meetings:
            stays = list(meeting.connections.all())
            assert stays
            assert meeting.started_at == min(each.connected_at for each in stays)
            assert (meeting.ended_at is None) == any(each.left_at is None for each in stays)
            if meeting.ended_at:
                people = [each for each in stays if each.data not in presence.NO_PERSON]
                spans = [(each.left_at - each.connected_at).total_seconds() for each in people]
                assert meeting.ended_at == max(each.left_at for each in stays)
                assert (meeting.people, meeting.person_seconds) == (len(people), sum(spans))

    def teardown(self):
        """In the end all callbacks have come. Where some were lost, a look makes up for them."""
        for told in reversed(self.pending):
            self.send(told)
        for look in self.looks:
            self.reconcile(*look)
        self.meetings_say_what_their_people_say()
        for session in OWN:
            if session in self.lossy:
                self.look(session)
            else:
                self.presence_is_the_truth(session)
        self.meetings_say_what_their_people_say()

    def presence_is_the_truth(self, session):
        people = [each for each in self.people if each.session == session]
        stays = Connection.objects.filter(meeting__session_id=session)
        told = {each.pk: (each.data, each.connected_at, each.left_at) for each in stays}
        assert told == {
            each.id: (each.data, at(each.came), each.left and at(each.left)) for each in people
        }
        streams = Stream.objects.filter(connection__meeting__session_id=session)
        assert dict(streams.values_list("pk", "ended_at")) == {
            stream: ended and at(ended) for each in people for stream, ended in each.streams.items()
        }


NOBODY = {"sessionId": OWN[0], "projectId": "45999999", "event": "connectionCreated",
          "timestamp": 1, "connection": {"id": str(uuid.UUID(int=10**9)), "createdAt": 1}}  # fmt: skip


def pick(among, which):
    return among[which % len(among)]


def client_in(told):
    return told.get("stream", told).get("connection", {}).get("id")


def at(second):
    return START + timedelta(seconds=second)


def milliseconds(second):
    return round(at(second).timestamp() * 1000)


def ids(people):
    return {each.id for each in people}


def shown(session):
    there = [each.pk for each in presence.present(session)]
    assert len(there) == len(set(there))
    return set(there)


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Meeting, Connection, Stream)]


@pytest.mark.django_db
def test_presence_is_the_truth_in_the_end_whatever_becomes_of_callbacks():
    run_state_machine_as_test(
        PresenceMachine,
        settings=hypothesis_settings(
            max_examples=40, stateful_step_count=30, derandomize=True, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip

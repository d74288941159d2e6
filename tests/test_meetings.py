"""Who is in a session, and who was: as callbacks tell it, late, twice, and in any order."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetings import attendance, news, presence
from meetings.models import Connection, Meeting, Stream
from ops import worker

SESSION = "1_a"
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def at(second):
    return START + timedelta(seconds=second)


def milliseconds(second):
    return round(at(second).timestamp() * 1000)


def callback(event, second, *, session=SESSION, **rest):
    return {"sessionId": session, "event": event, "timestamp": milliseconds(second), **rest}


def client(name, connected, data=""):
    return {"id": name, "createdAt": milliseconds(connected), "data": data}


def came(name, connected, data="", **rest):
    return callback(
        "connectionCreated", connected, connection=client(name, connected, data), **rest
    )


def left(name, connected, second, reason="clientDisconnected", **rest):
    return callback(
        "connectionDestroyed", second, reason=reason, connection=client(name, connected), **rest
    )


def publishes(stream, name, connected, second, label="", kind="camera"):
    about = {"id": stream, "connection": client(name, connected), "createdAt": milliseconds(second),
             "name": label, "videoType": kind}  # fmt: skip
    return callback("streamCreated", second, stream=about)


def ends(stream, name, connected, second, label="", reason="mediaStopped"):
    told = publishes(stream, name, connected, second, label)
    return told | {"event": "streamDestroyed", "reason": reason}


def tell(*told):
    return [news.apply_callback(each, name_of=lambda _: "standup") for each in told]


def there(session=SESSION):
    return {connection.pk for connection in presence.present(session)}


@pytest.mark.django_db
class TestCallbacks:
    def test_two_other_processes_that_store_the_same_refuse_no_callback(self):
        # One the start of the meeting, and the next one the client.
        collisions = iter([IntegrityError, IntegrityError])

        def name_of(session):
            if collision := next(collisions, None):
                raise collision
            return "standup"

        assert news.apply_callback(came("a", 0), name_of=name_of).pk == "a"
        assert there() == {"a"}

    def test_who_connects_is_there_until_they_leave(self):
        tell(came("a", 0, '{"name": "Anna"}'), came("b", 5))
        assert [each.name for each in presence.present(SESSION)] == ["Anna", ""]
        tell(left("a", 0, 60))
        assert there() == {"b"}
        tell(left("b", 5, 65, "forceDisconnected"))
        meeting = Meeting.objects.get()
        assert (meeting.room_name, meeting.started_at, meeting.ended_at) == (
            "standup",
            at(0),
            at(65),
        )
        assert (meeting.people, meeting.person_seconds) == (2, 120)
        assert Connection.objects.get(pk="b").reason == "forceDisconnected"

    def test_the_first_to_come_after_all_have_left_starts_another_meeting(self):
        tell(came("a", 0), left("a", 0, 60), came("b", 100))
        assert [meeting.ended_at is None for meeting in Meeting.objects.all()] == [True, False]

    @pytest.mark.parametrize(
        "told",
        [
            [left("a", 0, 60), came("a", 0, "Anna")],
            [came("a", 0, "Anna")] * 2 + [left("a", 0, 60)] * 2,
        ],
    )
    def test_who_left_stays_away_though_told_late_or_twice(self, told):
        tell(*told)
        assert there() == set()
        assert Connection.objects.get().data == "Anna"
        assert (Meeting.objects.get().started_at, Meeting.objects.get().ended_at) == (at(0), at(60))

    def test_who_is_told_of_late_belongs_to_the_meeting_of_that_time(self):
        tell(came("a", 10), left("a", 10, 60), came("b", 5), left("b", 5, 70))
        meeting = Meeting.objects.get()
        assert (meeting.started_at, meeting.ended_at, meeting.people) == (at(5), at(70), 2)

    def test_only_who_was_not_known_and_is_there_is_new(self):
        new = tell(came("a", 0), came("a", 0), left("b", 0, 5), came("b", 0))
        assert [each and each.pk for each in new] == ["a", None, None, None]

    def test_two_sessions_have_nothing_to_do_with_each_other(self):
        tell(came("a", 0), came("b", 0, session="1_b"), left("a", 0, 5))
        assert (there(), there("1_b")) == (set(), {"b"})

    def test_what_is_told_of_a_client_in_another_session_changes_nothing(self):
        tell(came("a", 0), publishes("s", "a", 0, 1), left("a", 0, 5, session="1_b"))
        tell(ends("s", "a", 0, 6) | {"sessionId": "1_b"})
        assert there() == {"a"}
        assert Stream.objects.get().ended_at is None

    def test_a_session_that_ends_has_nobody_in_it(self):
        tell(came("a", 0), came("b", 30), callback("sessionDestroyed", 20))
        assert there() == {"b"}  # who came after that

    def test_who_comes_back_is_one_person_if_their_data_has_an_identity(self):
        anna = '{"name": "Anna", "identity": "user-1"}'
        others = ['{"name": "Ben"}', '{"name": "Ben"}', "call", "call", "", '{"identity": ""}']
        clients = enumerate([anna, anna, '{"identity": "user-1"}', *others])
        stays = [(str(number), data) for number, data in clients]
        tell(*(came(name, 0, data) for name, data in stays))
        tell(*(left(name, 0, 10) for name, _ in stays))
        assert (Meeting.objects.get().people, Meeting.objects.get().person_seconds) == (7, 90)

    def test_pages_and_bots_are_no_people(self):
        tell(came("a", 0), came("r", 1, "render"), came("x", 2, "audio_connector"))
        assert [each.pk for each in presence.people(SESSION)] == ["a"]
        tell(left("a", 0, 10), left("r", 1, 11), left("x", 2, 12))
        assert (Meeting.objects.get().people, Meeting.objects.get().person_seconds) == (1, 10)

    def test_a_bot_that_is_known_as_one_after_it_has_left_is_not_counted(self):
        tell(left("r", 0, 10), came("r", 0, "render"))
        assert (Meeting.objects.get().people, Meeting.objects.get().person_seconds) == (0, 0)

    def test_streams_are_known_with_their_publishers_in_any_order(self):
        tell(ends("s", "a", 0, 9, "Anna"), publishes("s", "a", 0, 3, "Anna"), came("a", 0))
        stream = Stream.objects.get()
        assert (stream.connection_id, stream.name, stream.kind) == ("a", "Anna", "camera")
        assert (stream.started_at, stream.ended_at, stream.reason) == (at(3), at(9), "mediaStopped")
        assert presence.present(SESSION).get().name == "Anna"

    @pytest.mark.parametrize("nonsense", [
        callback("connectionCreated", 0), callback("connectionCreated", 0, connection=[]),
        callback("connectionCreated", 0, connection={"id": 7}),
        callback("streamCreated", 0, stream={"id": "s"}), callback("streamDestroyed", 0, stream=None),
        callback("sessionCreated", 0), callback("sessionDestroyed", 0),
    ])  # fmt: skip
    def test_what_names_nobody_changes_nothing(self, nonsense):
        assert tell(nonsense) == [None]
        assert not Meeting.objects.exists()

    def test_more_than_fits_is_cut(self):
        tell(
            came("a" * 100, 0, "d" * 5000),
            publishes("s" * 100, "a" * 100, 0, 1, "n" * 900, "k" * 90),
        )
        assert (len(Connection.objects.get().pk), len(Connection.objects.get().data)) == (36, 1000)
        assert len(Stream.objects.get().name) == 200

    @pytest.mark.parametrize(
        ("data", "name"),
        [('{"name": " Anna "}', "Anna"), ('{"name": 7}', ""), ("[1]", ""), ("Anna", ""), ("{", ""),
         ("[" * 1000, "")],
    )  # fmt: skip
    def test_a_name_is_what_json_data_calls_so(self, data, name):
        tell(came("a", 0, data))
        assert Connection.objects.get().name == name


@pytest.mark.django_db
class TestLists:
    def reconcile(self, *listed, second=100):
        told = [{"connectionId": name, "createdAt": milliseconds(0)} for name in listed]
        news.reconcile(SESSION, told, asked_at=at(second), name_of=lambda _: "standup")

    def test_who_is_listed_is_there_and_who_is_not_has_left(self):
        tell(came("a", 0), came("b", 0))
        self.reconcile("b", "c")
        assert there() == {"b", "c"}
        assert Connection.objects.get(pk="a").reason == news.NOT_LISTED

    def test_who_came_after_the_list_was_asked_for_stays(self):
        tell(came("a", 200))
        self.reconcile(second=100)
        assert there() == {"a"}

    def test_an_empty_list_ends_the_meeting(self):
        tell(came("a", 0))
        self.reconcile()
        assert Meeting.objects.get().ended_at == at(100)

    def test_who_is_listed_again_is_back(self):
        tell(came("a", 0))
        self.reconcile()
        self.reconcile("a", second=110)
        assert there() == {"a"}
        assert Meeting.objects.get().ended_at is None

    def test_who_is_back_in_a_later_meeting_is_not_counted_in_the_one_before(self):
        tell(came("a", 0), came("b", 5), left("b", 5, 50))
        self.reconcile(second=60)
        tell(came("c", 70))
        self.reconcile("a", "c", second=80)
        assert there() == {"a", "c"}
        earlier = Meeting.objects.get(ended_at__isnull=False)
        assert (earlier.started_at, earlier.ended_at, earlier.people) == (at(5), at(50), 1)

    def test_a_meeting_whose_only_client_is_back_in_a_later_one_was_none(self):
        tell(came("a", 0))
        self.reconcile(second=60)
        tell(came("c", 70))
        self.reconcile("a", "c", second=80)
        assert Meeting.objects.get().started_at == at(0)

    def test_who_was_told_to_have_left_is_not_back_by_an_older_list(self):
        tell(came("a", 0), left("a", 0, 150))
        self.reconcile("a", second=100)
        assert there() == set()

    def test_what_a_list_cannot_say_is_filled_in_by_the_callback(self):
        self.reconcile("a")
        new = tell(came("a", 0, "Anna"), came("a", 0, "Anna"))
        assert [each and each.data for each in new] == ["Anna", None]
        assert presence.present(SESSION).get().data == "Anna"


@pytest.mark.django_db
def test_attendance_is_forgotten_and_how_many_there_were_stays(settings):
    settings.ATTENDANCE_DAYS = 30
    tell(came("a", 0), publishes("s", "a", 0, 1), left("a", 0, 60))
    now = timezone.now()
    Meeting.objects.update(ended_at=now - timedelta(days=29))
    assert attendance.forget_attendance() == 0
    Meeting.objects.update(ended_at=now - timedelta(days=31))
    assert attendance.forget_attendance() == 1
    assert not Connection.objects.exists()
    assert not Stream.objects.exists()
    assert (Meeting.objects.get().people, Meeting.objects.get().person_seconds) == (1, 60)


@pytest.mark.django_db
def test_a_meeting_of_which_it_is_forgotten_who_was_there_is_not_counted_anew():
    tell(came("a", 0), came("b", 0), left("a", 0, 60), left("b", 0, 60))
    assert attendance.forget_attendance() == 1
    listed = [{"connectionId": "c", "createdAt": milliseconds(50)}]
    news.reconcile(SESSION, listed, asked_at=at(100), name_of=lambda _: "standup")
    assert there() == {"c"}
    tell(left("c", 50, 110))
    counts = Meeting.objects.order_by("started_at").values_list("people", "person_seconds")
    assert list(counts) == [(2, 120), (1, 60)]


# Each client's stay: the second that they came, how long they stayed, None for still there.
STAYS = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(1, 40))),
    min_size=1,
)


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stays=STAYS, data=st.data())
def test_presence_ends_right_whatever_is_lost_doubled_and_reordered(stays, data):
    """OpenTok's own list, asked for in the end, is the truth."""
    Meeting.objects.all().delete()
    told = []
    for name, (connected, stayed) in stays.items():
        told += [came(name, connected), publishes(f"s{name}", name, connected, connected + 1)]
        if stayed:
            told += [ends(f"s{name}", name, connected, connected + stayed)]
            told += [left(name, connected, connected + stayed)]
    kept = data.draw(st.lists(st.sampled_from(told), max_size=2 * len(told)))
    tell(*kept)
    truth = {name for name, (_, stayed) in stays.items() if stayed is None}
    if all(each in kept for each in told):
        assert there() == truth  # nothing was lost
    listed = [{"connectionId": name, "createdAt": milliseconds(stays[name][0])} for name in truth]
    news.reconcile(SESSION, listed, asked_at=at(100), name_of=lambda _: "standup")
    assert there() == truth
    assert Meeting.objects.filter(ended_at=None).count() == bool(truth)
    for meeting in Meeting.objects.exclude(ended_at=None):
        spans = list(meeting.connections.values_list("connected_at", "left_at"))
        assert (meeting.started_at, meeting.ended_at) == (
            min(first for first, _ in spans), max(last for _, last in spans)
        )  # fmt: skip
        assert meeting.people == len(spans)


@pytest.mark.django_db(transaction=True)
def test_the_worker_survives_what_goes_wrong_and_says_so(caplog):
    def fail(error):
        raise error

    assert not worker.do(lambda: fail(OperationalError("away")))
    worker.do(lambda: fail(KeyError("a mistake")))
    lines = [(record.levelname, record.exc_info is not None) for record in caplog.records]
    assert lines == [("WARNING", False), ("ERROR", True)]


@pytest.mark.django_db(transaction=True)
def test_a_duty_that_fails_is_tried_again_after_growing_pauses(monkeypatch):
    failures = iter([True] * 6 + [False, True])
    pauses = []

    def duty():
        if next(failures):
            raise OperationalError("away")

    def wait(seconds):
        pauses.append(seconds)
        return len(pauses) > 8

    worker_here = worker.Worker()
    monkeypatch.setattr(worker_here._told_to_stop, "wait", wait)
    worker_here._repeat(duty, 1)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 1, 2]


@pytest.mark.django_db
def test_a_callback_takes_few_statements_however_many_people_there_are(
    django_assert_max_num_queries,
):
    tell(*(came(f"c{number}", number) for number in range(50)))
    for told, most in (
        (came("a", 60), 1),
        (publishes("s", "a", 60, 61), 1),
        (ends("s", "a", 60, 70), 1),
        (left("a", 60, 71), 5),
    ):
        with django_assert_max_num_queries(most):
            tell(told)

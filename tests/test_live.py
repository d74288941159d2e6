"""What runs in a room's session besides recordings: started, looked at, told of, stopped."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from live.models import Activity
from rooms.models import Room
from tests.api_client import Program, refusal
from tests.server_process import Server
from video import tokens

UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
STARTS = {
    "broadcasts": {"outputs": {"hls": {}, "rtmp": [{"serverUrl": "rtmp://x.example/y", "streamName": "hush"}]}},
    "captions": {"languageCode": "de-DE"},
    "renders": {"url": "https://app.example/page?key=hush", "name": "Board"},
    "calls": {"uri": "sip:1@sip.example", "username": "u", "password": "hush", "headers": {"X-A": "b"}},
    "audio-connectors": {"uri": "wss://bot.example/audio", "bidirectional": True},
}  # fmt: skip
EACH = pytest.mark.parametrize("path", STARTS)
SECRET = "test callbacks"


@pytest.fixture
def caller(server):
    return Program(server, can="manage,broadcast,caption,call,moderate,record")


@pytest.fixture
def session(caller, opentok):
    """That of the room "lobby", in which somebody publishes."""
    session_id = caller.post("rooms", name="lobby").json()["sessionId"]
    opentok.publish(session_id)
    return session_id


def start(caller, path):
    answer = caller.post(f"rooms/lobby/{path}", **STARTS[path])
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/{path}/{answer.json()['id']}"
    return answer.json()


def statuses():
    return list(Activity.objects.order_by("created_at").values_list("status", flat=True))


def runs(opentok):
    return {run["id"]: run["status"] for run in opentok.control("GET", "/runs")["runs"]}


def connections(opentok, session_id):
    return opentok.control("GET", f"/sessions/{session_id}")["connections"]


# Starting, looking, stopping


@EACH
def test_what_was_started_is_listed_looked_at_and_stopped(path, caller, session, opentok):
    made = start(caller, path)
    assert (made["room"], made["sessionId"], made["endedAt"]) == ("lobby", session, None)
    for listed in (path, f"rooms/lobby/{path}", f"{path}?room=lobby&running=true"):
        assert [each["id"] for each in caller.get(listed).json()["items"]] == [made["id"]]
    assert caller.get(f"{path}/{made['id']}").json()["id"] == made["id"]
    stopped = caller.post(f"{path}/{made['id']}/stop")
    assert stopped.status_code == 200
    assert stopped.json()["status"] == "stopped"
    assert stopped.json()["endedAt"]
    assert runs(opentok) == {made["id"]: "stopped"}
    assert caller.post(f"{path}/{made['id']}/stop").json() == stopped.json()
    assert caller.get(f"{path}?running=true").json()["items"] == []


@EACH
def test_no_secret_of_a_start_is_stored_or_shown(path, caller, session):
    made = start(caller, path)
    looked_at = caller.get(f"{path}/{made['id']}")
    row = Activity.objects.values().get()
    assert "hush" not in f"{made} {looked_at.text} {row}"


@EACH
def test_what_opentok_has_ended_by_itself_is_stopped_with_success(path, caller, session, opentok):
    made = start(caller, path)
    opentok.fault(status=404)
    stopped = caller.post(f"{path}/{made['id']}/stop")
    assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped")


@EACH
def test_a_look_brings_the_row_up_to_date(path, caller, session, opentok):
    made = start(caller, path)
    Activity.objects.update(status="starting")
    for connection in connections(opentok, session):
        opentok.disconnect(session, connection["connectionId"])
    opentok.advance(36_001)
    looked_at = caller.get(f"{path}/{made['id']}").json()
    assert looked_at["status"] == "stopped"
    assert statuses() == ["stopped"]


def test_a_stop_that_opentok_fails_leaves_it_running(caller, session, opentok):
    made = start(caller, "captions")
    opentok.fault(path="/stop$", status=500)
    assert refusal(caller.post(f"captions/{made['id']}/stop")) == (502, "opentok_failed")
    assert statuses() == ["started"]


def test_a_second_start_of_captions_is_the_first_one(caller, session):
    first = start(caller, "captions")
    assert start(caller, "captions")["id"] == first["id"]
    assert Activity.objects.count() == 1


@pytest.fixture
def another(server, opentok):
    """A second server on the same database."""
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as another:
        yield another


def sample_start(server, session):
    token = tokens.generate_token(session, role="moderator", lifetime=60)
    return server.post("/captions/start", json={"sessionId": session, "token": token})


@pytest.mark.parametrize("path", ["/captions/start", "/api/v1"])
def test_captions_started_again_before_the_first_start_is_answered_are_the_same(
    path, caller, session, another, opentok
):
    opentok.fault(path="/captions$", after=True, delay=1, times=1)
    seen = len(opentok.requests())
    with ThreadPoolExecutor(1) as earlier:
        first = earlier.submit(start, caller, "captions")
        opentok.requests(at_least=seen + 1)
        if path == "/api/v1":
            second = Program(another, can="caption").post("rooms/lobby/captions")
            assert second.status_code == 201
        else:
            second = sample_start(another, session)
            assert second.status_code == 200
        assert second.json()["id"] == first.result()["id"]
    assert list(runs(opentok)) == [second.json()["id"]]


def test_captions_that_many_start_at_the_same_moment_have_one_id(server, session, another, opentok):
    opentok.fault(path="/captions$", after=True, delay=0.3)
    with ThreadPoolExecutor(8) as crowd:
        answers = list(
            crowd.map(lambda n: sample_start([server, another][n % 2], session), range(8))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["id"] for answer in answers] == list(runs(opentok)) * 8


def test_captions_that_have_ended_unnoticed_are_not_taken_for_those_that_run(
    caller, session, opentok
):
    ended = start(caller, "captions")
    opentok.advance(14_401)
    opentok.fault(path="/captions$", after=True, delay=1, times=1)
    seen = len(opentok.requests())
    with ThreadPoolExecutor(1) as earlier:
        first = earlier.submit(start, caller, "captions")
        opentok.requests(at_least=seen + 1)
        assert start(caller, "captions")["id"] == first.result()["id"] != ended["id"]


def test_captions_that_a_callback_tells_of_before_the_answer_run(caller, session, told):
    told.fault(path="/captions$", after=True, delay=1, times=1)
    with ThreadPoolExecutor(1) as starter:
        started = starter.submit(start, caller, "captions")
        told.callbacks(attempts=1)
        assert not started.done()
        made = started.result()
    assert (made["status"], statuses()) == ("started", ["started"])


def test_captions_that_others_have_started_are_a_conflict(caller, session):
    start(caller, "captions")
    Activity.objects.all().delete()
    for answer in (caller.post("rooms/lobby/captions"), sample_start(caller.server, session)):
        assert refusal(answer) == (409, "captions_running")
        assert "Stop them where they were started" in answer.json()["detail"]


# Starts whose answer gets lost


def test_a_render_whose_start_got_no_answer_is_found_beside_one_of_the_same_page(
    caller, session, opentok
):
    first = start(caller, "renders")
    opentok.fault(path="/render$", method="POST", after=True, drop=True, times=1)
    second = start(caller, "renders")
    assert set(runs(opentok)) == {first["id"], second["id"]}
    assert caller.post(f"renders/{second['id']}/stop").status_code == 200
    assert runs(opentok)[second["id"]] == "stopped"


@pytest.mark.parametrize("path", ["captions", "calls"])
def test_captions_and_calls_whose_start_got_no_answer_are_known_from_callbacks(
    path, caller, session, told
):
    told.fault(path="/(captions|dial)$", after=True, drop=True, times=1)
    lost = caller.post(f"rooms/lobby/{path}", **STARTS[path])
    assert refusal(lost) == (503, "opentok_unavailable")
    told.callbacks(attempts=len(told.control("GET", "/callbacks")["callbacks"]))
    (made,) = runs(told)
    (found,) = caller.get(f"rooms/lobby/{path}?running=true").json()["items"]
    assert found["id"] == made
    if path == "captions":
        assert start(caller, path)["id"] == made
    assert caller.post(f"{path}/{made}/stop").status_code == 200
    assert runs(told) == {made: "stopped"}


@pytest.mark.parametrize("path", ["calls", "audio-connectors"])
def test_a_call_whose_start_got_no_answer_ends_with_everything_in_its_room(
    path, caller, session, opentok
):
    opentok.fault(path="/(dial|connect)$", after=True, drop=True, times=1)
    lost = caller.post(f"rooms/lobby/{path}", **STARTS[path])
    assert refusal(lost) == (503, "opentok_unavailable")
    assert caller.get(f"rooms/lobby/{path}").json()["items"] == []
    assert list(runs(opentok).values()) == ["started"]
    caller.post("rooms/lobby/stop")
    assert connections(opentok, session) == []
    assert list(runs(opentok).values()) == ["stopped"]


def test_digits_are_keyed_into_a_call(caller, session, opentok):
    call = start(caller, "calls")
    assert caller.post(f"calls/{call['id']}/digits", digits="12#").status_code == 204
    assert opentok.control("GET", "/runs")["runs"][0]["digits"] == ["12#"]
    assert refusal(caller.post(f"calls/{call['id']}/digits", digits="x")) == (400, "invalid")


def test_a_broadcast_is_laid_out_and_has_its_streams_chosen(caller, session, opentok):
    stream = opentok.publish(session)
    made = caller.post("rooms/lobby/broadcasts", outputs={"hls": {}}, streamMode="manual").json()
    path = f"broadcasts/{made['id']}"
    assert caller.put(f"{path}/layout", type="pip").status_code == 204
    assert caller.post(f"{path}/streams", streamId=stream).status_code == 204
    assert caller.delete(f"{path}/streams/{stream}").status_code == 204
    assert refusal(caller.put(f"{path}/layout", type="x")) == (400, "invalid")
    unknown = caller.post(f"{path}/streams", streamId=UNKNOWN)
    assert refusal(unknown) == (404, "stream_not_found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("broadcasts", {}),
        ("broadcasts", {"outputs": {}}),
        ("broadcasts", {"outputs": {"rtmp": [{"serverUrl": "http://x", "streamName": "k"}]}}),
        ("broadcasts", {"outputs": {"hls": {"dvr": True, "lowLatency": True}}}),
        ("broadcasts", {"outputs": {"hls": {}}, "maxDuration": 59}),
        ("captions", {"languageCode": "x"}),
        ("captions", {"maxDuration": 299}),
        ("renders", {}),
        ("renders", {"url": "file:///etc/passwd"}),
        ("renders", {"url": "https://app.example/a b"}),
        ("calls", {"uri": "tel:1"}),
        ("calls", {"uri": "sip:a@b", "headers": {"Via": "x"}}),
        ("audio-connectors", {"uri": "https://bot.example"}),
        ("audio-connectors", {"uri": "wss://bot.example", "audioRate": 1}),
    ],
    ids=str,
)
def test_a_start_that_makes_no_sense_is_refused_before_opentok_is_asked(
    path, body, caller, session, opentok
):
    before = len(opentok.requests())
    assert refusal(caller.post(f"rooms/lobby/{path}", **body)) == (400, "invalid")
    assert len(opentok.requests()) == before


@EACH
def test_an_empty_room_is_a_conflict(path, caller, opentok):
    caller.post("rooms", name="lobby")
    answer = caller.post(f"rooms/lobby/{path}", **STARTS[path])
    # A page may be the first one in a room.
    assert answer.status_code == (201 if path == "renders" else 409)


@EACH
@pytest.mark.parametrize("activity_id", [UNKNOWN, "x", "..%2Fx"])
def test_an_unknown_id_is_not_found(path, activity_id, caller):
    assert caller.get(f"{path}/{activity_id}").status_code == 404
    assert caller.post(f"{path}/{activity_id}/stop").status_code == 404


@EACH
def test_a_key_without_the_capability_is_refused(path, server, session):
    program = Program(server, can="manage,moderate")
    answer = program.post(f"rooms/lobby/{path}", **STARTS[path])
    assert refusal(answer) == (403, "capability_missing")
    assert refusal(program.get(path)) == (403, "capability_missing")


@EACH
def test_a_key_for_other_rooms_is_refused(path, server, caller, session):
    made = start(caller, path)
    school = Program(server, can="broadcast,caption,call", rooms="school-")
    assert refusal(school.post(f"rooms/lobby/{path}", **STARTS[path])) == (403, "room_not_covered")
    assert refusal(school.get(f"{path}/{made['id']}")) == (403, "room_not_covered")
    assert refusal(school.post(f"{path}/{made['id']}/stop")) == (403, "room_not_covered")
    assert school.get(path).json()["items"] == []


def test_a_start_that_is_sent_again_is_done_once(caller, session):
    headers = caller.headers | {"Idempotency-Key": "a"}
    made = [
        caller.server.request(
            "POST", "/api/v1/rooms/lobby/calls", headers=headers, json=STARTS["calls"]
        ).json()["id"]
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert Activity.objects.count() == 1


# What has an end


def test_what_is_overdue_is_ended(caller, session, opentok):
    call, captions = start(caller, "calls"), start(caller, "captions")
    Activity.objects.filter(pk=call["id"]).update(ends_at=timezone.now() - timedelta(seconds=1))
    call_command("housekeeping")
    assert runs(opentok) == {call["id"]: "stopped", captions["id"]: "started"}
    assert Activity.objects.get(pk=call["id"]).status == "stopped"


def test_a_start_tells_opentok_its_end(caller, session, opentok, settings):
    start(caller, "broadcasts")
    sent = [each["body"] for each in opentok.requests() if each["path"].endswith("/broadcast")]
    assert f'"maxDuration": {settings.LIVE_MAX_DURATION}' in sent[0]
    activity = Activity.objects.get()
    assert activity.ends_at - activity.created_at == timedelta(seconds=settings.LIVE_MAX_DURATION)


# Callbacks


@pytest.fixture
def told(opentok, server):
    """OpenTok tells the server of everything."""
    secret = server.environment["CALLBACK_SECRET"]
    urls = {"urls": {"all": f"{server.url}/callbacks"}, "secret": secret}
    opentok.control("POST", "/callback-url", urls)
    return opentok


def test_what_ends_by_itself_is_told(caller, session, told):
    made = start(caller, "broadcasts")
    told.advance(36_001)
    told.callbacks(attempts=2)
    assert caller.get("broadcasts?room=lobby").json()["items"][0]["endedAt"]
    assert Activity.objects.get(pk=made["id"]).reason == ""


def test_what_others_start_is_told(caller, session, told, opentok):
    start_elsewhere = {"sessionId": session, "outputs": {"hls": {}}}
    opentok.call("POST", f"/v2/project/{opentok.api_key}/broadcast", json=start_elsewhere)
    told.callbacks(attempts=1)
    (found,) = caller.get("rooms/lobby/broadcasts").json()["items"]
    assert found["status"] == "started"


def test_late_callbacks_and_those_that_come_twice_change_nothing(caller, session, told, opentok):
    made = start(caller, "captions")
    caller.post(f"captions/{made['id']}/stop")
    told.callbacks(attempts=2)
    ended = Activity.objects.get().ended_at
    for callback_id in (1, 2, 1):
        told.send_callback(callback_id)
    told.callbacks(attempts=5)
    assert statuses() == ["stopped"]
    assert Activity.objects.get().ended_at == ended


def test_a_call_that_is_hung_up_is_told(caller, session, told):
    made = start(caller, "calls")
    told.disconnect(session, made["connectionId"])
    told.callbacks(attempts=8)
    assert statuses() == ["stopped"]


def test_nothing_keeps_running_in_a_room_that_all_people_have_left(caller, session, told):
    for path in ("captions", "renders", "calls", "audio-connectors"):
        start(caller, path)
    told.advance(2)  # the page is there
    people = [each for each in connections(told, session) if each["kind"] == "client"]
    told.callbacks(attempts=len(told.control("GET", "/callbacks")["callbacks"]))
    before = len(told.control("GET", "/callbacks")["callbacks"])
    told.disconnect(session, people[0]["connectionId"])
    told.control("GET", f"/callbacks?at_least={before + 2}")
    assert set(runs(told).values()) == {"stopped"}
    assert set(statuses()) == {"stopped"}


def test_what_runs_goes_on_while_somebody_is_there(caller, session, told):
    other = told.connect(session)
    call = start(caller, "calls")
    told.disconnect(session, other)
    count = len(told.control("GET", "/callbacks")["callbacks"])
    told.callbacks(attempts=count)
    assert runs(told) == {call["id"]: "started"}


# Stop everything


def test_a_stop_of_everything_ends_all_and_disconnects_all(caller, session, opentok):
    archive = caller.post("archives", room="lobby").json()
    made = [start(caller, path) for path in STARTS]
    report = caller.post("rooms/lobby/stop").json()
    assert report["failed"] == []
    ended = {each["id"] for each in report["ended"]}
    assert ended >= {archive["id"], *(each["id"] for each in made)}
    assert set(runs(opentok).values()) == {"stopped"}
    assert connections(opentok, session) == []


def test_a_stop_of_everything_says_what_did_not_end(caller, session, opentok):
    caller.post("archives", room="lobby")
    call = start(caller, "calls")
    opentok.fault(path="/archive/.*/stop", status=500)
    answer = caller.post("rooms/lobby/stop")
    assert answer.status_code == 200
    (failed,) = answer.json()["failed"]
    assert (failed["kind"], failed["code"]) == ("recording", "opentok_failed")
    assert runs(opentok) == {call["id"]: "stopped"}
    assert connections(opentok, session) == []


def test_what_has_ended_by_itself_keeps_nobody_in_the_room(caller, session, opentok):
    archive = caller.post("archives", room="lobby").json()
    opentok.fault(path=f"/archive/{archive['id']}/stop", status=404)
    report = caller.post("rooms/lobby/stop").json()
    assert report["failed"] == []
    assert connections(opentok, session) == []


def test_a_room_that_is_deleted_leaves_its_name_to_what_ran_in_it(caller, session):
    made = start(caller, "captions")
    Room.objects.get().delete()
    assert caller.get(f"captions/{made['id']}").json()["room"] == "lobby"


# Staff and operators


def test_staff_find_what_runs(caller, session, admin_client):
    made = start(caller, "captions")
    for query in (
        "",
        "?kind=captions&running=yes",
        "?q=lobby",
        f"?q={made['id']}",
        f"?q={session}",
    ):
        page = admin_client.get(f"/admin/live/activity/{query}").content.decode()
        assert made["id"] in page, query
    for query in ("?running=no", "?kind=call", "?q=other"):
        assert made["id"] not in admin_client.get(f"/admin/live/activity/{query}").content.decode()
    page = admin_client.get(f"/admin/live/activity/{made['id']}/change/").content.decode()
    assert "de-DE" in page or "de-de" in page


def test_what_runs_is_counted_by_kind(caller, session):
    start(caller, "captions")
    assert (
        'rooms_running_activities{kind="captions"} 1.0'
        in caller.server.request("GET", "/metrics", headers=caller.headers).text
    )

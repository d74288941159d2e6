"""Recordings under /api/v1/, as a program with a key manages them."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.utils import timezone

from archives.models import Archive
from rooms.models import Room
from tests.api_client import Program, refusal

UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"


def open_room(program, opentok, name="lobby"):
    """The session of a new room with somebody in it, and the stream that they publish."""
    session_id = program.post("rooms", name=name).json()["sessionId"]
    return session_id, opentok.publish(session_id)


def record(program, opentok, name="lobby", **options):
    """A recording of a new room, under way."""
    open_room(program, opentok, name)
    answer = program.post("archives", room=name, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()


def sent(opentok):
    """The body of the last call that OpenTok got, without what was left open."""
    body = json.loads(opentok.requests()[-1]["body"])
    return {name: value for name, value in body.items() if value is not None}


# Start


def test_a_recording_starts_by_the_rooms_name(program, opentok):
    session_id, _ = open_room(program, opentok)
    answer = program.post("archives", room="lobby")
    assert answer.status_code == 201
    started = answer.json()
    assert answer.headers["Location"] == f"/api/v1/archives/{started['id']}"
    assert sent(opentok) == {
        "name": "lobby", "sessionId": session_id, "hasAudio": True, "hasVideo": True,
        "outputMode": "composed", "streamMode": "auto",
    }  # fmt: skip
    assert (started["room"], started["status"]) == ("lobby", "started")
    assert (started["sessionId"], started["url"]) == (session_id, None)
    assert program.get(f"archives/{started['id']}").json()["room"] == "lobby"


def test_a_recording_starts_by_a_session_of_no_room_as_well(program, opentok):
    session_id = opentok.make_session()
    opentok.connect(session_id)
    assert program.post("archives", sessionId=session_id).json()["room"] is None


@pytest.mark.parametrize(
    "options",
    [
        {"name": "Monday"},
        {"hasAudio": False},
        {"hasVideo": False},
        {"outputMode": "individual"},
        {"resolution": "1080x1920"},
        {"layout": {"type": "pip"}},
        {"layout": {"type": "custom", "stylesheet": "stream { float: left }"}},
        {"layout": {"type": "bestFit", "screenshareType": "verticalPresentation"}},
        {"streamMode": "manual"},
        {"multiArchiveTag": "second"},
        {"maxBitrate": 100_000},
        {"maxBitrate": 6_000_000},
        {"quantizationParameter": 15},
        {"quantizationParameter": 40},
        {"hasTranscription": True},
        {
            "outputMode": "individual", "hasTranscription": True,
            "transcriptionProperties": {"primaryLanguageCode": "pt-BR", "hasSummary": True},
        },
        {
            "name": "all", "hasAudio": True, "resolution": "1280x720", "streamMode": "manual",
            "layout": {"type": "horizontalPresentation"}, "multiArchiveTag": "t",
            "maxBitrate": 2_000_000, "hasTranscription": True, "transcriptionProperties": {},
        },
    ],
    ids=str,
)  # fmt: skip
def test_every_option_reaches_opentok_as_it_was_sent(program, opentok, options):
    record(program, opentok, **options)
    assert sent(opentok).items() >= options.items()


COMPOSED = {"outputMode": "individual"}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"room": None}, "room"),
        ({"sessionId": "1_x"}, "room"),
        ({"name": ""}, "name"),
        ({"name": {}}, "name"),
        ({"hasAudio": "no!"}, "hasAudio"),
        ({"hasVideo": None}, "hasVideo"),
        ({"hasAudio": False, "hasVideo": False}, "hasVideo"),
        ({"outputMode": "both"}, "outputMode"),
        ({"resolution": "800x600"}, "resolution"),
        ({"resolution": "640x480"} | COMPOSED, "resolution"),
        ({"layout": {"type": "pip"}} | COMPOSED, "layout"),
        ({"maxBitrate": 100_000} | COMPOSED, "maxBitrate"),
        ({"quantizationParameter": 20} | COMPOSED, "quantizationParameter"),
        ({"maxBitrate": 100_000, "quantizationParameter": 20}, "quantizationParameter"),
        ({"maxBitrate": 99_999}, "maxBitrate"),
        ({"maxBitrate": 6_000_001}, "maxBitrate"),
        ({"maxBitrate": 100_000.5}, "maxBitrate"),
        ({"quantizationParameter": 14}, "quantizationParameter"),
        ({"quantizationParameter": 41}, "quantizationParameter"),
        ({"quantizationParameter": []}, "quantizationParameter"),
        ({"streamMode": True}, "streamMode"),
        ({"multiArchiveTag": ""}, "multiArchiveTag"),
        ({"layout": "pip"}, "layout"),
        ({"layout": {}}, "layout"),
        ({"layout": {"type": "grid"}}, "layout"),
        ({"layout": {"type": "custom"}}, "layout"),
        ({"layout": {"type": "pip", "stylesheet": "x"}}, "layout"),
        ({"layout": {"type": "pip", "screenshareType": "pip"}}, "layout"),
        ({"layout": {"type": "bestFit", "screenshareType": "custom"}}, "layout"),
        ({"layout": {"type": "pip", "colour": "red"}}, "layout"),
        ({"hasTranscription": 7}, "hasTranscription"),
        ({"transcriptionProperties": {}}, "transcriptionProperties"),
        ({"hasTranscription": True, "transcriptionProperties": {"primaryLanguageCode": "x y"}}, "transcriptionProperties"),
        ({"hasTranscription": True, "transcriptionProperties": {"summary": True}}, "transcriptionProperties"),
        ({"output_mode": "composed"}, "output_mode"),
    ],
    ids=str,
)  # fmt: skip
def test_a_start_that_makes_no_sense_is_refused_by_its_name(program, opentok, options, field):
    open_room(program, opentok)
    asked = len(opentok.requests())
    answer = program.post("archives", **({"room": "lobby"} | options))
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert len(opentok.requests()) == asked


def test_a_start_needs_a_room_or_a_session_that_is_there(program, opentok):
    assert refusal(program.post("archives")) == (400, "invalid")
    assert refusal(program.post("archives", room="unknown")) == (404, "room_not_found")
    assert refusal(program.post("archives", room="a\nb")) == (400, "room_name_invalid")
    assert refusal(program.post("archives", sessionId="../x")) == (400, "session_invalid")
    assert opentok.requests() == []
    program.post("rooms", name="empty")
    assert refusal(program.post("archives", room="empty")) == (409, "nobody_connected")


def test_recordings_with_different_tags_run_at_the_same_time(program, opentok):
    record(program, opentok, multiArchiveTag="one")
    second = program.post("archives", room="lobby", multiArchiveTag="two")
    assert second.json()["multiArchiveTag"] == "two"
    again = program.post("archives", room="lobby", multiArchiveTag="two")
    assert refusal(again) == (409, "archive_conflict")
    assert again.json()["archiveId"] == second.json()["id"]


def test_of_several_recordings_a_lost_start_is_found_by_its_tag(program, opentok):
    record(program, opentok)
    record_one = program.post("archives", room="lobby", multiArchiveTag="one").json()
    opentok.fault(method="POST", path="/archive$", after=True, drop=True, times=1)
    lost = program.post("archives", room="lobby", multiArchiveTag="two")
    assert (lost.status_code, lost.json()["multiArchiveTag"]) == (201, "two")
    # One that was not started at all is not taken for another one.
    opentok.fault(method="POST", path="/archive$", drop=True, times=1)
    failed = program.post("archives", room="lobby", multiArchiveTag="three")
    assert failed.status_code in {502, 503}
    assert record_one["multiArchiveTag"] == "one"


# Read and list


def test_the_shape_in_the_list_is_the_one_that_opentok_gave(program, opentok):
    started = record(program, opentok, multiArchiveTag="t")
    (listed,) = program.get("archives").json()["items"]
    assert listed == started
    program.post(f"archives/{started['id']}/stop")
    opentok.advance(60)
    available = program.get(f"archives/{started['id']}").json()
    assert available["status"] == "available"
    assert available["url"].startswith("http")
    (listed,) = program.get("archives").json()["items"]
    # At the start OpenTok tells its time by the millisecond, and later by the second.
    assert listed == available | {"url": None, "createdAt": started["createdAt"]}


def test_the_list_is_what_was_last_heard_and_asks_nobody(program, opentok):
    record(program, opentok)
    asked = len(opentok.requests())
    assert [found["status"] for found in program.get("archives").json()["items"]] == ["started"]
    assert len(opentok.requests()) == asked


START = datetime(2026, 1, 1, tzinfo=UTC)


def catalogue(count=4):
    """Rows, an hour apart, the first room's first; ids from 0 on."""
    rooms = [Room.objects.create(name=f"room-{n}", session_id=f"1_{n}") for n in range(2)]
    for number in range(count):
        room = rooms[number % 2]
        Archive.objects.create(
            id=uuid.UUID(int=number), room=room, room_name=room.name, session_id=room.session_id,
            status=["available", "expired"][number // 2 % 2],
            created_at=START + timedelta(hours=number),
        )  # fmt: skip


def numbers(answer):
    assert answer.status_code == 200, answer.text
    return [uuid.UUID(found["id"]).int for found in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("room=room-0", [2, 0]),
        ("sessionId=1_1", [3, 1]),
        ("sessionId=1_1&room=room-0", []),
        ("sessionId=unknown", []),
        ("status=available", [1, 0]),
        ("status=deleted", []),
        ("status=expired&room=room-0", [2]),
        ("createdAfter=2026-01-01T02:00:00Z", [3, 2]),
        ("createdBefore=2026-01-01T02:00:00Z", [1, 0]),
        ("createdAfter=2026-01-01T02:00:00%2B01:00&createdBefore=2026-01-01T03:00:00Z", [2, 1]),
        ("limit=1", [3]),
    ],
)
def test_the_list_has_filters(program, query, expected):
    catalogue()
    assert numbers(program.get(f"archives?{query}")) == expected


def test_the_list_has_pages_both_ways(program):
    catalogue(5)
    first = program.get("archives?limit=2")
    second = program.get(f"archives?limit=2&cursor={first.json()['nextCursor']}")
    assert (numbers(first), numbers(second)) == ([4, 3], [2, 1])
    back = program.get(f"archives?limit=2&cursor={second.json()['previousCursor']}")
    assert back.json() == first.json()
    last = program.get(f"archives?limit=2&cursor={second.json()['nextCursor']}")
    assert (numbers(last), last.json()["nextCursor"]) == ([0], None)


def test_what_started_in_one_moment_is_all_listed_once(program):
    catalogue(7)
    Archive.objects.filter(id__lt=uuid.UUID(int=5)).update(created_at=START)
    pages, cursor = [], ""
    while cursor is not None:
        page = program.get(f"archives?limit=2{cursor and '&cursor='}{cursor}")
        pages.append(numbers(page))
        cursor = page.json()["nextCursor"]
    assert pages == [[6, 5], [4, 3], [2, 1], [0]]


@pytest.mark.parametrize(
    "query",
    ["status=gone", "createdAfter=yesterday", "createdBefore=2026-01-01T00:00:00+01:00", "limit=0",
     "state=available", "room=", "sessionId=", "count=5"],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused_by_its_name(program, query):
    answer = program.get(f"archives?{query}")
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(query.partition("=")[0] + ": ")


def test_the_list_of_a_room_that_is_not_there_is_a_404(program):
    assert refusal(program.get("archives?room=unknown")) == (404, "room_not_found")
    assert refusal(program.get("archives?cursor=x")) == (400, "cursor_invalid")


def test_recordings_of_a_room_of_any_name_and_of_its_past_sessions_are_found(program, opentok):
    name = "a/b ü&?"
    first = record(program, opentok, name)
    program.post(f"archives/{first['id']}/stop")
    session = program.post(f"rooms/{quote(name, safe='')}/session").json()["sessionId"]
    opentok.publish(session)
    second = program.post("archives", room=name).json()
    found = program.get(f"archives?room={quote(name)}").json()["items"]
    assert [archive["id"] for archive in found] == [second["id"], first["id"]]


def test_recordings_of_a_deleted_room_are_found_by_session_and_keep_its_name(program, opentok):
    started = record(program, opentok)
    program.delete("rooms/lobby")
    (found,) = program.get(f"archives?sessionId={started['sessionId']}").json()["items"]
    assert (found["id"], found["room"], found["name"]) == (started["id"], "lobby", "lobby")
    again = program.get(f"archives/{started['id']}").json()
    assert (again["room"], again["name"]) == ("lobby", "lobby")
    assert program.post(f"archives/{started['id']}/stop").json()["room"] == "lobby"


def test_news_of_a_recording_whose_room_is_being_deleted_is_kept(program, opentok):
    started = record(program, opentok)
    Archive.objects.all().delete()
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            Room.objects.lock("lobby").delete()
            asked = len(opentok.requests())
            asking = other.submit(program.get, f"archives/{started['id']}")
            opentok.requests(at_least=asked + 1)
            if connection.vendor == "postgresql":
                wait_until_somebody_waits_for_a_lock()
        assert asking.result().status_code == 200
    assert Archive.objects.get().room is None


def wait_until_somebody_waits_for_a_lock():
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            if cursor.fetchone():
                return
        threading.Event().wait(0.05)
    raise AssertionError("nobody waits")


# Stop and delete


def test_a_recording_is_stopped_and_deleted_once_its_file_is_there(program, server, opentok):
    path = f"archives/{record(program, opentok)['id']}"
    assert refusal(program.delete(path)) == (409, "archive_not_deletable")
    assert program.post(f"{path}/stop").json()["status"] == "stopped"
    opentok.advance(60)
    assert refusal(program.post(f"{path}/stop")) == (409, "archive_not_running")
    answer = program.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert program.delete(path).status_code == 204
    assert refusal(program.get(path)) == (410, "archive_deleted")
    (listed,) = program.get("archives?status=deleted").json()["items"]
    assert listed["room"] == "lobby"
    assert server.get("/archive").json() == []


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "parse_error"), (b'{"force": true}', "invalid"), (b"[]", "invalid")]
)
def test_a_stop_takes_no_body(program, opentok, body, code):
    path = f"archives/{record(program, opentok)['id']}"
    headers = program.headers | {"Content-Type": "application/json"}
    url = f"/api/v1/{path}/stop"
    assert refusal(program.server.post(url, data=body, headers=headers)) == (400, code)
    assert program.get(path).json()["status"] == "started"
    for none in (b"", b"{}"):
        assert program.server.post(url, data=none, headers=headers).status_code == 200


def test_what_was_deleted_elsewhere_is_told_from_what_never_was(program, opentok):
    archive = record(program, opentok)["id"]
    opentok.fault(method="DELETE", status=404, times=2)
    assert refusal(program.delete(f"archives/{archive}")) == (410, "archive_deleted")
    assert refusal(program.delete(f"archives/{UNKNOWN}")) == (404, "archive_not_found")


def test_a_deletion_that_opentok_fails_to_make_is_not_noted(program, opentok):
    archive = record(program, opentok)["id"]
    opentok.fault(method="DELETE", status=500, times=1)
    assert refusal(program.delete(f"archives/{archive}")) == (502, "opentok_failed")
    assert Archive.objects.get().status == "started"


# Layout and streams


@pytest.mark.parametrize(
    "layout",
    [
        {"type": "pip"},
        {"type": "bestFit", "screenshareType": "pip"},
        {"type": "custom", "stylesheet": "stream.focus { width: 100% }"},
    ],
    ids=str,
)
def test_the_layout_of_a_running_recording_changes(program, opentok, layout):
    path = f"archives/{record(program, opentok)['id']}/layout"
    answer = program.put(path, **layout)
    assert (answer.status_code, answer.content) == (204, b"")
    assert sent(opentok) == layout


def test_opentok_may_answer_a_change_with_nothing(program, opentok):
    path = f"archives/{record(program, opentok)['id']}"
    opentok.fault(method="PUT", status=200, body="", times=1)
    assert program.put(f"{path}/layout", type="pip").status_code == 204


@pytest.mark.parametrize(
    ("layout", "field"),
    [
        ({}, "type"), ({"type": "grid"}, "type"), ({"type": "custom"}, "stylesheet"),
        ({"type": "pip", "stylesheet": "x"}, "stylesheet"),
        ({"type": "pip", "screenshareType": "pip"}, "screenshareType"),
        ({"type": "pip", "x": 1}, "x"),
    ],
    ids=str,
)  # fmt: skip
def test_a_layout_that_makes_no_sense_is_refused_by_its_name(program, opentok, layout, field):
    answer = program.put(f"archives/{UNKNOWN}/layout", **layout)
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert opentok.requests() == []


def test_only_a_composed_recording_has_a_layout(program, opentok):
    path = f"archives/{record(program, opentok, outputMode='individual')['id']}/layout"
    assert refusal(program.put(path, type="pip")) == (400, "layout_refused")


def test_streams_are_added_and_removed_by_hand(program, opentok):
    _, stream = open_room(program, opentok)
    path = "archives/" + program.post("archives", room="lobby", streamMode="manual").json()["id"]
    answer = program.post(f"{path}/streams", streamId=stream, hasVideo=False)
    assert (answer.status_code, answer.content) == (204, b"")
    assert sent(opentok) == {"addStream": stream, "hasAudio": True, "hasVideo": False}
    streams = program.get(path).json()["streams"]
    assert streams == [{"streamId": stream, "hasAudio": True, "hasVideo": False}]
    assert program.delete(f"{path}/streams/{stream}").status_code == 204
    assert sent(opentok) == {"removeStream": stream}
    assert not program.get(path).json().get("streams")
    assert refusal(program.post(f"{path}/streams", streamId=UNKNOWN)) == (404, "stream_not_found")
    assert refusal(program.delete(f"{path}/streams/{UNKNOWN}")) == (404, "stream_not_found")


def test_streams_are_opentoks_to_choose_unless_it_was_started_so(program, opentok):
    _, stream = open_room(program, opentok)
    path = f"archives/{program.post('archives', room='lobby').json()['id']}/streams"
    for status in (None, 400):  # OpenTok's documents and its SDKs do not agree on it
        if status:
            opentok.fault(method="PATCH", status=status)
        assert refusal(program.post(path, streamId=stream)) == (409, "streams_not_manual")
        assert refusal(program.delete(f"{path}/{stream}")) == (409, "streams_not_manual")


def test_a_recording_that_has_ended_cannot_be_changed(program, opentok):
    _, stream = open_room(program, opentok)
    path = "archives/" + program.post("archives", room="lobby", streamMode="manual").json()["id"]
    program.post(f"{path}/stop")
    opentok.advance(60)
    for answer in (
        program.put(f"{path}/layout", type="pip"),
        program.post(f"{path}/streams", streamId=stream),
        program.delete(f"{path}/streams/{stream}"),
    ):
        assert refusal(answer) == (409, "archive_not_running")
    program.delete(path)
    assert refusal(program.put(f"{path}/layout", type="pip")) == (410, "archive_deleted")


@pytest.mark.parametrize(
    "body",
    [{}, {"streamId": "x"}, {"streamId": None}, {"streamId": [UNKNOWN]}, {"streamId": -1},
     {"streamId": UNKNOWN, "hasAudio": "x"}, {"streamId": UNKNOWN, "audio": True},
     {"streamId": f"{UNKNOWN}\n"}],
    ids=str,
)  # fmt: skip
def test_a_stream_that_makes_no_sense_is_refused(program, opentok, body):
    assert refusal(program.post(f"archives/{UNKNOWN}/streams", **body)) == (400, "invalid")
    assert opentok.requests() == []


# Ids and keys

ROUTES = [
    ("GET", "archives/{}"), ("DELETE", "archives/{}"), ("POST", "archives/{}/stop"),
    ("PUT", "archives/{}/layout"), ("POST", "archives/{}/streams"),
    ("DELETE", "archives/{}/streams/" + UNKNOWN),
]  # fmt: skip
BODIES = {"layout": {"type": "pip"}, "streams": {"streamId": UNKNOWN}}


def body_for(path):
    return BODIES.get(path.rpartition("/")[2], {})


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "archive", ["x", "null", "..%2Fx%3Fy", UNKNOWN.replace("-", ""), UNKNOWN + "%0A"]
)
def test_what_is_no_id_is_not_found_and_never_reaches_opentok(
    program, school, opentok, method, path, archive
):
    for somebody in (program, school):
        answer = somebody.call(method, path.format(archive), json=body_for(path))
        assert answer.status_code == 404
    assert opentok.requests() == []


@pytest.mark.parametrize("stream", ["x", "..%2Fx%3Fy", UNKNOWN.replace("-", ""), UNKNOWN + "%0A"])
def test_what_is_no_stream_never_reaches_opentok(program, opentok, stream):
    archive = record(program, opentok)["id"]
    answer = program.delete(f"archives/{archive}/streams/{stream}")
    assert answer.status_code == 404
    assert not [asked for asked in opentok.requests() if "streams" in asked["path"]]


def test_an_id_in_upper_case_is_the_same_recording(program, school, server, opentok):
    archive = record(program, opentok, name="school-1", streamMode="manual")
    shouted, stream = archive["id"].upper(), opentok.publish(archive["sessionId"])
    for somebody in (program, school):
        path = f"archives/{shouted}"
        assert somebody.get(path).json()["id"] == archive["id"]
        assert somebody.put(f"{path}/layout", type="pip").status_code == 204
        assert somebody.post(f"{path}/streams", streamId=stream.upper()).status_code == 204
        assert somebody.delete(f"{path}/streams/{stream.upper()}").status_code == 204
    assert server.get(f"/archive/{shouted}").json()["id"] == archive["id"]
    assert (
        server.get(f"/archive/{shouted}/view", headers={"Accept": "text/html"}).status_code == 200
    )
    assert server.post(f"/archive/{shouted}/stop").json()["status"] == "stopped"
    assert school.post(f"archives/{shouted}/stop").status_code == 200
    opentok.advance(60)
    assert school.delete(f"archives/{shouted}").status_code == 204
    assert refusal(school.get(f"archives/{shouted}")) == (410, "archive_deleted")
    assert Archive.objects.count() == 1


def test_an_id_that_opentok_writes_in_upper_case_is_the_same_recording(program, opentok):
    told = record(program, opentok)
    shouted = told | {"id": told["id"].upper(), "room": None}
    opentok.fault(method="GET", status=200, body=shouted, times=1)
    assert program.get(f"archives/{told['id']}").status_code == 200
    opentok.fault(method="GET", status=200, body={"count": 2, "items": [told, shouted]})
    assert len(program.server.get("/archive").json()) == 2
    assert str(Archive.objects.get().pk) == told["id"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_unknown_recording_is_not_found(program, school, opentok, method, path):
    for somebody in (program, school):
        answer = somebody.call(method, path.format(UNKNOWN), json=body_for(path))
        assert refusal(answer) == (404, "archive_not_found")


@pytest.mark.parametrize(
    ("method", "path"), [*ROUTES, ("GET", "archives"), ("POST", "archives"), ("PUT", "archives")]
)
def test_it_takes_a_key_that_may_manage(server, opentok, method, path):
    path = path.format(UNKNOWN)
    assert refusal(server.request(method, f"/api/v1/{path}", json={})) == (401, "key_required")
    other = Program(server, can="join,record,view,list")
    assert refusal(other.call(method, path, json={})) == (403, "capability_missing")
    assert opentok.requests() == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_for_some_rooms_gets_at_no_recording_of_others(
    program, school, opentok, method, path
):
    archive = record(program, opentok)["id"]
    answer = school.call(method, path.format(archive), json=body_for(path))
    assert refusal(answer) == (403, "room_not_covered")
    assert program.get(f"archives/{archive}").json()["status"] == "started"


def test_a_key_for_some_rooms_lists_and_starts_recordings_of_these_alone(program, school, opentok):
    theirs = record(program, opentok)
    own = record(school, opentok, "school-1")
    assert [found["id"] for found in school.get("archives").json()["items"]] == [own["id"]]
    assert len(program.get("archives").json()["items"]) == 2
    session = own["sessionId"]
    assert len(school.get(f"archives?sessionId={session}").json()["items"]) == 1
    for answer in (
        school.get("archives?room=lobby"),
        school.get(f"archives?sessionId={theirs['sessionId']}"),
        school.post("archives", room="lobby", multiArchiveTag="x"),
        school.post("archives", sessionId=theirs["sessionId"], multiArchiveTag="x"),
    ):
        assert refusal(answer) == (403, "room_not_covered")
    assert school.post(f"archives/{own['id']}/stop").json()["status"] == "stopped"
    # Of a room that is no more, they are nobody's.
    program.delete("rooms/school-1")
    assert school.get("archives").json()["items"] == []
    assert refusal(school.get(f"archives/{own['id']}")) == (403, "room_not_covered")


def test_a_list_page_asks_the_database_a_few_questions_however_long_it_is(
    program, opentok, django_assert_max_num_queries
):
    catalogue(40)
    with django_assert_max_num_queries(3):
        page = list(Archive.objects.matching().order_by("-created_at")[:40])
        assert len(Archive.objects.described([archive.remote for archive in page])) == 40


def test_a_moment_is_told_in_milliseconds_as_opentok_does(transactional_db):
    moment = timezone.now().replace(microsecond=123_000)
    row = Archive(created_at=moment, session_id="1_x", status="started")
    assert row.remote["createdAt"] == int(moment.timestamp()) * 1000 + 123

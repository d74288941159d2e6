"""Archives of the emulator: their states in time, and what may be asked of them."""

import base64
import hashlib
import re
from pathlib import Path

import pytest
from opentok import ArchiveModes, Client, MediaModes, OutputModes, StreamModes
from opentok.exceptions import ArchiveError, NotFoundError, RequestError

import emulator as package
from tests.emulator_process import ControlRefused, Emulator

pytestmark = pytest.mark.usefixtures("unmodified_sdk")
# Time stands still: only the tests move it.
OPTIONS = ["--speed", "0"]

RECORDING = Path(package.__file__).with_name("recording.mp4").read_bytes()
MINUTE, HOUR = 60, 3600
NO_CLIENTS = "Not found. No clients are actively connected to the OpenTok session."
STOPPABLE_ONLY = (
    "You can only stop an archive that has one of the following statuses: "
    "started OR paused OR stopped"
)
DELETABLE_ONLY = (
    "You can only delete an archive that has one of the following statuses: "
    "available OR uploaded OR deleted"
)


@pytest.fixture
def session_id(sdk):
    return sdk.create_session(media_mode=MediaModes.routed).session_id


@pytest.fixture
def stream_id(emulator, session_id):
    return emulator.publish(session_id)


def get(emulator, archive_id):
    return emulator.call("GET", f"{emulator.archives_path}/{archive_id}").json()


def state(emulator, archive_id):
    body = get(emulator, archive_id)
    return body["status"], body["reason"]


def start(emulator, session_id, **fields):
    return emulator.call("POST", emulator.archives_path, json={"sessionId": session_id, **fields})


def started(emulator, session_id, **fields):
    answer = start(emulator, session_id, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def stop(emulator, archive_id):
    return emulator.call("POST", f"{emulator.archives_path}/{archive_id}/stop")


def delete(emulator, archive_id):
    return emulator.call("DELETE", f"{emulator.archives_path}/{archive_id}")


def all_archives(emulator, query=""):
    return emulator.call("GET", emulator.archives_path + query).json()


# Bodies


def test_a_new_archive_is_answered_in_the_services_own_words(emulator, session_id, stream_id):
    body = start(emulator, session_id, name="lesson").json()
    now = emulator.control("GET", "/clock")["now"]
    assert re.fullmatch("[0-9a-f-]{36}", body.pop("id"))
    assert body == {
        "status": "started",
        "name": "lesson",
        "reason": "",
        "sessionId": session_id,
        "projectId": 45999999,
        "partnerId": 45999999,
        "createdAt": now,
        "updatedAt": now,
        "size": 0,
        "duration": 0,
        "outputMode": "composed",
        "streamMode": "auto",
        "hasAudio": True,
        "hasVideo": True,
        "hasTranscription": False,
        "sha256sum": "",
        "password": "",
        "event": "archive",
        "resolution": "640x480",
        "url": None,
    }


def test_the_time_of_creation_is_exact_only_at_the_start(emulator, session_id, stream_id):
    first = start(emulator, session_id).json()
    later = get(emulator, first["id"])["createdAt"]
    assert later == first["createdAt"] // 1000 * 1000


def test_the_sdk_starts_looks_at_stops_and_deletes_an_archive(emulator, sdk, session_id, stream_id):
    archive = sdk.start_archive(session_id, name="lesson", resolution="1280x720")
    assert (archive.status, archive.name, archive.resolution) == ("started", "lesson", "1280x720")
    emulator.advance(30)
    assert sdk.stop_archive(archive.id).status == "stopped"
    emulator.advance(5)
    archive = sdk.get_archive(archive.id)
    assert (archive.status, archive.duration, archive.size) == ("available", 30, len(RECORDING))
    sdk.delete_archive(archive.id)
    with pytest.raises(NotFoundError):
        sdk.get_archive(archive.id)
    assert len(sdk.list_archives()) == 0


def test_every_option_comes_back(emulator, session_id, stream_id):
    body = start(
        emulator,
        session_id,
        hasVideo=False,
        multiArchiveTag="a",
        maxBitrate=2_000_000,
        hasTranscription=True,
        transcriptionProperties={"hasSummary": True},
        layout={"type": "bestFit", "screenshareType": "pip"},
    ).json()
    assert body["hasVideo"] is False
    assert body["multiArchiveTag"] == "a"
    assert body["maxBitrate"] == 2_000_000
    assert body["hasTranscription"] is True
    assert body["transcription"] == {
        "status": "requested",
        "url": None,
        "reason": None,
        "primaryLanguageCode": "en-US",
        "hasSummary": True,
    }


def test_null_is_the_same_as_absent(emulator, session_id, stream_id):
    names = ["name", "hasAudio", "hasVideo", "outputMode", "resolution", "streamMode"]
    names += ["multiArchiveTag", "maxBitrate", "quantizationParameter", "layout"]
    names += ["hasTranscription", "transcriptionProperties"]
    body = start(emulator, session_id, **dict.fromkeys(names)).json()
    assert (body["name"], body["outputMode"], body["hasAudio"]) == ("", "composed", True)


def test_the_file_is_described_once_it_is_there(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    emulator.advance(10)
    stopped = stop(emulator, archive_id).json()
    assert (stopped["size"], stopped["duration"], stopped["sha256sum"]) == (0, 0, "")
    emulator.advance(5)
    body = get(emulator, archive_id)
    digest = base64.b64encode(hashlib.sha256(RECORDING).digest()).decode()
    assert (body["size"], body["duration"], body["sha256sum"]) == (len(RECORDING), 10, digest)


# What cannot be started


@pytest.mark.parametrize(
    "fields",
    [
        {"name": 5},
        {"hasAudio": "yes"},
        {"hasAudio": False, "hasVideo": False},
        {"outputMode": "mixed"},
        {"resolution": "1x1"},
        {"resolution": ["640x480"]},
        {"outputMode": "individual", "resolution": "640x480"},
        {"outputMode": "individual", "layout": {"type": "pip"}},
        {"outputMode": "individual", "maxBitrate": 200_000},
        {"outputMode": "individual", "quantizationParameter": 20},
        {"streamMode": "both"},
        {"multiArchiveTag": {}},
        {"maxBitrate": 99_999},
        {"maxBitrate": 6_000_001},
        {"maxBitrate": True},
        {"quantizationParameter": 14},
        {"quantizationParameter": 41},
        {"maxBitrate": 200_000, "quantizationParameter": 20},
        {"layout": "pip"},
        {"layout": {}},
        {"layout": {"type": "spiral"}},
        {"layout": {"type": "custom"}},
        {"layout": {"type": "pip", "stylesheet": "x"}},
        {"layout": {"type": "pip", "screenshareType": "pip"}},
        {"layout": {"type": "bestFit", "screenshareType": "custom"}},
        {"hasTranscription": 1},
        {"transcriptionProperties": {"hasSummary": "no"}},
        {"transcriptionProperties": []},
    ],
)
def test_options_that_make_no_sense_are_refused(emulator, session_id, stream_id, fields):
    answer = start(emulator, session_id, **fields)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, 400)
    assert body["message"] == body["description"]
    assert all_archives(emulator)["count"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"9" * 5000])
def test_a_body_that_is_no_json_object_is_refused(emulator, body):
    headers = {"Content-Type": "application/json"}
    answer = emulator.call("POST", emulator.archives_path, data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_nobody_connected_is_a_404(emulator, sdk, session_id):
    answer = start(emulator, session_id)
    assert (answer.status_code, answer.json()["message"]) == (404, NO_CLIENTS)
    with pytest.raises(NotFoundError):
        sdk.start_archive(session_id)


def test_a_relayed_session_cannot_be_recorded(emulator, sdk):
    session_id = sdk.create_session(media_mode=MediaModes.relayed).session_id
    emulator.publish(session_id)
    with pytest.raises(ArchiveError):
        sdk.start_archive(session_id)


def test_a_session_is_recorded_once_at_a_time(emulator, sdk, session_id, stream_id):
    archive_id = started(emulator, session_id)
    answer = start(emulator, session_id)
    assert (answer.status_code, answer.json()["code"]) == (409, 15001)
    with pytest.raises(ArchiveError, match="already composed"):
        sdk.start_archive(session_id)
    stop(emulator, archive_id)
    assert start(emulator, session_id).status_code == 200


def test_tags_allow_several_archives_at_a_time(emulator, session_id, stream_id):
    for tag in ("a", "b", ""):
        assert start(emulator, session_id, multiArchiveTag=tag).status_code == 200
        assert start(emulator, session_id, multiArchiveTag=tag).status_code == 409


# The states


def test_an_archive_that_nobody_publishes_to_stops_after_a_minute(emulator, session_id):
    emulator.connect(session_id)
    archive_id = started(emulator, session_id)
    emulator.advance(59)
    assert state(emulator, archive_id) == ("started", "")
    emulator.advance(1)
    assert state(emulator, archive_id) == ("stopped", "maximum idle time exceeded")


def test_recording_begins_with_the_first_stream(emulator, session_id):
    connection_id = emulator.connect(session_id)
    archive_id = started(emulator, session_id)
    emulator.advance(50)
    emulator.publish(session_id, connection_id)
    emulator.advance(30)
    stop(emulator, archive_id)
    emulator.advance(5)
    assert get(emulator, archive_id)["duration"] == 30


def test_an_archive_pauses_and_goes_on_with_the_streams(emulator, session_id):
    connection_id = emulator.connect(session_id)
    stream_id = emulator.publish(session_id, connection_id)
    archive_id = started(emulator, session_id)
    emulator.advance(10)
    emulator.unpublish(session_id, stream_id)
    assert state(emulator, archive_id) == ("paused", "")
    emulator.advance(59 * MINUTE)
    emulator.publish(session_id, connection_id)
    assert state(emulator, archive_id) == ("started", "")
    emulator.advance(10)
    assert stop(emulator, archive_id).json()["reason"] == "user initiated"
    emulator.advance(5)
    assert get(emulator, archive_id)["duration"] == 20


def test_one_stream_of_two_keeps_an_archive_going(emulator, session_id, stream_id):
    emulator.publish(session_id)
    archive_id = started(emulator, session_id)
    emulator.unpublish(session_id, stream_id)
    assert state(emulator, archive_id) == ("started", "")


def test_an_idle_archive_stops_after_an_hour(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    emulator.unpublish(session_id, stream_id)
    emulator.advance(HOUR - 1)
    assert state(emulator, archive_id) == ("paused", "")
    emulator.advance(1)
    assert state(emulator, archive_id) == ("stopped", "maximum idle time exceeded")


def test_an_archive_stops_a_minute_after_everybody_left(emulator, session_id):
    connection_id = emulator.connect(session_id)
    emulator.publish(session_id, connection_id)
    archive_id = started(emulator, session_id)
    emulator.disconnect(session_id, connection_id)
    emulator.advance(59)
    assert state(emulator, archive_id) == ("paused", "")
    emulator.advance(1)
    assert state(emulator, archive_id) == ("stopped", "session ended")


def test_somebody_who_comes_back_keeps_an_archive_going(emulator, session_id):
    connection_id = emulator.connect(session_id)
    emulator.publish(session_id, connection_id)
    archive_id = started(emulator, session_id)
    emulator.disconnect(session_id, connection_id)
    emulator.advance(59)
    emulator.connect(session_id)
    emulator.advance(10 * MINUTE)
    assert state(emulator, archive_id) == ("paused", "")


def test_a_paused_archive_can_be_stopped(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    emulator.unpublish(session_id, stream_id)
    assert stop(emulator, archive_id).json()["status"] == "stopped"


def test_four_hours_are_recorded_at_most(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    emulator.advance(4 * HOUR - 1)
    assert state(emulator, archive_id) == ("started", "")
    emulator.advance(1)
    assert state(emulator, archive_id) == ("stopped", "maximum duration exceeded")
    emulator.advance(5)
    assert get(emulator, archive_id)["duration"] == 4 * HOUR


def test_pauses_count_towards_twelve_hours(emulator, session_id):
    connection_id = emulator.connect(session_id)
    stream_id = emulator.publish(session_id, connection_id)
    archive_id = started(emulator, session_id)
    for _ in range(12):
        emulator.unpublish(session_id, stream_id)
        emulator.advance(50 * MINUTE)
        stream_id = emulator.publish(session_id, connection_id)
        emulator.advance(10 * MINUTE - 1)
    assert state(emulator, archive_id) == ("started", "")
    emulator.advance(12)
    assert state(emulator, archive_id) == ("stopped", "maximum duration exceeded")
    emulator.advance(5)
    assert get(emulator, archive_id)["duration"] == 12 * (10 * MINUTE - 1) + 12


def test_what_nobody_looked_at_happened_in_order_all_the_same(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    created = get(emulator, archive_id)["createdAt"]
    emulator.advance(71 * HOUR)
    body = get(emulator, archive_id)
    assert (body["status"], body["reason"]) == ("available", "maximum duration exceeded")
    assert body["updatedAt"] - created in range((4 * HOUR + 5) * 1000, (4 * HOUR + 6) * 1000)


def test_an_available_archive_expires_72_hours_after_its_start(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    emulator.advance(HOUR)
    stop(emulator, archive_id)
    emulator.advance(71 * HOUR - 1)
    assert get(emulator, archive_id)["url"]
    emulator.advance(1)
    body = get(emulator, archive_id)
    assert (body["status"], body["url"]) == ("expired", None)
    assert body["duration"] == HOUR


def test_stopping_twice_is_no_error_until_the_file_is_there(emulator, sdk, session_id, stream_id):
    archive_id = started(emulator, session_id)
    first = stop(emulator, archive_id)
    emulator.advance(3)
    second = stop(emulator, archive_id)
    assert (second.status_code, second.json()) == (200, first.json())
    emulator.advance(2)
    third = stop(emulator, archive_id)
    assert (third.status_code, third.json()["code"]) == (409, 15002)
    assert third.json()["message"] == STOPPABLE_ONLY
    with pytest.raises(ArchiveError):
        sdk.stop_archive(archive_id)


def test_an_archive_without_a_file_cannot_be_deleted(emulator, sdk, session_id, stream_id):
    archive_id = started(emulator, session_id)
    for _ in ("started", "stopped"):
        answer = delete(emulator, archive_id)
        assert (answer.status_code, answer.json()["code"]) == (409, 15004)
        assert answer.json()["message"] == DELETABLE_ONLY
        stop(emulator, archive_id)


def test_deleting_twice_is_no_error(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    stop(emulator, archive_id)
    emulator.advance(5)
    for _ in range(2):
        answer = delete(emulator, archive_id)
        assert (answer.status_code, answer.content) == (204, b"")
    assert stop(emulator, archive_id).status_code == 409


def test_an_expired_archive_cannot_be_deleted(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    emulator.advance(72 * HOUR)
    assert state(emulator, archive_id)[0] == "expired"
    assert delete(emulator, archive_id).status_code == 409


def test_an_archive_can_be_made_to_fail(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    answer = emulator.control("POST", f"/archives/{archive_id}/fail")
    assert (answer["status"], answer["reason"]) == ("failed", "failure")
    emulator.advance(100 * HOUR)
    assert state(emulator, archive_id) == ("failed", "failure")
    assert stop(emulator, archive_id).status_code == 409
    for path, status in ((archive_id, 400), ("unknown", 404)):
        with pytest.raises(ControlRefused) as refused:
            emulator.control("POST", f"/archives/{path}/fail")
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("storage", "status"),
    [
        ({"target": "s3"}, "uploaded"),
        ({"target": "azure"}, "uploaded"),
        ({"target": "s3", "fails": True}, "failed"),
        ({"target": "s3", "fails": True, "fallback": True}, "available"),
        ({"target": None}, "available"),
    ],
)
def test_the_upload_target_decides_what_becomes_of_a_file(
    emulator, session_id, stream_id, storage, status
):
    archive_id = started(emulator, session_id)
    emulator.control("POST", "/storage", storage)
    stop(emulator, archive_id)
    emulator.advance(5)
    body = get(emulator, archive_id)
    assert body["status"] == status
    assert bool(body["url"]) == (status == "available")
    assert bool(body["size"]) == (status != "failed")


def test_an_upload_target_is_for_archives_stopped_later(emulator, session_id, stream_id):
    archive_id = started(emulator, session_id)
    stop(emulator, archive_id)
    emulator.control("POST", "/storage", {"target": "s3"})
    emulator.advance(5)
    assert state(emulator, archive_id)[0] == "available"


def test_an_uploaded_archive_can_be_deleted(emulator, session_id, stream_id):
    emulator.control("POST", "/storage", {"target": "s3"})
    archive_id = started(emulator, session_id)
    stop(emulator, archive_id)
    emulator.advance(5)
    assert delete(emulator, archive_id).status_code == 204


def test_the_delay_of_processing_can_be_chosen():
    with Emulator("--speed", "0", "--auto-connect", "--processing-seconds", "0") as emulator:
        sdk = Client(emulator.api_key, emulator.secret, api_url=emulator.url)
        session_id = sdk.create_session(media_mode=MediaModes.routed).session_id
        archive_id = started(emulator, session_id)
        assert stop(emulator, archive_id).json()["status"] == "stopped"
        assert get(emulator, archive_id)["status"] == "available"


# Everybody connected


def test_auto_connect_puts_somebody_into_every_session(emulator, sdk, session_id):
    emulator.control("POST", "/auto-connect", {"enabled": True})
    archive_id = started(emulator, session_id)
    emulator.advance(HOUR)
    assert state(emulator, archive_id)[0] == "started"
    emulator.control("POST", "/auto-connect", {"enabled": False})
    assert state(emulator, archive_id)[0] == "paused"
    emulator.advance(60)
    assert state(emulator, archive_id) == ("stopped", "session ended")


# Automatic archives


@pytest.fixture
def automatic_id(sdk):
    return sdk.create_session(
        media_mode=MediaModes.routed,
        archive_mode=ArchiveModes.always,
        archive_name="my-own_name~",
        archive_resolution="1280x720",
    ).session_id


def test_an_automatic_archive_starts_with_the_first_client(emulator, automatic_id):
    assert all_archives(emulator)["count"] == 0
    emulator.connect(automatic_id)
    emulator.connect(automatic_id)
    (archive,) = all_archives(emulator)["items"]
    assert (archive["status"], archive["sessionId"]) == ("started", automatic_id)
    assert (archive["name"], archive["resolution"]) == ("my:own:name:", "1280x720")


def test_stopping_an_automatic_archive_has_no_effect(emulator, automatic_id):
    emulator.publish(automatic_id)
    (archive,) = all_archives(emulator)["items"]
    answer = stop(emulator, archive["id"])
    assert (answer.status_code, answer.json()["status"]) == (200, "started")
    assert state(emulator, archive["id"]) == ("started", "")


def test_an_automatically_archived_session_needs_a_tag_for_more(emulator, automatic_id):
    emulator.publish(automatic_id)
    assert start(emulator, automatic_id).status_code == 409
    assert start(emulator, automatic_id, multiArchiveTag="mine").status_code == 200


def test_an_automatic_archive_is_followed_by_another_every_four_hours(emulator, automatic_id):
    emulator.publish(automatic_id)
    emulator.advance(9 * HOUR)
    listed = all_archives(emulator)["items"]
    assert [archive["status"] for archive in listed] == ["started", "available", "available"]
    newest, middle, oldest = [archive["createdAt"] for archive in listed]
    assert newest - middle == middle - oldest == 4 * HOUR * 1000


def test_an_automatic_archive_ends_with_the_session(emulator, automatic_id):
    connection_id = emulator.connect(automatic_id)
    emulator.publish(automatic_id, connection_id)
    emulator.disconnect(automatic_id, connection_id)
    emulator.advance(60)
    (archive,) = all_archives(emulator)["items"]
    assert (archive["status"], archive["reason"]) == ("stopped", "session ended")
    emulator.connect(automatic_id)
    assert [a["status"] for a in all_archives(emulator)["items"]] == ["started", "stopped"]


def test_a_session_is_archived_automatically_after_a_restart_too():
    with Emulator() as emulator:
        sdk = Client(emulator.api_key, emulator.secret, api_url=emulator.url)
        session_id = sdk.create_session(
            media_mode=MediaModes.routed, archive_mode=ArchiveModes.always
        ).session_id
        emulator.start()
        emulator.connect(session_id)
        assert all_archives(emulator)["count"] == 1


# Streams and layout


def test_streams_are_added_by_hand_in_manual_mode(emulator, sdk, session_id, stream_id):
    archive = sdk.start_archive(session_id, stream_mode=StreamModes.manual)
    sdk.add_archive_stream(archive.id, stream_id, has_audio=True, has_video=False)
    assert get(emulator, archive.id)["streams"] == [
        {"streamId": stream_id, "hasAudio": True, "hasVideo": False}
    ]
    sdk.remove_archive_stream(archive.id, stream_id)
    assert get(emulator, archive.id)["streams"] == []
    sdk.stop_archive(archive.id)
    assert "streams" not in get(emulator, archive.id)


def test_streams_that_cannot_be_changed_are_refused(emulator, session_id, stream_id):
    def change(archive_id, body):
        path = f"{emulator.archives_path}/{archive_id}/streams"
        return emulator.call("PATCH", path, json=body).status_code

    manual = started(emulator, session_id, streamMode="manual")
    auto = started(emulator, session_id, multiArchiveTag="auto")
    assert change(manual, {"addStream": stream_id}) == 204
    assert change(auto, {"addStream": stream_id}) == 405
    assert change("unknown", {"addStream": stream_id}) == 404
    assert change(manual, {"addStream": "unknown"}) == 404
    assert change(manual, {}) == 400
    assert change(manual, {"addStream": stream_id, "removeStream": stream_id}) == 400
    assert change(manual, {"addStream": 5}) == 400
    assert change(manual, []) == 400
    stop(emulator, manual)
    assert change(manual, {"addStream": stream_id}) == 404


def test_the_layout_of_a_composed_archive_can_be_set(emulator, sdk, session_id, stream_id):
    archive = sdk.start_archive(session_id)
    sdk.set_archive_layout(archive.id, "pip")
    sdk.set_archive_layout(archive.id, "custom", stylesheet="stream {}")
    with pytest.raises(ArchiveError):
        sdk.set_archive_layout(archive.id, "spiral")
    sdk.stop_archive(archive.id)
    with pytest.raises(RequestError):
        sdk.set_archive_layout(archive.id, "pip")


def test_individual_archives_have_no_layout(emulator, sdk, session_id, stream_id):
    archive = sdk.start_archive(session_id, output_mode=OutputModes.individual)
    assert archive.output_mode == OutputModes.individual
    with pytest.raises(ArchiveError):
        sdk.set_archive_layout(archive.id, "pip")


# The list


def test_the_list_is_newest_first_and_paged(emulator, sdk, session_id, stream_id):
    ids = []
    for number in range(5):
        ids.insert(0, started(emulator, session_id, multiArchiveTag=str(number)))
        emulator.advance(1)
    listed = sdk.list_archives(offset=1, count=2)
    assert [archive.id for archive in listed] == ids[1:3]
    assert listed.count == 5
    assert [a["id"] for a in all_archives(emulator)["items"]] == ids
    assert all_archives(emulator, "?offset=5") == {"count": 5, "items": []}


def test_archives_of_one_moment_are_newest_first_too(emulator, session_id, stream_id):
    ids = [started(emulator, session_id, multiArchiveTag=tag) for tag in "abc"]
    assert [a["id"] for a in all_archives(emulator)["items"]] == ids[::-1]


def test_the_list_has_fifty_archives_unless_asked(emulator, session_id, stream_id):
    for number in range(51):
        started(emulator, session_id, multiArchiveTag=str(number))
    body = all_archives(emulator)
    assert (body["count"], len(body["items"])) == (51, 50)
    assert len(all_archives(emulator, "?count=1000")["items"]) == 51


def test_the_list_can_be_of_one_session(emulator, sdk, session_id, stream_id):
    other = sdk.create_session(media_mode=MediaModes.routed).session_id
    emulator.publish(other)
    wanted = started(emulator, other)
    started(emulator, session_id)
    listed = sdk.list_archives(session_id=other)
    assert (listed.count, [archive.id for archive in listed]) == (1, [wanted])
    assert all_archives(emulator, "?sessionId=unknown") == {"count": 0, "items": []}


@pytest.mark.parametrize(
    "query",
    [
        *("count=1001", "count=-1", "count=x", "count=", "count=1.5", "count=" + "9" * 5000),
        *("count=%zz", "offset=-1", "offset=x", "offset=%D9%A1", "&".join(["a=1"] * 200)),
    ],
)
def test_paging_that_makes_no_sense_is_refused(emulator, query):
    answer = emulator.call("GET", f"{emulator.archives_path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]


# What is not there


def test_an_unknown_archive_is_a_404(emulator, sdk):
    unknown = "00000000-0000-4000-8000-000000000000"
    for answer in (
        emulator.call("GET", f"{emulator.archives_path}/{unknown}"),
        stop(emulator, unknown),
        delete(emulator, unknown),
        emulator.call("PUT", f"{emulator.archives_path}/{unknown}/layout", json={"type": "pip"}),
    ):
        assert answer.status_code == 404
        assert answer.json()["message"] == "Not found. You passed in an invalid archive ID."
    with pytest.raises(NotFoundError):
        sdk.get_archive(unknown)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/v2", "/session", "/%zz", "/é", "//v2/project/45999999/archive"),
        *("/v2/project/45999999/partner", "/v2/project/45999999/archive//"),
        "/v2/project/45999999/archive/x/y",
    ],
)
def test_what_is_not_emulated_is_a_404_in_opentoks_shape(emulator, path):
    answer = emulator.call("GET", path)
    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (404, 404, "Not found")


def test_a_wrong_method_is_a_405(emulator):
    for method in ("PUT", "HEAD", "OPTIONS"):
        assert emulator.call(method, emulator.archives_path).status_code == 405

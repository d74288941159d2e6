"""The local OpenTok's connections, streams, signals, moderation, and what runs in a session."""

import json
import time
from urllib.parse import urljoin

import jwt
import opentok
import pytest
import requests

from tests.callback_receiver import Receiver

P = "/v2/project/45999999"


@pytest.fixture
def session(emulator):
    return emulator.make_session()


@pytest.fixture
def relayed(emulator):
    return emulator.make_session("enabled")


def token_of(emulator, session, role="moderator", **claims):
    claims = {
        "session_id": session, "role": role, "scope": "session.connect", "iss": emulator.api_key,
        "exp": int(time.time()) + 60, **claims,
    }  # fmt: skip
    return jwt.encode(claims, emulator.secret, algorithm="HS256")


def people(emulator, session):
    return emulator.control("GET", f"/sessions/{session}")


def runs(emulator):
    return emulator.control("GET", "/runs")["runs"]


def refusal(answer):
    return answer.status_code, answer.json().get("code")


# Connections and streams


def test_connections_of_a_session_are_listed_oldest_first(emulator, session):
    first, second = emulator.connect(session), emulator.connect(session)
    listed = emulator.call("GET", f"{P}/session/{session}/connection").json()
    assert [item["connectionId"] for item in listed["items"]] == [first, second]
    assert {item["connectionState"] for item in listed["items"]} == {"Connected"}
    assert (listed["count"], listed["projectId"]) == (2, "45999999")


@pytest.mark.parametrize("what", ["connection", "stream"])
def test_a_session_without_clients_has_no_list(what, emulator, session):
    assert refusal(emulator.call("GET", f"{P}/session/{session}/{what}")) == (404, -1)


def test_a_session_without_streams_has_no_list_of_them(emulator, session, sdk):
    emulator.connect(session)
    for path in ("stream", "stream/x"):
        assert refusal(emulator.call("GET", f"{P}/session/{session}/{path}")) == (404, -1)
    assert sdk.list_streams(session).count == 0


def test_a_forced_disconnect_ends_streams_and_pauses_the_archive(emulator, session, sdk):
    connection = emulator.connect(session)
    emulator.publish(session, connection)
    archive = sdk.start_archive(session)
    sdk.force_disconnect(session, connection)
    assert people(emulator, session)["streams"] == []
    assert sdk.get_archive(archive.id).status == "paused"
    again = emulator.call("DELETE", f"{P}/session/{session}/connection/{connection}")
    assert refusal(again) == (404, -1)


def test_streams_are_listed_and_looked_at(emulator, session, sdk):
    stream = emulator.publish(session)
    assert [each.id for each in sdk.list_streams(session).items] == [stream]
    assert sdk.get_stream(session, stream).videoType == "camera"
    assert emulator.call("GET", f"{P}/session/{session}/stream/x").status_code == 408


def test_layout_classes_of_streams_are_kept(emulator, session, sdk):
    stream = emulator.publish(session)
    sdk.set_stream_class_lists(session, [{"id": stream, "layoutClassList": ["full"]}])
    assert sdk.get_stream(session, stream).layoutClassList == ["full"]
    wrong = {"items": [{"id": "x", "layoutClassList": []}]}
    assert emulator.call("PUT", f"{P}/session/{session}/stream", json=wrong).status_code == 400


def test_the_client_of_auto_connect_is_there_at_each_look(emulator, session):
    emulator.control("POST", "/auto-connect", {"enabled": True})
    path = f"{P}/session/{session}/connection"
    (one,) = emulator.call("GET", path).json()["items"]
    (other,) = emulator.call("GET", path).json()["items"]
    assert one["connectionId"] == other["connectionId"]
    assert emulator.call("DELETE", f"{path}/{one['connectionId']}").status_code == 204


def test_a_slash_at_the_end_of_a_path_changes_nothing(emulator, session, sdk):
    stream = emulator.publish(session)
    listed = emulator.call("GET", f"{P}/session/{session}/stream/").json()
    assert [each["id"] for each in listed["items"]] == [stream]


def test_lists_of_one_session_are_asked_for_by_either_name(emulator, session):
    emulator.publish(session)
    emulator.call("POST", f"{P}/archive", json={"sessionId": session})
    counts = [
        emulator.call("GET", f"{P}/archive?{name}={of}").json()["count"]
        for name in ("sessionId", "session_id")
        for of in (session, "1_x")
    ]
    assert counts == [1, 0, 1, 0]


def test_an_available_transcript_has_an_address_that_works(emulator, session):
    emulator.publish(session)
    start = {"sessionId": session, "hasTranscription": True}
    archive = emulator.call("POST", f"{P}/archive", json=start).json()
    emulator.call("POST", f"{P}/archive/{archive['id']}/stop")
    emulator.advance(5)
    made = emulator.call("GET", f"{P}/archive/{archive['id']}").json()["transcription"]
    assert made["status"] == "available"
    assert requests.get(made["url"], timeout=5).json()["content"][0]["text"]
    assert requests.get(made["url"] + "x", timeout=5).status_code == 403


# Signals and moderation


def test_a_signal_needs_data_and_somebody_to_get_it(emulator, session):
    path = f"{P}/session/{session}/signal"
    assert refusal(emulator.call("POST", path, json={"data": "x"})) == (404, -1)
    connection = emulator.connect(session)
    assert emulator.call("POST", path, json={"type": "chat", "data": "x"}).status_code == 204
    assert refusal(emulator.call("POST", path, json={"type": "chat"})) == (400, 15202)
    assert emulator.call("POST", path, json={"data": "x" * 8193}).status_code == 413
    to_one = f"{P}/session/{session}/connection/{connection}/signal"
    assert emulator.call("POST", to_one, json={"data": "x"}).status_code == 204
    to_none = f"{P}/session/{session}/connection/x/signal"
    assert refusal(emulator.call("POST", to_none, json={"data": "x"})) == (404, -1)


def test_a_signal_with_half_a_character_is_answered(emulator, session):
    emulator.connect(session)
    body = json.dumps({"type": "chat", "data": "\ud800"})
    assert emulator.call("POST", f"{P}/session/{session}/signal", data=body).status_code == 204


def test_muting_shows_in_the_streams(emulator, session):
    one, other = emulator.publish(session), emulator.publish(session)
    path = f"{P}/session/{session}"

    def heard():
        return {
            each["streamId"] for each in people(emulator, session)["streams"] if each["hasAudio"]
        }

    assert emulator.call("POST", f"{path}/stream/{one}/mute").status_code == 200
    assert heard() == {other}
    all_but_other = {"active": "true", "excludedStreamIds": [other]}
    assert emulator.call("POST", f"{path}/mute", json=all_but_other).json()["status"] == "ACTIVE"
    assert heard() == {other}
    emulator.call("POST", f"{path}/mute", json={"active": True, "excludedStreams": [other]})
    assert heard() == set()
    assert emulator.call("POST", f"{path}/mute", json={"active": False}).status_code == 200


# Broadcasts


HLS = {"outputs": {"hls": {"dvr": False, "lowLatency": False}}}


def test_a_broadcast_goes_from_connecting_to_live_to_ended(emulator, session, sdk):
    emulator.publish(session)
    options = {
        "outputs": {"hls": {}, "rtmp": [{"id": "a", "serverUrl": "rtmp://x/y", "streamName": "k"}]}
    }
    made = emulator.call("POST", f"{P}/broadcast", json={"sessionId": session, **options}).json()
    path = f"{P}/broadcast/{made['id']}"
    assert made["status"] == "started"
    assert made["broadcastUrls"]["rtmp"][0]["status"] == "connecting"
    assert emulator.call("GET", path).json()["broadcastUrls"]["hlsStatus"] == "connecting"
    emulator.advance(15)
    assert emulator.call("GET", path).json()["broadcastUrls"]["hlsStatus"] == "live"
    stopped = emulator.call("POST", f"{path}/stop").json()
    assert (stopped["status"], stopped["broadcastUrls"]) == ("stopped", None)
    assert refusal(emulator.call("POST", f"{path}/stop")) == (404, -1)


def test_a_session_has_one_broadcast_of_each_tag(emulator, session):
    emulator.publish(session)
    start = {"sessionId": session, **HLS}
    assert emulator.call("POST", f"{P}/broadcast", json=start).status_code == 200
    again = emulator.call("POST", f"{P}/broadcast", json=start)
    assert again.status_code == 409
    assert again.json() == {"message": "Session is already composed for given tag with code 409"}
    tagged = emulator.call("POST", f"{P}/broadcast", json={**start, "multiBroadcastTag": "b"})
    assert tagged.status_code == 200
    assert emulator.call("GET", f"{P}/broadcast?sessionId={session}").json()["count"] == 2


@pytest.mark.parametrize(("seconds", "status"), [(59, "started"), (61, "stopped")])
def test_a_broadcast_ends_a_minute_after_the_last_client(seconds, status, emulator, session):
    connection = emulator.connect(session)
    made = emulator.call("POST", f"{P}/broadcast", json={"sessionId": session, **HLS}).json()
    emulator.disconnect(session, connection)
    emulator.advance(seconds)
    assert emulator.call("GET", f"{P}/broadcast/{made['id']}").json()["status"] == status


def test_a_broadcast_ends_at_its_maximum(emulator, session):
    emulator.publish(session)
    start = {"sessionId": session, "maxDuration": 60, **HLS}
    made = emulator.call("POST", f"{P}/broadcast", json=start).json()
    emulator.advance(61)
    assert emulator.call("GET", f"{P}/broadcast/{made['id']}").json()["status"] == "stopped"


@pytest.mark.parametrize(
    "fields",
    [
        {"outputs": {}},
        {"outputs": {"hls": {"dvr": True, "lowLatency": True}}},
        {"outputs": {"rtmp": [{"serverUrl": "http://x", "streamName": "k"}]}},
        {**HLS, "maxDuration": 59},
        {**HLS, "resolution": "1x1"},
    ],
    ids=str,
)
def test_a_broadcast_that_makes_no_sense_is_refused(fields, emulator, session):
    emulator.publish(session)
    answer = emulator.call("POST", f"{P}/broadcast", json={"sessionId": session, **fields})
    assert answer.status_code == 400


def test_the_hls_address_of_a_broadcast_plays_while_it_is_live(emulator, session):
    emulator.publish(session)
    made = emulator.call("POST", f"{P}/broadcast", json={"sessionId": session, **HLS}).json()
    address = made["broadcastUrls"]["hls"]
    assert requests.get(address, timeout=5).status_code == 404
    emulator.advance(15 + 30)
    playing = requests.get(address, timeout=5)
    assert playing.headers["Access-Control-Allow-Origin"] == "*"
    names = [line for line in playing.text.splitlines() if line.endswith(".ts")]
    assert len(names) == 5
    assert "ENDLIST" not in playing.text
    segment = requests.get(urljoin(address, names[0]), timeout=5)
    assert segment.headers["Content-Type"] == "video/mp2t"
    assert segment.content[::188] == b"G" * (len(segment.content) // 188)  # MPEG-TS packets
    emulator.call("POST", f"{P}/broadcast/{made['id']}/stop")
    assert requests.get(address, timeout=5).text.endswith("#EXT-X-ENDLIST\n")


# Captions, renders, calls, audio connectors


def test_a_session_has_captions_once(emulator, session, sdk):
    emulator.publish(session)
    captions = sdk.start_captions(session, token_of(emulator, session))
    with pytest.raises(opentok.exceptions.CaptioningAlreadyInProgressError):
        sdk.start_captions(session, token_of(emulator, session))
    path = f"{P}/captions/{captions.captions_id}"
    assert emulator.call("GET", path).json()["status"] == "started"
    assert emulator.call("POST", f"{path}/stop").status_code == 202
    assert refusal(emulator.call("POST", f"{path}/stop")) == (404, -1)
    assert emulator.call("GET", path).json()["reason"] == "Stop requested"


@pytest.mark.parametrize(
    ("role", "claims"),
    [("publisher", {}), ("moderator", {"session_id": "1_x"}), ("moderator", {"exp": 1})],
)
def test_captions_take_a_moderators_token_of_the_session(role, claims, emulator, session):
    emulator.publish(session)
    token = token_of(emulator, session, role, **claims)
    start = {"sessionId": session, "token": token}
    assert emulator.call("POST", f"{P}/captions", json=start).status_code in {400, 403}
    assert runs(emulator) == []


def test_a_render_becomes_a_stream_and_ends(emulator, session, sdk):
    token = token_of(emulator, session, "publisher", connection_data="composer")
    render = sdk.start_render(
        session, token, "https://app.example/page", properties={"name": "Composed"}
    )
    assert render.status == "starting"
    assert people(emulator, session)["streams"] == []
    emulator.advance(2)
    (stream,) = people(emulator, session)["streams"]
    (connection,) = people(emulator, session)["connections"]
    assert (stream["name"], connection["data"]) == ("Composed", "composer")
    path = f"{P}/render/{render.id}"
    assert emulator.call("GET", path).json()["streamId"] == stream["streamId"]
    assert emulator.call("DELETE", path).status_code == 204
    assert people(emulator, session)["connections"] == []
    assert emulator.call("GET", path).json()["reason"] == "Stop requested"
    assert emulator.call("GET", f"{P}/render").json()["count"] == 1


def test_a_render_of_a_page_that_cannot_be_loaded_fails(emulator, session, sdk):
    render = sdk.start_render(
        session, token_of(emulator, session, "publisher"), "https://x.invalid/page"
    )
    emulator.advance(2)
    failed = emulator.call("GET", f"{P}/render/{render.id}").json()
    assert (failed["status"], failed["reason"]) == ("failed", "Could not load URL")


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"url": "ftp://app.example/page"}, 50001), ({"url": "http://[::1/page/of/an/app"}, 50001), ({"maxDuration": 1}, 50005), ({"resolution": "1x1"}, 50006),
     ({"properties": {"name": ""}}, 50007), ({"sessionId": "x"}, 50008)],
)  # fmt: skip
def test_a_render_that_makes_no_sense_is_refused(fields, code, emulator, session):
    token = token_of(emulator, session, "publisher")
    start = {"sessionId": session, "token": token, "url": "https://app.example/page", **fields}
    assert refusal(emulator.call("POST", f"{P}/render", json=start)) == (400, code)
    emulator.advance(2)
    assert runs(emulator) == []


def test_a_recording_has_what_a_render_showed_even_if_nobody_looked_meanwhile(
    emulator, session, sdk
):
    emulator.control("POST", "/clock", {"speed": 0})
    emulator.connect(session)
    archive = sdk.start_archive(session)
    start = {
        "sessionId": session,
        "token": token_of(emulator, session, "publisher"),
        "url": "https://app.example/page",
        "maxDuration": 60,
    }
    assert emulator.call("POST", f"{P}/render", json=start).status_code == 202
    emulator.advance(3600)
    assert sdk.get_archive(archive.id).status == "paused"
    sdk.stop_archive(archive.id)
    emulator.advance(5)
    assert sdk.get_archive(archive.id).duration == 60 - 2


@pytest.mark.parametrize("path", ["render", "captions", "dial", "connect"])
@pytest.mark.parametrize(
    ("claims", "code"),
    [({"exp": 1}, 10012), ({"session_id": "1_x"}, 10007), ({"scope": "x"}, 10001), ({"iss": "1"}, 10001)],
    ids=str,
)  # fmt: skip
def test_a_client_token_that_is_no_use_is_refused(path, claims, code, emulator, session):
    emulator.publish(session)
    start = {"sessionId": session, "token": token_of(emulator, session, **claims),
             "url": "https://app.example/page", "sip": {"uri": "sip:a@b"}, "websocket": {"uri": "wss://a"}}  # fmt: skip
    assert refusal(emulator.call("POST", f"{P}/{path}", json=start)) == (403, code)


@pytest.mark.parametrize("path", ["dial", "call"])
def test_a_call_joins_the_session_until_it_is_hung_up(path, emulator, session):
    emulator.publish(session)
    dial = {"sessionId": session, "token": token_of(emulator, session), "sip": {"uri": "sip:a@b"}}
    made = emulator.call("POST", f"{P}/{path}", json=dial).json()
    assert len(people(emulator, session)["connections"]) == 2
    tones = f"{P}/session/{session}/connection/{made['connectionId']}/play-dtmf"
    assert emulator.call("POST", tones, json={"digits": "12p#"}).status_code == 200
    assert emulator.call("POST", tones, json={"digits": "abc"}).status_code == 400
    assert runs(emulator)[0]["digits"] == ["12p#"]
    emulator.call("DELETE", f"{P}/session/{session}/connection/{made['connectionId']}")
    assert runs(emulator)[0]["status"] == "stopped"
    assert emulator.call("POST", tones, json={"digits": "1"}).status_code == 404


def test_an_audio_connector_is_a_connection_until_it_is_stopped(emulator, session):
    emulator.publish(session)
    fields = {"sessionId": session, "token": token_of(emulator, session),
              "websocket": {"uri": "wss://bot.example/a", "audioRate": 16000, "bidirectional": "true"}}  # fmt: skip
    made = emulator.call("POST", f"{P}/connect", json=fields).json()
    assert made["connectionId"] in {
        each["connectionId"] for each in people(emulator, session)["connections"]
    }
    assert emulator.call("POST", f"{P}/connect/{made['id']}/stop").status_code == 204
    assert len(people(emulator, session)["connections"]) == 1
    assert emulator.call("POST", f"{P}/connect/{made['id']}/stop").status_code == 404


@pytest.mark.parametrize(
    ("path", "fields"),
    [("broadcast", HLS), ("captions", {}), ("dial", {"sip": {"uri": "sip:a@b"}}),
     ("connect", {"websocket": {"uri": "wss://bot.example"}})],
)  # fmt: skip
def test_what_needs_a_routed_session_is_refused_for_a_relayed_one(path, fields, emulator, relayed):
    emulator.publish(relayed)
    start = {"sessionId": relayed, "token": token_of(emulator, relayed), **fields}
    assert emulator.call("POST", f"{P}/{path}", json=start).status_code == 409


@pytest.mark.parametrize("path", ["broadcast/x", "captions/x", "render/x", "archive/x"])
def test_an_unknown_id_is_a_404_in_opentoks_shape(path, emulator):
    assert refusal(emulator.call("GET", f"{P}/{path}")) == (404, -1)


# Callbacks


def test_clients_and_streams_are_told_with_reasons(emulator, session):
    with Receiver() as receiver:
        emulator.control(
            "POST", "/callback-url", {"urls": {"session": receiver.url}, "secret": "s"}
        )
        connection = emulator.connect(session)
        emulator.publish(session, connection)
        emulator.call("DELETE", f"{P}/session/{session}/connection/{connection}")
        told = [each["body"] for each in emulator.callbacks(attempts=6)]
    assert [each["event"] for each in told] == [
        "sessionCreated", "connectionCreated", "streamCreated",
        "streamDestroyed", "connectionDestroyed", "sessionDestroyed",
    ]  # fmt: skip
    assert {each["projectId"] for each in told} == {"45999999"}
    assert told[2]["stream"]["connection"]["id"] == told[1]["connection"]["id"] == connection
    assert told[3]["reason"] == told[4]["reason"] == "forceDisconnected"


def test_what_runs_in_a_session_is_told(emulator, session, sdk):
    emulator.publish(session)
    with Receiver() as receiver:
        urls = dict.fromkeys(("broadcast", "captions", "render", "call"), receiver.url)
        emulator.control("POST", "/callback-url", {"urls": urls, "secret": "s"})
        made = emulator.call("POST", f"{P}/broadcast", json={"sessionId": session, **HLS}).json()
        emulator.call("POST", f"{P}/broadcast/{made['id']}/stop")
        captions = sdk.start_captions(session, token_of(emulator, session))
        sdk.stop_captions(captions.captions_id)
        sdk.start_render(
            session, token_of(emulator, session, "publisher"), "https://app.example/page"
        )
        emulator.advance(2)
        dial = {
            "sessionId": session,
            "token": token_of(emulator, session),
            "sip": {"uri": "sip:a@b"},
        }
        emulator.call("POST", f"{P}/dial", json=dial)
        told = emulator.callbacks(attempts=8)
    assert [(each["kind"], each["body"].get("status") or each["body"]["event"]) for each in told] == [
        ("broadcast", "started"), ("broadcast", "stopped"), ("captions", "started"), ("captions", "stopped"),
        ("render", "started"), ("call", "callCreated"), ("call", "callUpdated"), ("call", "callUpdated"),
    ]  # fmt: skip


def test_captions_are_told_to_the_address_that_their_start_names(emulator, session, sdk):
    emulator.publish(session)
    with Receiver() as receiver:
        captions = sdk.start_captions(
            session, token_of(emulator, session), status_callback_url=receiver.url
        )
        sdk.stop_captions(captions.captions_id)
        told = [each["body"]["status"] for each in emulator.callbacks(attempts=2)]
        assert (len(receiver.received), told) == (2, ["started", "stopped"])


@pytest.mark.parametrize(
    "url", ["http://a.b", "here", "ftp://app.example/x", "http://a.b/" + "x" * 2048, 7]
)
def test_captions_need_an_address_that_can_be_called(url, emulator, session):
    emulator.publish(session)
    start = {"sessionId": session, "token": token_of(emulator, session), "statusCallbackUrl": url}
    assert refusal(emulator.call("POST", f"{P}/captions", json=start)) == (400, 400)


def test_a_registered_address_is_told_of_what_happens_by_itself(emulator, session, sdk):
    emulator.publish(session)
    archive = sdk.start_archive(session)
    sdk.stop_archive(archive.id)
    with Receiver() as receiver:
        fields = {"group": "archive", "event": "status", "url": receiver.url}
        emulator.control("POST", "/clock", {"speed": 100})
        emulator.call("POST", f"{P}/callback", json=fields)
        (told,) = emulator.callbacks(attempts=1)
    assert told["body"]["status"] == "available"


def test_a_registered_address_is_told_of_its_event_alone(emulator, session):
    with Receiver() as receiver:
        fields = {"group": "connection", "event": "created", "url": receiver.url}
        made = emulator.call("POST", f"{P}/callback", json=fields).json()
        assert emulator.call("GET", f"{P}/callback").json() == [made]
        emulator.publish(session)
        (told,) = emulator.callbacks(attempts=1)
        assert told["body"]["event"] == "connectionCreated"
    assert emulator.call("DELETE", f"{P}/callback/{made['id']}").status_code == 204
    assert emulator.call("GET", f"{P}/callback").json() == []
    wrong = emulator.call("POST", f"{P}/callback", data=json.dumps({**fields, "group": "x"}))
    assert wrong.status_code == 400

"""What the web samples of both generations ask of their servers beyond rooms and recordings.

The server is as it is after a deploy: nobody has a key, and ANONYMOUS_ACCESS is not set. It can call
phones.
"""

import hashlib
import json
import time
import uuid

import jwt
import pytest

from rooms.conferences import Conference
from rooms.models import Room
from tests.server_process import Server
from tests.test_capabilities import bearer
from tests.test_client_tokens import session_of, signed, t1
from video import tokens

NUMBER = "14155550100"
PHONE = "14155550199"


@pytest.fixture(scope="module")
def _server(_emulator, django_db_setup, django_db_blocker):
    # A space counts as not set, and keeps a developer's `.env` out.
    unset = dict.fromkeys(["ANONYMOUS_ACCESS", "ROOM_CREATION", "TOKEN_ROLE", "TOKEN_TTL"], " ")
    with django_db_blocker.unblock(), Server(OPENTOK_API_URL=_emulator.url, **unset) as server:
        yield server


@pytest.fixture
def room(server, opentok):
    """The credentials of a client that has joined a room."""
    found = server.get("/room/session").json()
    opentok.connect(found["sessionId"])
    return found


def token(session, role):
    return tokens.generate_token(session, role=role, lifetime=60)


def with_token(text):
    return {"Authorization": f"Bearer {text}"}


def refusal(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer.status_code, answer.json()["code"]


def sent(opentok, path):
    """The bodies of the POSTs that reached OpenTok there."""
    posts = [each for each in opentok.requests() if each["method"] == "POST"]
    return [json.loads(each["body"]) for each in posts if each["path"].endswith(path)]


def connections(opentok, room):
    there = opentok.control("GET", f"/sessions/{room['sessionId']}")["connections"]
    return [each["connectionId"] for each in there]


# Captions

STOPS = {
    "old sample": {"json": {}},
    "new sample": {"headers": {"Content-Type": "application/json"}},
    "neither body nor type": {},
}


def start_captions(server, room, **options):
    body = {"sessionId": room["sessionId"], "token": room["token"]}
    return server.post("/captions/start", json=body, **options)


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_a_participant_captions_the_session_with_the_token_alone(server, opentok, room, stop):
    started = start_captions(server, room)
    assert started.status_code == 200
    captions = started.json()["id"]
    (asked,) = sent(opentok, "/captions")
    assert asked["languageCode"] == "en-US"
    assert asked["partialCaptions"] is True
    # OpenTok wants a moderator's.
    upstream = jwt.decode(asked["token"], options={"verify_signature": False})
    assert upstream["role"] == "moderator"
    stopped = server.post(f"/captions/{captions}/stop", **stop)
    assert stopped.ok
    stopped.json()
    again = server.post(f"/captions/{captions}/stop", **stop)
    assert (again.status_code, again.json()) == (202, stopped.json())


def test_the_second_starter_gets_the_id_of_the_captions_that_run(server, room):
    first, second = start_captions(server, room), start_captions(server, room)
    assert (second.status_code, second.json()) == (200, first.json())


def test_captions_that_have_ended_can_be_started_anew(server, room):
    first = start_captions(server, room).json()["id"]
    server.post(f"/captions/{first}/stop")
    assert start_captions(server, room).json()["id"] != first


def test_a_key_or_a_token_in_the_header_captions_as_well(server, room):
    body = {"sessionId": room["sessionId"]}
    for headers in (bearer("caption"), with_token(room["token"])):
        assert server.post("/captions/start", json=body, headers=headers).status_code == 200
    # The key is the proof then, whatever the body has.
    odd = body | {"token": "T1==x"}
    assert server.post("/captions/start", json=odd, headers=bearer("caption")).status_code == 200


def test_without_a_proof_there_are_no_captions(server, opentok, room):
    session = room["sessionId"]
    for body in ({"sessionId": session}, {"sessionId": session, "token": ""}, {"sessionId": session, "token": 7}, [session]):  # fmt: skip
        refused = server.post("/captions/start", json=body)
        assert refusal(refused) == (401, "client_token_required")
    refused = server.post("/captions/start", json={"sessionId": session}, headers=bearer("join"))
    assert refusal(refused) == (403, "capability_missing")
    assert sent(opentok, "/captions") == []


def not_good():
    return {
        "forged": signed(key="x" * 40),
        "forged T1": t1(secret="x" * 40),
        "expired": signed(exp=1),
        "of another project": t1(partner="47000001"),
        "for a session of another project": signed(session_id=session_of("47000001")),
    }


@pytest.mark.parametrize("text", not_good().values(), ids=not_good())
def test_a_token_that_is_not_good_starts_nothing(server, opentok, room, text):
    body = {"sessionId": room["sessionId"]}
    audio = body | {"webSocketHost": "bot.example.com"}
    for answer in (
        server.post("/captions/start", json=body | {"token": text}),
        server.post("/captions/start", json=body, headers=with_token(text)),
        server.post("/audio-connector/connect", json=audio, headers=with_token(text)),
    ):
        assert refusal(answer) == (401, "client_token_invalid")
    assert sent(opentok, "/captions") + sent(opentok, "/connect") == []


@pytest.mark.parametrize("role", ["subscriber", "publisheronly"])
def test_a_token_of_a_lesser_role_starts_nothing(server, room, role):
    session = room["sessionId"]
    lesser = token(session, role)
    answer = server.post("/captions/start", json={"sessionId": session, "token": lesser})
    assert refusal(answer) == (403, "client_token_insufficient")
    body = {"sessionId": session, "webSocketHost": "bot.example.com"}
    answer = server.post("/audio-connector/connect", json=body, headers=with_token(lesser))
    assert refusal(answer) == (403, "client_token_insufficient")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/captions/start", {}),
        ("/audio-connector/connect", {"webSocketHost": "bot.example.com"}),
        ("/audio-connector/disconnect", {"connectionId": str(uuid.uuid4())}),
    ],
)
def test_a_token_of_another_session_starts_and_ends_nothing(server, room, path, body):
    other = server.get("/room/other").json()
    stranger = token(other["sessionId"], "moderator")
    body = body | {"sessionId": room["sessionId"]}
    assert refusal(server.post(path, json=body, headers=with_token(stranger))) == (
        403,
        "session_not_covered",
    )


def test_captions_are_stopped_by_their_id_and_no_other_one(server, opentok, room):
    for wrong in (str(uuid.uuid4()), "x", "..%2Farchive%2Fx%2Fstop%3F"):
        assert refusal(server.post(f"/captions/{wrong}/stop")) == (404, "captions_not_found")
    captions = start_captions(server, room).json()["id"]
    assert server.post(f"/captions/{captions.upper()}/stop").status_code == 202


def test_a_proof_of_other_rooms_stops_no_captions(server, room):
    captions = start_captions(server, room).json()["id"]
    other = server.get("/room/other").json()["token"]
    path = f"/captions/{captions}/stop"
    refused = server.post(path, headers=with_token(other))
    assert refusal(refused) == (403, "session_not_covered")
    inside = bearer("caption", room_prefix="class-")
    assert refusal(server.post(path, headers=inside)) == (403, "room_not_covered")


# Broadcasts


def start_body(host, **changed):
    return {"rtmp": [], "lowLatency": False, "dvr": True, "sessionId": host["sessionId"],
            "streamMode": "auto"} | changed  # fmt: skip


@pytest.fixture
def host(server, opentok):
    found = server.get("/broadcast/show/host", headers=bearer("broadcast")).json()
    opentok.connect(found["sessionId"])
    return found


def test_the_host_page_starts_looks_at_and_stops_a_broadcast(server, opentok, host):
    headers = bearer("broadcast")
    started = server.post("/broadcast/show/start", json=start_body(host), headers=headers)
    assert started.status_code == 200
    assert started.json()["sessionId"] == host["sessionId"]
    assert started.json()["broadcastUrls"]["hls"].startswith("http")
    body = {"sessionId": host["sessionId"]}
    looked = server.post("/broadcast/show/status", json=body, headers=headers)
    assert (looked.status_code, looked.json()["id"]) == (200, started.json()["id"])
    for _ in range(2):
        stopped = server.post("/broadcast/show/stop", json=body, headers=headers)
        assert (stopped.status_code, stopped.json()["status"]) == (200, "stopped")
        assert stopped.json()["broadcastUrls"] is None
    looked = server.post("/broadcast/show/status", json=body, headers=headers)
    assert looked.json()["status"] == "stopped"


def test_a_start_ends_what_is_broadcast_of_the_session(server, host):
    headers = bearer("broadcast")
    ids = [
        server.post("/broadcast/show/start/", json=start_body(host), headers=headers).json()["id"]
        for _ in range(2)
    ]
    assert ids[0] != ids[1]
    body = {"sessionId": host["sessionId"]}
    assert server.post("/broadcast/show/status", json=body, headers=headers).json()["id"] == ids[1]


def test_a_broadcast_goes_to_rtmp_servers_in_full_hd(server, opentok, host):
    target = {"serverUrl": "rtmps://live.example.com/app", "streamName": "secret-name"}
    body = start_body(host, rtmp=[target], dvr=False, lowLatency=True, fhd=True)
    started = server.post("/broadcast/show/start", json=body, headers=bearer("broadcast"))
    assert started.status_code == 200
    (asked,) = sent(opentok, "/broadcast")
    assert asked["outputs"]["rtmp"][0]["serverUrl"] == target["serverUrl"]
    assert asked["outputs"]["hls"] == {"lowLatency": True, "dvr": False}
    assert asked["resolution"] == "1920x1080"


@pytest.mark.parametrize("action", ["start", "stop", "status"])
def test_without_the_capability_nothing_is_broadcast(server, opentok, host, action):
    path, body = f"/broadcast/show/{action}", start_body(host)
    assert refusal(server.post(path, json=body)) == (401, "key_required")
    lacking = server.post(path, json=body, headers=bearer("call", "manage", "moderate"))
    assert refusal(lacking) == (403, "capability_missing")
    own = server.post(path, json=body, headers=with_token(host["token"]))
    assert refusal(own) == (403, "client_token_insufficient")
    inside = bearer("broadcast", room_prefix="class-")
    assert refusal(server.post(path, json=body, headers=inside)) == (403, "room_not_covered")
    assert sent(opentok, "/broadcast") == []


def test_nothing_was_broadcast(server, host):
    body, headers = {"sessionId": host["sessionId"]}, bearer("broadcast")
    for action in ("stop", "status"):
        answer = server.post(f"/broadcast/show/{action}", json=body, headers=headers)
        assert refusal(answer) == (404, "broadcast_not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sessionId": ""}, {"sessionId": None}, {"rtmp": "x"}, {"rtmp": [1]}, {"rtmp": [{}]},
        {"rtmp": [{"serverUrl": "http://x", "streamName": "y"}]}, {"streamMode": "x"},
        {"lowLatency": "perhaps"},
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_starts_no_broadcast(server, host, wrong):
    body = start_body(host, **wrong)
    answer = server.post("/broadcast/show/start", json=body, headers=bearer("broadcast"))
    assert refusal(answer) == (400, "invalid")


def test_a_broadcast_that_opentok_refuses_is_refused(server, host):
    body = start_body(host, lowLatency=True, dvr=True)
    answer = server.post("/broadcast/show/start", json=body, headers=bearer("broadcast"))
    assert refusal(answer) == (400, "broadcast_refused")


# Phones


def test_a_room_has_one_conference_for_good(server, room):
    headers = bearer("call")
    first = server.get("/sip/session", headers=headers)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "no-store"
    conference = first.json()
    assert conference.keys() == {"pin", "conversationName", "sessionId", "conferenceNumber"}
    assert conference["sessionId"] == room["sessionId"]
    assert conference["conferenceNumber"] == NUMBER
    assert len(conference["pin"]) == 10
    assert server.get("/sip/session/", headers=headers).json() == conference
    server.get("/room/other")
    other = server.get("/sip/other", headers=headers).json()
    assert other["pin"] != conference["pin"]


def test_a_room_that_is_not_there_has_no_conference(server):
    assert refusal(server.get("/sip/nothing", headers=bearer("call"))) == (404, "room_not_found")
    dialled = server.post("/sip/nothing/dial", headers=bearer("call"))
    assert refusal(dialled) == (404, "room_not_found")
    assert not Room.objects.exists()


@pytest.mark.parametrize("body", [None, {}, {"msisdn": f"+{PHONE}"}])
def test_a_room_dials_and_hangs_up(server, opentok, room, body):
    headers = bearer("call")
    dialled = server.post("/sip/session/dial", json=body, headers=headers)
    assert dialled.status_code == 200
    call = dialled.json()
    assert {"id", "connectionId", "streamId"} <= call.keys()
    (asked,) = sent(opentok, "/dial")
    sip = asked["sip"]
    assert sip["uri"] == f"sip:{NUMBER}@sip.nexmo.com;transport=tls"
    assert sip["auth"]["username"] == "a1b2c3d4"
    assert sip.get("headers") == ({"X-learningserver-msisdn": PHONE} if body else None)
    told = jwt.decode(asked["token"], options={"verify_signature": False})
    assert told["role"] == "publisher"
    assert '"sip": true' in told["connection_data"]
    for _ in range(2):
        ended = server.post("/sip/session/hangup", headers=headers)
        assert (ended.status_code, ended.json()) == (200, {})
    assert call["connectionId"] not in connections(opentok, room)


@pytest.mark.parametrize("number", ["0", "call me", "+", "123456789012345678", 5, {"a": 1}])
def test_what_is_no_phone_number_is_not_dialled(server, opentok, room, number):
    answer = server.post("/sip/session/dial", json={"msisdn": number}, headers=bearer("call"))
    assert refusal(answer) == (400, "invalid")
    assert sent(opentok, "/dial") == []


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/dial"), ("POST", "/hangup")])
def test_without_the_capability_no_phone_gets_in(server, opentok, room, method, path):
    path = f"/sip/session{path}"
    assert refusal(server.request(method, path)) == (401, "key_required")
    lacking = server.request(method, path, headers=bearer("join", "manage", "broadcast"))
    assert refusal(lacking) == (403, "capability_missing")
    moderator = token(room["sessionId"], "moderator")
    own = server.request(method, path, headers=with_token(moderator))
    assert refusal(own) == (403, "client_token_insufficient")
    inside = bearer("call", room_prefix="class-")
    assert refusal(server.request(method, path, headers=inside)) == (403, "room_not_covered")
    assert sent(opentok, "/dial") == []


def test_a_server_without_a_line_says_what_is_missing(limited, opentok):
    server = limited("other=99/hour", CONFERENCE_NUMBER=" ", SIP_PASSWORD=" ")
    opentok.connect(server.get("/room/session").json()["sessionId"])
    refused = server.post("/sip/session/dial", headers=bearer("call"))
    assert refusal(refused) == (503, "sip_not_configured")
    assert "set CONFERENCE_NUMBER, SIP_PASSWORD." in refused.json()["detail"]
    conference = server.get("/sip/session", headers=bearer("call")).json()
    assert conference["conferenceNumber"] is None


# What the Voice API asks


def answer(server, **told):
    query = "&".join(f"{name}={value}" for name, value in told.items())
    found = server.get(f"/sip/vapi/answer?{query}")
    assert found.status_code == 200
    return found.json()


def headers_of(room, **more):
    return {"SipHeader_X-OpenTok-SessionId": room["sessionId"]} | more


def test_a_call_from_a_session_joins_the_conversation_of_its_room(server, room):
    server.post("/sip/session/dial", headers=bearer("call"))
    conference = Conference.objects.get()
    assert answer(server, **headers_of(room)) == [
        {"action": "conversation", "name": conference.conversation, "startOnEnter": True,
         "endOnExit": True}
    ]  # fmt: skip


def test_a_call_to_a_phone_is_connected_to_the_number_that_was_dialled(server, room):
    server.post("/sip/session/dial", json={"msisdn": PHONE}, headers=bearer("call"))
    asked = headers_of(room, **{"SipHeader_X-learningserver-msisdn": PHONE})
    assert answer(server, **asked) == [
        {"action": "connect", "endpoint": [{"type": "phone", "number": PHONE}], "from": NUMBER}
    ]
    # Else anybody could call expensive numbers by way of this server.
    forged = asked | {"SipHeader_X-learningserver-msisdn": "14155550111"}
    assert [each["action"] for each in answer(server, **forged)] == ["talk"]


def test_nothing_is_given_away_for_a_session_that_is_in_no_call(server, room):
    server.get("/sip/session", headers=bearer("call"))
    for session in (room["sessionId"], session_of("47000001"), "", "x" * 3000):
        told = {"SipHeader_X-OpenTok-SessionId": session}
        assert [each["action"] for each in answer(server, **told)] == ["talk"]


def test_a_call_that_has_ended_leaves_its_session(server, opentok, room):
    call = server.post("/sip/session/dial", headers=bearer("call")).json()
    answer(server, **headers_of(room), uuid="voice-1")
    for method, uuid_, status in (("GET", "voice-2", "completed"), ("POST", "voice-1", "started")):
        server.request(method, f"/sip/vapi/events?uuid={uuid_}&status={status}")
    assert call["connectionId"] in connections(opentok, room)
    ended = server.post("/sip/vapi/events", json={"uuid": "voice-1", "status": "completed"})
    assert ended.status_code == 200
    assert call["connectionId"] not in connections(opentok, room)


def test_a_caller_keys_in_the_pin(server, room):
    pin = server.get("/sip/session", headers=bearer("call")).json()["pin"]
    talk, keys = answer(server)
    assert (talk["action"], keys["action"]) == ("talk", "input")
    assert keys["eventUrl"] == [f"{server.url}/sip/vapi/answer"]

    def key_in(digits):
        told = {"dtmf": {"digits": digits, "timed_out": False}, "uuid": "x"}
        return server.post("/sip/vapi/answer", json=told).json()

    assert [each["action"] for each in key_in(pin[::-1])] == ["talk", "input"]
    joined = key_in(pin)[-1]
    assert joined["name"] == Conference.objects.get().conversation
    assert joined["endOnExit"] is False


def test_a_room_that_is_closed_lets_no_caller_in(server, room):
    pin = server.get("/sip/session", headers=bearer("call")).json()["pin"]
    Room.objects.get().change_policy(closed=True)
    (said,) = server.post("/sip/vapi/answer", json={"dtmf": pin}).json()
    assert said["text"].startswith("This room is closed.")
    assert refusal(server.get("/sip/session", headers=bearer("call"))) == (403, "room_closed")


def test_guesses_of_pins_are_limited(limited, opentok):
    server = limited("code=2/hour")
    for status in (200, 200, 429):
        guessed = server.post("/sip/vapi/answer", json={"dtmf": {"digits": "1234567890"}})
        assert guessed.status_code == status


SIGNATURE = "tests-only-signature-secret-of-vonage"


def webhook(body="", secret=SIGNATURE, **changed):
    claims = {"iss": "Vonage", "iat": int(time.time()), "jti": "1", "api_key": "a1b2c3d4"}
    if body:
        claims["payload_hash"] = hashlib.sha256(body.encode()).hexdigest()
    return with_token(jwt.encode(claims | changed, secret, algorithm="HS256"))


def test_webhooks_that_vonage_has_not_signed_are_refused(limited, opentok):
    server = limited("other=99/hour", VOICE_SIGNATURE_SECRET=SIGNATURE)
    body = json.dumps({"uuid": "x", "status": "completed"})
    typed = {"Content-Type": "application/json"}
    for path in ("/sip/vapi/answer", "/sip/vapi/events"):
        assert server.get(path, headers=webhook()).status_code == 200
        assert server.post(path, data=body, headers=webhook(body) | typed).status_code == 200
        for headers in (
            {}, {"Authorization": "Basic x"}, with_token("x"), webhook(secret="y" * 40),
            webhook(iat=int(time.time()) - 3600), webhook(iat="now"), webhook(body + " "), webhook(),
        ):  # fmt: skip
            refused = server.post(path, data=body, headers=headers | typed)
            assert refusal(refused) == (401, "voice_refused")
    assert SIGNATURE not in server.stop()


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 300, {"a": 1}, 7, None])
def test_a_webhook_with_what_no_database_takes_is_no_server_error(server, text):
    names = ["SipHeader_X-OpenTok-SessionId", "SipHeader_X-learningserver-msisdn", "uuid", "from"]
    told = dict.fromkeys(names, text) | {"status": "completed"}
    for body in (told, {"dtmf": {"digits": text}, "from": text}, {"dtmf": text}):
        for path in ("/sip/vapi/answer", "/sip/vapi/events"):
            assert server.post(path, json=body).status_code == 200


@pytest.mark.parametrize(
    "body", ['{"dtmf": [1]}', '{"dtmf": null}', '{"dtmf": {"digits": {}}}', "[1]"]
)
def test_a_webhook_that_makes_no_sense_is_no_server_error(server, body):
    headers = {"Content-Type": "application/json"}
    for path in ("/sip/vapi/answer", "/sip/vapi/events"):
        assert server.post(path, data=body, headers=headers).status_code == 200


# Bots


def test_a_participant_connects_and_disconnects_a_bot(server, opentok, room):
    headers = with_token(room["token"])
    body = {"sessionId": room["sessionId"], "webSocketHost": "bot.example.com:8443/media/x"}
    connected = server.post("/audio-connector/connect", json=body, headers=headers)
    assert connected.status_code == 200
    assert {"id", "connectionId"} <= connected.json().keys()
    (asked,) = sent(opentok, "/connect")
    assert asked["websocket"] == {
        "uri": "wss://bot.example.com:8443/media/x", "audioRate": 16000, "bidirectional": True
    }  # fmt: skip
    body = {"sessionId": room["sessionId"], "connectionId": connected.json()["connectionId"]}
    for _ in range(2):
        ended = server.post("/audio-connector/disconnect", json=body, headers=headers)
        assert (ended.status_code, ended.text) == (204, "")


def test_a_disconnect_removes_bots_and_not_people(server, opentok, room):
    person = opentok.connect(room["sessionId"])
    body = {"sessionId": room["sessionId"], "connectionId": person}
    answer = server.post(
        "/audio-connector/disconnect", json=body, headers=with_token(room["token"])
    )
    assert refusal(answer) == (404, "audio_connector_not_found")
    assert person in connections(opentok, room)


@pytest.mark.parametrize("action", ["connect", "disconnect"])
def test_without_a_proof_there_is_no_bot(server, opentok, room, action):
    body = {"sessionId": room["sessionId"], "webSocketHost": "bot.example.com",
            "connectionId": str(uuid.uuid4())}  # fmt: skip
    path = f"/audio-connector/{action}"
    assert refusal(server.post(path, json=body)) == (401, "client_token_required")
    lacking = server.post(path, json=body, headers=bearer("caption", "manage"))
    assert refusal(lacking) == (403, "capability_missing")
    assert sent(opentok, "/connect") == []
    status = 200 if action == "connect" else 404
    assert server.post(path, json=body, headers=bearer("call")).status_code == status


@pytest.mark.parametrize(
    "address",
    [
        "", "wss://bot.example.com", "bot.example.com?x=1", "bot.example.com#x", "a@b.example.com",
        "bot example.com", "bot.example.com/a b", "-bot.example.com", "bot.example.com:99999999",
        "/path", "bot.example.com\nx", "b\u00f6t.example.com", [1], None, "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_host_is_not_called(server, opentok, room, address):
    body = {"sessionId": room["sessionId"], "webSocketHost": address}
    answer = server.post("/audio-connector/connect", json=body, headers=bearer("call"))
    assert refusal(answer) == (400, "invalid")
    assert sent(opentok, "/connect") == []


# Pages


def test_a_page_is_shown_looked_at_listed_and_ended(server, room):
    headers = bearer("call")
    body = {"sessionId": room["sessionId"], "url": "https://example.com/board"}
    started = server.post("/render", json=body, headers=headers)
    assert started.status_code == 200
    render = started.json()["id"]
    for how in ({"json": {"id": render}}, {}):
        path = "/render/info" if how else f"/render/info?id={render}"
        looked = server.get(path, headers=headers, **how)
        assert (looked.status_code, looked.json()["id"]) == (200, render)
    for how in ({"json": {"count": 2}}, {}):
        listed = server.get("/render/list", headers=headers, **how)
        assert [each["id"] for each in listed.json()["items"]] == [render]
    for _ in range(2):
        ended = server.request("DELETE", "/render/stop", json={"id": render}, headers=headers)
        assert (ended.status_code, ended.json()) == (200, {"id": render})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/render"),
        ("GET", "/render/info"),
        ("GET", "/render/list"),
        ("DELETE", "/render/stop"),
    ],
)
def test_without_the_capability_no_page_is_shown(server, opentok, room, method, path):
    body = {"sessionId": room["sessionId"], "url": "https://example.com/x", "id": str(uuid.uuid4())}
    assert refusal(server.request(method, path, json=body)) == (401, "key_required")
    lacking = server.request(method, path, json=body, headers=bearer("caption", "manage"))
    assert refusal(lacking) == (403, "capability_missing")
    moderator = token(room["sessionId"], "moderator")
    own = server.request(method, path, json=body, headers=with_token(moderator))
    assert refusal(own) == (403, "client_token_insufficient")
    assert [each for each in opentok.requests() if "/render" in each["path"]] == []


def test_a_page_that_is_not_there_is_a_404(server):
    headers = bearer("call")
    for wrong in (str(uuid.uuid4()), "x", "..%2Farchive"):
        for method, path in (("GET", "/render/info"), ("DELETE", "/render/stop")):
            answer = server.request(method, f"{path}?id={wrong}", headers=headers)
            assert refusal(answer) == (404, "render_not_found")
    assert refusal(server.get("/render/info", headers=headers)) == (400, "invalid")


def test_a_key_for_some_rooms_shows_and_sees_pages_of_those_alone(server, room):
    body = {"sessionId": room["sessionId"], "url": "https://example.com/board"}
    render = server.post("/render", json=body, headers=bearer("call")).json()["id"]
    inside = bearer("call", room_prefix="class-")
    for method, path in (("POST", "/render"), ("GET", "/render/info"), ("DELETE", "/render/stop")):
        refused = server.request(method, path, json=body | {"id": render}, headers=inside)
        assert refusal(refused) == (403, "room_not_covered")
    assert server.get("/render/list", headers=inside).json() == {"count": 0, "items": []}

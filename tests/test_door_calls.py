"""All calls to OpenTok that are written out by hand: what is sent, and what the answers mean."""

import json
import logging

import pytest

from tests.problems import raises
from video import (
    audio_connector,
    broadcasts,
    captions,
    connections,
    moderation,
    renders,
    sessions,
    signals,
    sip,
    streams,
    tokens,
)

ID = "aaaaaaaa-2222-4333-8444-555555555555"
SESSION = "1_x"
# A session of another project than the server's.
FOREIGN = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"
HLS = {"hls": {}}

# Each call of a session: what it answers to these statuses with.
IN_SESSION = {
    "list_connections": (lambda s: connections.list_connections(s), {400: "session_invalid"}),
    "list_streams": (lambda s: streams.list_streams(s), {400: "session_invalid"}),
    "get_stream": (
        lambda s: streams.get_stream(s, ID),
        {400: "session_invalid", 404: "stream_not_found", 408: "stream_not_found"},
    ),
    "set_layout_classes": (
        lambda s: streams.set_layout_classes(s, {ID: ["a"]}),
        {400: "layout_classes_refused", 404: "stream_not_found"},
    ),
    "disconnect": (
        lambda s: moderation.disconnect(s, ID),
        {400: "session_invalid", 404: "connection_not_found"},
    ),
    "mute_stream": (
        lambda s: moderation.mute_stream(s, ID),
        {400: "session_invalid", 404: "stream_not_found"},
    ),
    "mute_all": (
        lambda s: moderation.mute_all(s),
        {400: "session_invalid", 404: "nobody_connected"},
    ),
    "unmute_all": (
        lambda s: moderation.unmute_all(s),
        {400: "session_invalid", 404: "nobody_connected"},
    ),
    "send_signal": (
        lambda s: signals.send_signal(s, data="x"),
        {400: "signal_refused", 404: "nobody_connected", 413: "signal_refused"},
    ),
    "send_signal_to_one": (
        lambda s: signals.send_signal(s, data="x", connection_id=ID),
        {400: "signal_refused", 404: "connection_not_found", 413: "signal_refused"},
    ),
    "start_broadcast": (
        lambda s: broadcasts.start_broadcast(s, outputs=HLS),
        {400: "broadcast_refused", 404: "nobody_connected", 408: "opentok_timeout",
         409: "broadcast_conflict"},
    ),
    "start_captions": (
        lambda s: captions.start_captions(s, token="x"),
        {400: "captions_refused", 404: "nobody_connected", 409: "captions_running"},
    ),
    "start_render": (
        lambda s: renders.start_render(s, token="x", url="https://a.test/"),
        {400: "render_refused", 404: "nobody_connected"},
    ),
    "dial": (
        lambda s: sip.dial(s, token="x", uri="sip:a@b.test"),
        {400: "call_refused", 404: "nobody_connected", 409: "call_conflict"},
    ),
    "play_dtmf": (
        lambda s: sip.play_dtmf(s, "1#", connection_id=ID),
        {400: "call_refused", 404: "connection_not_found"},
    ),
    "connect": (
        lambda s: audio_connector.connect(s, token="x", uri="wss://a.test"),
        {400: "audio_connector_refused", 404: "nobody_connected", 409: "audio_connector_refused"},
    ),
}  # fmt: skip
# Each call by an id, which is the error's for an id of the wrong shape.
BY_ID = {
    "get_broadcast": (broadcasts.get_broadcast, {404: "broadcast_not_found"}),
    "stop_broadcast": (
        broadcasts.stop_broadcast,
        {404: "broadcast_not_found", 409: "broadcast_not_running"},
    ),
    "set_layout": (
        lambda i: broadcasts.set_layout(i, {"type": "pip"}),
        {404: "broadcast_not_found", 400: "layout_refused"},
    ),
    "stop_captions": (captions.stop_captions, {404: "captions_not_found"}),
    "get_captions": (captions.get_captions, {404: "captions_not_found"}),
    "stop_render": (renders.stop_render, {404: "render_not_found"}),
    "get_render": (renders.get_render, {404: "render_not_found"}),
    "disconnect_audio": (audio_connector.disconnect, {404: "audio_connector_not_found"}),
    "disconnect": (lambda i: moderation.disconnect(SESSION, i), {404: "connection_not_found"}),
    "mute_stream": (lambda i: moderation.mute_stream(SESSION, i), {404: "stream_not_found"}),
    "mute_all": (lambda i: moderation.mute_all(SESSION, except_streams=[i]), {404: "stream_not_found"}),
    "get_stream": (lambda i: streams.get_stream(SESSION, i), {404: "stream_not_found"}),
    "set_layout_classes": (
        lambda i: streams.set_layout_classes(SESSION, {i: []}),
        {404: "stream_not_found"},
    ),
    "send_signal": (
        lambda i: signals.send_signal(SESSION, data="x", connection_id=i),
        {404: "connection_not_found"},
    ),
    "play_dtmf": (
        lambda i: sip.play_dtmf(SESSION, "1", connection_id=i),
        {404: "connection_not_found"},
    ),
    "dial": (
        lambda i: sip.dial(SESSION, token="x", uri="sip:a@b.test", streams=[i]),
        {404: "stream_not_found"},
    ),
    "connect": (
        lambda i: audio_connector.connect(SESSION, token="x", uri="wss://a.test", streams=[i]),
        {404: "stream_not_found"},
    ),
    "remove_stream": (
        lambda i: broadcasts.remove_stream(ID, i),
        {404: "stream_not_found", 405: "streams_not_manual"},
    ),
    "add_stream": (
        lambda i: broadcasts.add_stream(ID, i),
        {404: "stream_not_found", 405: "streams_not_manual"},
    ),
    "remove_from": (lambda i: broadcasts.remove_stream(i, ID), {404: "broadcast_not_found"}),
}  # fmt: skip
SENT_BUT_NOT_BY_ID = {"mute_all", "dial", "connect", "remove_from"}
CALLS = {name: lambda call=call: call(SESSION) for name, (call, _) in IN_SESSION.items()}
CALLS |= {
    name: lambda call=call: call(ID) for name, (call, _) in BY_ID.items() if name not in CALLS
}
CALLS |= {"list_renders": renders.list_renders, "list_broadcasts": broadcasts.list_broadcasts}
# Those whose answer says nothing that is used.
SILENT = {
    "set_layout_classes", "disconnect", "mute_stream", "mute_all", "unmute_all", "send_signal",
    "send_signal_to_one", "play_dtmf", "stop_captions", "stop_render",
    "disconnect_audio", "remove_stream", "add_stream", "remove_from",
}  # fmt: skip
ABOUT_ONE = [
    "get_stream",
    "get_broadcast",
    "stop_broadcast",
    "set_layout",
    "get_captions",
    "get_render",
]
EACH = pytest.mark.parametrize("name", CALLS)


def sent(opentok):
    return [
        (each["method"], each["path"].split("/", 4)[-1], json.loads(each["body"] or "null"))
        for each in opentok.requests()
        if each["path"] != "/session/create"
    ]


@pytest.fixture
def session(opentok):
    """Somebody is in it, and what made it is forgotten."""
    session_id = sessions.create_session()
    opentok.connect(session_id)
    return session_id


@pytest.fixture
def token(session):
    return tokens.generate_token(session, role="moderator", lifetime=60)


# What the answers mean


@pytest.mark.parametrize(
    ("call", "argument", "status", "code"),
    [
        pytest.param(call, argument, status, code, id=f"{name} {status}")
        for calls, argument in ((IN_SESSION, SESSION), (BY_ID, ID))
        for name, (call, refusals) in calls.items()
        for status, code in refusals.items()
        if argument == SESSION or name not in SENT_BUT_NOT_BY_ID
    ],
)
def test_each_status_of_each_call_has_its_meaning(call, argument, status, code, opentok):
    opentok.fault(status=status, body={"code": status, "message": "No."})
    with raises(code):
        call(argument)


@EACH
def test_what_opentok_says_to_any_call_means_the_same_of_each(name, opentok):
    for status, code in [
        (401, "opentok_refused_credentials"), (403, "opentok_refused_credentials"),
        (429, "opentok_rate_limited"), (500, "opentok_failed"), (302, "opentok_failed"),
    ]:  # fmt: skip
        opentok.control("DELETE", "/faults")
        opentok.fault(status=status, body={"message": "No."})
        with raises(code):
            CALLS[name]()


NONSENSE = [
    "", "nonsense", [], {}, {"id": 5}, {"items": 5}, {"items": [5]}, {"items": [{"id": "x"}]},
    {"id": "../x", "sessionId": "1_x", "status": "started"},
]  # fmt: skip


@EACH
def test_an_answer_that_makes_no_sense_is_a_failure_of_opentok(name, opentok):
    for body in ["nonsense"] if name in SILENT else NONSENSE:
        opentok.control("DELETE", "/faults")
        opentok.fault(status=200, body=body)
        with raises("opentok_failed"):
            CALLS[name]()


@pytest.mark.parametrize("name", ["start_broadcast", "start_render", *ABOUT_ONE])
def test_an_answer_about_another_thing_is_a_failure_of_opentok(name, opentok):
    other = ID[:-1] + "0"
    told = {"sessionId": "1_y", "id": other, "captionId": other, "status": "started"}
    opentok.fault(status=200, body=told)
    with raises("opentok_failed"):
        CALLS[name]()


@pytest.mark.parametrize("name", IN_SESSION)
def test_nothing_is_sent_of_a_session_that_is_none_or_another_projects(name, opentok):
    for hostile in ("", "x", "1_a/b", "1_" + "a" * 300, "1_a\n", "../x", FOREIGN):
        with raises("session_invalid"):
            IN_SESSION[name][0](hostile)
    assert opentok.requests() == []


@pytest.mark.parametrize("name", BY_ID)
def test_nothing_is_sent_of_an_id_of_the_wrong_shape(name, opentok):
    call, refusals = BY_ID[name]
    for hostile in ("", "x", "../x", f"{ID}/stop", f"{ID}?x=1", f"{ID}\n", "１" * 36):
        with raises(refusals[404]):
            call(hostile)
    assert opentok.requests() == []


@EACH
def test_what_takes_too_long_is_given_up(name, opentok, settings):
    settings.OPENTOK_TIMEOUT = 0.2
    opentok.fault(hang=True)
    with raises("opentok_timeout"):
        CALLS[name]()


@EACH
def test_only_what_reads_is_asked_again(name, opentok):
    opentok.fault(status=500)
    with raises("opentok_failed"):
        CALLS[name]()
    methods = [request["method"] for request in opentok.requests()]
    if name in {"start_broadcast", "start_render"}:
        assert methods == ["POST", "GET"]  # for what became of it
    else:
        assert methods == (["GET"] * 2 if "get" in name or "list" in name else methods[:1])


def test_ids_in_capitals_are_sent_as_opentok_writes_them(opentok):
    with raises("render_not_found"):
        renders.get_render(ID.upper())
    assert sent(opentok)[0][1] == f"render/{ID}"


# People


def test_connections_are_listed(session, opentok):
    second = opentok.connect(session)
    listed = connections.list_connections(session)
    assert [each["connectionState"] for each in listed] == ["Connected"] * 2
    assert listed[1]["connectionId"] == second


def test_nobody_is_an_empty_list(opentok):
    session_id = sessions.create_session()
    assert connections.list_connections(session_id) == streams.list_streams(session_id) == []


def test_streams_are_listed_and_get_layout_classes(session, opentok):
    stream = opentok.publish(session)
    assert [each["id"] for each in streams.list_streams(session)] == [stream]
    streams.set_layout_classes(session, {stream: ["focus"]})
    assert streams.get_stream(session, stream)["layoutClassList"] == ["focus"]
    with raises("layout_classes_refused"):
        streams.set_layout_classes(session, {ID: ["focus"]})


def test_a_stream_that_is_not_there_is_not_found_whether_anybody_is_there_or_not(session):
    for session_id in (session, sessions.create_session()):
        for call in (streams.get_stream, moderation.mute_stream):
            with raises("stream_not_found"):
                call(session_id, ID)
        with raises("connection_not_found"):
            moderation.disconnect(session_id, ID)


def test_who_is_disconnected_is_gone(session, opentok):
    connection = opentok.connect(session)
    moderation.disconnect(session, connection)
    assert len(connections.list_connections(session)) == 1
    with raises("connection_not_found"):
        moderation.disconnect(session, connection)


def test_all_are_muted_but_those_who_are_spared(session, opentok):
    one, other = opentok.publish(session), opentok.publish(session)
    moderation.mute_all(session, except_streams=[other.upper()])
    assert sent(opentok)[-1][2] == {"active": True, "excludedStreamIds": [other]}
    moderation.unmute_all(session)
    assert sent(opentok)[-1][2] == {"active": False, "excludedStreamIds": []}
    moderation.mute_stream(session, one)
    assert sent(opentok)[-1][:2] == ("POST", f"session/{session}/stream/{one}/mute")


def test_nobody_can_be_muted_or_told_anything_in_an_empty_session(opentok):
    session_id = sessions.create_session()
    for call in (
        lambda: moderation.mute_all(session_id),
        lambda: moderation.unmute_all(session_id),
        lambda: signals.send_signal(session_id, data="x"),
    ):
        with raises("nobody_connected"):
            call()


def test_a_signal_goes_to_all_or_to_one(session, opentok):
    connection = opentok.connect(session)
    signals.send_signal(session, data="hé", type="chat")
    signals.send_signal(session, data="", connection_id=connection)
    assert sent(opentok)[-2:] == [
        ("POST", f"session/{session}/signal", {"type": "chat", "data": "hé"}),
        ("POST", f"session/{session}/connection/{connection}/signal", {"data": ""}),
    ]
    with raises("signal_refused"):
        signals.send_signal(session, data="x" * 9000)
    with raises("connection_not_found"):
        signals.send_signal(session, data="x", connection_id=ID)


# What runs


def test_a_broadcast_is_started_found_changed_and_stopped(session, opentok):
    stream = opentok.publish(session)
    begun = broadcasts.start_broadcast(
        session, outputs=HLS, layout={"type": "pip"}, max_duration=60, stream_mode="manual",
        resolution="1280x720", multi_broadcast_tag="a", has_video=True,
    )  # fmt: skip
    assert sent(opentok)[-1][2] == {
        "sessionId": session, "outputs": HLS, "layout": {"type": "pip"}, "maxDuration": 60,
        "streamMode": "manual", "resolution": "1280x720", "multiBroadcastTag": "a",
        "hasVideo": True,
    }  # fmt: skip
    assert broadcasts.get_broadcast(begun["id"])["status"] == "started"
    for chosen in ({}, {"session_id": session}):
        assert [each["id"] for each in broadcasts.list_broadcasts(**chosen)] == [begun["id"]]
    assert broadcasts.set_layout(begun["id"], {"type": "bestFit"})["id"] == begun["id"]
    broadcasts.add_stream(begun["id"], stream, has_audio=False)
    assert sent(opentok)[-1][2] == {"addStream": stream, "hasAudio": False, "hasVideo": True}
    broadcasts.remove_stream(begun["id"], stream)
    assert broadcasts.stop_broadcast(begun["id"])["status"] == "stopped"
    with raises("broadcast_not_found"):
        broadcasts.stop_broadcast(begun["id"])
    assert broadcasts.list_broadcasts() == []


LOST = pytest.mark.parametrize(
    "fault",
    [{"drop": True}, {"hang": True}, {"status": 408}, {"status": 500}, {"status": 200, "body": {}}],
    ids=str,
)


@LOST
def test_a_broadcast_that_runs_although_its_answer_was_lost_is_found(
    session, opentok, settings, fault
):
    settings.OPENTOK_TIMEOUT = 2
    opentok.fault(path="/broadcast$", method="POST", times=1, after=True, **fault)
    found = broadcasts.start_broadcast(session, outputs=HLS)
    assert (found["sessionId"], found["status"]) == (session, "started")
    with raises("broadcast_conflict"):
        broadcasts.start_broadcast(session, outputs=HLS)


@LOST
def test_a_render_that_runs_although_its_answer_was_lost_is_found(
    session, token, opentok, settings, fault
):
    settings.OPENTOK_TIMEOUT = 2
    page = {"token": token, "url": "https://example.com/", "name": "board"}
    known = {renders.start_render(session, **page)["id"]}
    opentok.fault(path="/render$", method="POST", times=1, after=True, **fault)
    found = renders.start_render(session, **page, known=known)
    assert (found["sessionId"], found["url"], found["name"]) == (session, page["url"], "board")
    assert found["id"] not in known
    assert renders.get_render(found["id"])["status"] == "starting"


def test_a_render_that_did_not_start_is_a_failure_although_others_run(session, token, opentok):
    page = {"token": token, "url": "https://example.com/", "name": "board"}
    other = sessions.create_session()
    there = tokens.generate_token(other, role="moderator", lifetime=60)
    known = {renders.start_render(session, **page)["id"]}
    renders.stop_render(renders.start_render(session, **page)["id"])
    renders.start_render(session, **page | {"name": "wall"})
    renders.start_render(session, **page | {"url": "https://example.com/x"})
    renders.start_render(other, **page | {"token": there})
    opentok.fault(path="/render$", method="POST", drop=True)
    with raises("opentok_unavailable"):
        renders.start_render(session, **page, known=known)


def test_captions_are_started_once_and_stopped_once(session, token, opentok):
    begun = captions.start_captions(session, token=token, max_duration=300)
    assert sent(opentok)[-1][2] == {
        "sessionId": session, "token": token, "languageCode": "en-US", "maxDuration": 300,
    }  # fmt: skip
    assert captions.get_captions(begun)["status"] == "started"
    with raises("captions_running"):
        captions.start_captions(session, token=token)
    captions.stop_captions(begun)
    with raises("captions_not_found"):
        captions.stop_captions(begun)


def test_a_render_is_started_found_and_stopped(session, token, opentok):
    begun = renders.start_render(session, token=token, url="https://example.com/", name="board")
    assert sent(opentok)[-1][2]["properties"] == {"name": "board"}
    assert renders.get_render(begun["id"])["sessionId"] == session
    assert [each["id"] for each in renders.list_renders(count=5)] == [begun["id"]]
    renders.stop_render(begun["id"])
    with raises("render_not_found"):
        renders.stop_render(begun["id"])


def test_a_phone_is_called_dialled_and_hung_up(session, token, opentok):
    stream = opentok.publish(session)
    call = sip.dial(
        session, token=token, uri="sip:a@b.test", sender="1@b.test", headers={"X-A": "b"},
        username="u", password="hush99", secure=True, video=False, observe_force_mute=True,
        streams=[stream],
    )  # fmt: skip
    assert sent(opentok)[-1][2]["sip"] == {
        "uri": "sip:a@b.test", "from": "1@b.test", "headers": {"X-A": "b"},
        "auth": {"username": "u", "password": "hush99"}, "secure": True, "video": False,
        "observeForceMute": True, "streams": [stream],
    }  # fmt: skip
    sip.play_dtmf(session, "12p#", connection_id=call["connectionId"])
    with raises("call_refused"):
        sip.play_dtmf(session, "x", connection_id=call["connectionId"])
    moderation.disconnect(session, call["connectionId"])
    with raises("connection_not_found"):
        sip.play_dtmf(session, "1", connection_id=call["connectionId"])


def test_the_audio_of_a_session_is_connected_and_disconnected(session, token, opentok):
    connector = audio_connector.connect(
        session, token=token, uri="wss://a.test/x", headers={"a": "b"}, audio_rate=16000
    )
    assert sent(opentok)[-1][2]["websocket"] == {
        "uri": "wss://a.test/x", "headers": {"a": "b"}, "audioRate": 16000,
    }  # fmt: skip
    audio_connector.disconnect(connector["id"])
    with raises("audio_connector_not_found"):
        audio_connector.disconnect(connector["id"])


def test_no_token_password_or_stream_name_is_logged(session, token, opentok, caplog):
    caplog.set_level(logging.DEBUG)
    said = f"streamName abcd-ef12 of token {token}, password hush99, sip:u:hush99@b.test"
    rtmp = {"rtmp": [{"serverUrl": "rtmp://a.test/live", "streamName": "abcd-ef12"}]}
    opentok.fault(status=400, body={"message": said})
    with raises("broadcast_refused") as refused:
        broadcasts.start_broadcast(session, outputs=rtmp)
    with raises("call_refused") as also:
        sip.dial(session, token=token, uri="sip:a@b.test", username="u", password="hush99")
    logged = caplog.text + str([record.__dict__ for record in caplog.records])
    logged += refused.value.reason + also.value.reason
    for secret in ("abcd-ef12", "hush99", token, token[-20:]):
        assert secret not in logged

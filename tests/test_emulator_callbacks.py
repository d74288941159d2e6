"""What the emulator tells a server by itself about its archives."""

import json
import queue
import threading
import time

import jwt
import pytest
from opentok import MediaModes

from tests.callback_receiver import Exchange, Receiver, claims
from tests.emulator_process import ControlRefused, Emulator

OPTIONS = ["--auto-connect"]
SECRET = "a-signature-secret-of-forty-characters-0"


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def called(emulator, receiver):
    """The emulator that calls the receiver, with a clock that stands still."""
    emulator.control("POST", "/clock", {"speed": 0})
    emulator.call_back(receiver.url, SECRET)
    return emulator


@pytest.fixture
def archive(called, sdk):
    session = sdk.create_session(media_mode=MediaModes.routed)
    return sdk.start_archive(session.session_id)


def statuses(receiver):
    return [json.loads(body)["status"] for _, _, body in receiver.received]


def test_each_state_is_told_in_its_order(called, receiver, archive, sdk):
    sdk.stop_archive(archive.id)
    called.callbacks(attempts=2)
    called.advance(5)
    called.callbacks(attempts=3)
    called.advance(72 * 3600)
    told = called.callbacks(attempts=4)
    assert statuses(receiver) == ["started", "stopped", "available", "expired"]
    assert [callback["attempts"] for callback in told] == [[200]] * 4
    assert not any(callback["pending"] for callback in told)
    path, headers, body = receiver.received[0]
    assert path == "/hooks?of=mine"
    assert headers["Content-Type"] == "application/json"
    first = json.loads(body)
    assert (first["id"], first["event"], first["createdAt"] % 1000) == (archive.id, "archive", 0)


def test_it_is_told_without_anybody_asking(emulator, receiver, sdk):
    emulator.control("POST", "/callback-url", {"url": receiver.url})
    emulator.control("POST", "/clock", {"speed": 100})
    session = sdk.create_session(media_mode=MediaModes.routed)
    sdk.stop_archive(sdk.start_archive(session.session_id).id)
    emulator.callbacks(attempts=3)
    assert statuses(receiver) == ["started", "stopped", "available"]


def test_an_available_one_comes_with_its_link(called, receiver, archive, sdk):
    sdk.stop_archive(archive.id)
    called.advance(5)
    called.callbacks(attempts=3)
    url = json.loads(receiver.received[-1][2])["url"]
    assert url.startswith(called.url)
    assert [json.loads(body)["url"] for _, _, body in receiver.received[:2]] == [None, None]


def test_others_are_told_as_well(called, receiver, archive, sdk):
    called.control("POST", "/auto-connect", {"enabled": False})
    called.control("POST", "/storage", {"target": "s3"})
    called.advance(60)
    called.callbacks(attempts=3)
    called.advance(5)
    called.callbacks(attempts=4)
    sdk.delete_archive(archive.id)
    called.callbacks(attempts=5)
    assert statuses(receiver) == ["started", "paused", "stopped", "uploaded", "deleted"]


def test_it_lacks_what_it_is_to_be_without(called, receiver, archive):
    called.callbacks(attempts=1)
    called.call_back(receiver.url, SECRET, without=["event", "updatedAt"])
    called.send_callback(1)
    called.callbacks(attempts=2)
    usual, short = (json.loads(body) for _, _, body in receiver.received)
    assert usual.keys() - short.keys() == {"event", "updatedAt"}
    _, headers, body = receiver.received[1]
    claims(headers, body, SECRET)


def test_it_is_signed_as_the_guide_says(called, receiver, archive):
    called.callbacks(attempts=1)
    _, headers, body = receiver.received[0]
    found = claims(headers, body, SECRET)
    assert found["api_key"] == called.api_key
    assert abs(found["iat"] - time.time()) < 60
    assert {"jti", "iss", "payload_hash"} < set(found)


def test_it_is_not_signed_without_a_secret_or_on_demand(called, receiver, archive):
    called.callbacks(attempts=1)
    for attempts, hook in enumerate(({}, {"secret": SECRET, "signature": "none"}), start=2):
        called.control("POST", "/callback-url", {"url": receiver.url, **hook})
        called.send_callback(1)
        called.callbacks(attempts=attempts)
    assert not any("Authorization" in headers for _, headers, _ in receiver.received[1:])


def test_it_is_signed_wrongly_on_demand(called, receiver, archive):
    called.callbacks(attempts=1)
    called.call_back(receiver.url, SECRET, signature="invalid")
    called.send_callback(1)
    called.callbacks(attempts=2)
    _, headers, body = receiver.received[1]
    with pytest.raises(jwt.InvalidSignatureError):
        claims(headers, body, SECRET)


def test_one_that_is_not_taken_is_sent_again_after_twice_the_wait(called, receiver, archive):
    called.callbacks(attempts=1)
    receiver.statuses += [500, 401, 302]
    called.send_callback(1)
    called.callbacks(attempts=2)
    for attempts, wait in enumerate((1, 2, 4), start=3):
        called.advance(wait - 0.001)
        assert called.callbacks(attempts=attempts - 1)[0]["pending"]
        called.advance(0.001)
        called.callbacks(attempts=attempts)
    (told,) = called.callbacks(attempts=5)
    assert (told["attempts"], told["pending"]) == ([200, 500, 401, 302, 200], False)


def test_it_is_given_up_after_a_day(called, receiver, archive, sdk):
    sdk.stop_archive(archive.id)
    called.advance(5)
    called.callbacks(attempts=3)
    receiver.statuses += [500, 500]
    called.send_callback(1)
    assert called.callbacks(attempts=4)[0]["pending"]
    called.advance(24 * 3600 - 0.001)
    assert not called.callbacks(attempts=5)[0]["pending"]


def test_one_that_gets_no_answer_is_sent_again(called, receiver, archive):
    called.callbacks(attempts=1)
    called.control("POST", "/callback-url", {"url": "http://127.0.0.1:9/"})
    called.send_callback(1)
    (told,) = called.callbacks(attempts=2)
    assert (told["attempts"], told["pending"]) == ([200, None], True)


def test_held_ones_go_when_they_are_told_to_in_any_order_and_more_than_once(called, receiver, sdk):
    called.call_back(receiver.url, SECRET, held=True)
    session = sdk.create_session(media_mode=MediaModes.routed)
    sdk.stop_archive(sdk.start_archive(session.session_id).id)
    first, second = called.callbacks(attempts=0)
    assert not first["pending"]
    for attempts, callback in enumerate((second, first, first), start=1):
        called.send_callback(callback["id"])
        called.callbacks(attempts=attempts)
    assert statuses(receiver) == ["stopped", "started", "started"]


def test_nobody_is_called_unless_somebody_asked_for_it(emulator, receiver, sdk):
    session = sdk.create_session(media_mode=MediaModes.routed)
    sdk.start_archive(session.session_id)
    assert emulator.callbacks(attempts=0) == []
    emulator.control("POST", "/callback-url", {"url": receiver.url})
    emulator.control("POST", "/callback-url", {"url": None})
    sdk.start_archive(sdk.create_session(media_mode=MediaModes.routed).session_id)
    assert emulator.callbacks(attempts=0) == []


def test_reset_takes_it_back_to_the_command_line(receiver):
    options = ["--auto-connect", "--callback-url", receiver.url, "--callback-secret", SECRET]
    with Emulator(*options) as emulator:
        emulator.control("POST", "/callback-url", {"url": None})
        emulator.reset()
        session_id = emulator.make_session()
        emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
        emulator.callbacks(attempts=1)
        claims(*receiver.received[0][1:], SECRET)


def test_a_reset_waits_for_a_server_that_asks_before_it_answers(emulator):
    reset = threading.Thread(target=emulator.reset)
    waited = queue.Queue()

    class Asking(Exchange):
        def do_POST(self):
            reset.start()
            begun = time.monotonic()
            while time.monotonic() < begun + 0.5:
                emulator.call("GET", emulator.archives_path)
            waited.put(time.monotonic() - begun)
            super().do_POST()

    with Receiver() as receiver:
        receiver.RequestHandlerClass = Asking
        emulator.call_back(receiver.url, SECRET)
        session_id = emulator.call("POST", "/session/create").json()[0]["session_id"]
        emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
        assert waited.get(timeout=10) < 2
        reset.join()


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/callback-url", {"url": "ftp://x"}, 400),
        ("/callback-url", {"url": 7}, 400),
        ("/callback-url", {"url": "http://[::1"}, 400),
        ("/callback-url", {"url": "http://x y"}, 400),
        ("/callback-url", {"url": "http://x", "secret": 7}, 400),
        ("/callback-url", {"url": "http://x", "signature": "forged"}, 400),
        ("/callback-url", {"url": "http://x", "held": "yes"}, 400),
        ("/callback-url", {"url": "http://x", "without": "event"}, 400),
        ("/callback-url", {"url": "http://x", "without": [7]}, 400),
        ("/callbacks/99/send", None, 404),
    ],
)
def test_what_makes_no_sense_is_said(emulator, path, fields, status):
    with pytest.raises(ControlRefused) as refused:
        emulator.control("POST", path, fields)
    assert refused.value.status == status


@pytest.mark.parametrize(
    "hook",
    [
        {"url": "http://[fe80::abcd]/x"},
        {"url": f"http://{'a' * 64}.example/"},
        {"url": "http://a..b/"},
        {"url": "https://127.0.0.1:9/"},
        {"secret": "ssh-rsa AAAA"},
        {"secret": "\ud800"},
    ],
)
def test_where_nobody_can_be_called_the_next_is_called_all_the_same(
    called, receiver, archive, hook
):
    called.callbacks(attempts=1)
    called.call_back(**({"url": receiver.url, "secret": SECRET} | hook))
    called.send_callback(1)
    assert called.callbacks(attempts=2)[0]["attempts"] == [200, None]
    called.call_back(receiver.url, SECRET)
    called.send_callback(1)
    assert called.callbacks(attempts=3)[0]["attempts"] == [200, None, 200]


@pytest.mark.parametrize("hook", [{"url": None}, {"held": True}])
def test_what_waits_to_be_sent_again_waits_no_more(called, receiver, archive, hook):
    called.callbacks(attempts=1)
    receiver.statuses += [500]
    called.send_callback(1)
    called.callbacks(attempts=2)
    called.call_back(**({"url": receiver.url, "secret": SECRET} | hook))
    called.call_back(receiver.url, SECRET)
    called.advance(3600)
    assert not called.callbacks(attempts=2)[0]["pending"]

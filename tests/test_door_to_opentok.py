"""What video.client makes of an OpenTok that misbehaves: real calls to an emulator told to fail."""

import json
import logging
import socket
import threading
from typing import Any

import opentok as sdk
import pytest

from tests.emulator_process import Emulator
from video import client, errors

ARCHIVE = "aaaaaaaa-2222-4333-8444-555555555555"


def sent(opentok: Emulator) -> list[str]:
    return [f"{request['method']} {request['path']}" for request in opentok.requests()]


def test_the_sdk_is_the_version_whose_pitfalls_this_door_works_around():
    assert sdk.__version__.startswith("3.15.")


def test_a_session_is_routed_and_belongs_to_the_configured_project(opentok):
    session_id = client.create_session()
    assert client.owns(session_id)
    assert "p2p.preference=disabled" in opentok.requests()[0]["body"]


def test_an_end_to_end_encrypted_session_is_asked_for_as_such(opentok):
    client.create_session(e2ee=True)
    assert "e2ee=true" in opentok.requests()[0]["body"]


def test_calls_share_one_pooled_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = []

        def serve() -> None:
            answer = json.dumps({"count": 0, "items": []}).encode()
            connection, _ = listener.accept()
            connections.append(connection)
            while connection.recv(65536):
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
                connection.sendall(head + answer)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.MonkeyPatch.context() as patch:
            point_at(patch, f"http://127.0.0.1:{listener.getsockname()[1]}")
            assert [client.list_archives() for _ in range(5)] == [[]] * 5
        assert len(connections) == 1
        connections[0].close()


def point_at(patch: pytest.MonkeyPatch, url: str) -> None:
    from django.conf import settings

    patch.setattr(settings, "OPENTOK", settings.OPENTOK | {"OPENTOK_API_URL": url})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"status": 403, "body": {"message": "Invalid signature"}},
                     errors.OpenTokRefusedUs, id="403"),
        pytest.param({"status": 401}, errors.OpenTokRefusedUs, id="401"),
        pytest.param({"status": 429}, errors.OpenTokRateLimited, id="429"),
        pytest.param({"status": 500, "body": {"message": "Internal server error"}},
                     errors.OpenTokFailed, id="500"),
        pytest.param({"status": 503, "body": "<html>Bad gateway</html>",
                      "headers": {"Content-Type": "text/html"}}, errors.OpenTokFailed, id="503 HTML"),
        pytest.param({"status": 200, "body": "<html>Maintenance</html>",
                      "headers": {"Content-Type": "text/html"}}, errors.OpenTokFailed, id="200 HTML"),
        pytest.param({"status": 200, "body": ""}, errors.OpenTokFailed, id="empty"),
        pytest.param({"status": 200, "body": "NaN"}, errors.OpenTokFailed, id="NaN"),
        pytest.param({"status": 200, "body": "[" * 100_000}, errors.OpenTokFailed, id="deep"),
        pytest.param({"status": 200, "body": {"items": 5}}, errors.OpenTokFailed, id="wrong shape"),
        pytest.param({"status": 302, "headers": {"Location": "/elsewhere"}},
                     errors.OpenTokFailed, id="redirect"),
        pytest.param({"status": 302}, errors.OpenTokFailed, id="redirect to nowhere"),
        pytest.param({"drop": True}, errors.OpenTokUnavailable, id="dropped"),
        pytest.param({"hang": True}, errors.OpenTokTimeout, id="hangs"),
        pytest.param({"drip": 0.2}, errors.OpenTokTimeout, id="drips"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: client.create_session(), id="create_session"),
        pytest.param(lambda: client.list_archives(), id="list_archives"),
        pytest.param(lambda: client.get_archive(ARCHIVE), id="get_archive"),
        pytest.param(lambda: client.stop_archive(ARCHIVE), id="stop_archive"),
    ],
)
def test_every_failure_of_opentok_is_one_of_our_errors(call, fault, error, opentok, settings):
    settings.OPENTOK_TIMEOUT = 0.5
    opentok.fault(**fault)
    with pytest.raises(error) as raised:
        call()
    assert type(raised.value) is error
    assert len(sent(opentok)) <= 1


def test_a_redirect_is_not_followed(opentok):
    opentok.fault(status=302, headers={"Location": f"{opentok.url}/v2/elsewhere"}, times=1)
    with pytest.raises(errors.OpenTokFailed):
        client.create_session()
    assert sent(opentok) == ["POST /session/create"]


def test_an_answer_without_end_is_not_read_to_its_end():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        swallowed = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            try:
                while True:
                    connection.sendall(b" " * 65536)
            except OSError:
                swallowed.set()

        threading.Thread(target=serve, daemon=True).start()
        with pytest.MonkeyPatch.context() as patch:
            point_at(patch, f"http://127.0.0.1:{listener.getsockname()[1]}")
            with pytest.raises(errors.OpenTokFailed):
                client.list_archives()
        assert swallowed.wait(5)


def test_an_opentok_that_is_not_there_is_out_of_reach():
    with pytest.raises(errors.OpenTokUnavailable):
        client.create_session()


def test_a_call_that_was_given_up_frees_its_thread(opentok, settings):
    settings.OPENTOK_TIMEOUT = 0.2
    opentok.fault(hang=True)
    before = set(threading.enumerate())
    with pytest.raises(errors.OpenTokTimeout):
        client.create_session()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_rate_limiting_says_when_to_come_back(opentok):
    opentok.fault(status=429, headers={"Retry-After": "17"})
    with pytest.raises(errors.OpenTokRateLimited) as raised:
        client.create_session()
    assert raised.value.wait == 17


def test_proxies_and_netrc_of_the_environment_count_for_nothing(opentok, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert client.create_session()


@pytest.mark.parametrize(
    "hostile",
    ["../render", "..%2Fx", f"{ARCHIVE}?x=1", f"{ARCHIVE}/stop", "", "undefined", ARCHIVE.upper(),
     f"{ARCHIVE}\n", "１" * 36],
)  # fmt: skip
@pytest.mark.parametrize("call", [client.get_archive, client.stop_archive])
def test_an_id_of_the_wrong_shape_is_never_sent(call, hostile, opentok):
    with pytest.raises(errors.ArchiveNotFound):
        call(hostile)
    assert sent(opentok) == []


@pytest.mark.parametrize("hostile", ["", "x", "1_", "1_a/b", "1_" + "a" * 300, "1_ü", "1_a\n"])
def test_a_session_id_of_the_wrong_shape_is_never_sent(hostile, opentok):
    with pytest.raises(errors.SessionInvalid):
        client.start_archive(hostile)
    with pytest.raises(errors.SessionInvalid):
        client.list_archives(session_id=hostile)
    assert sent(opentok) == []


def test_the_password_of_an_archive_stays_behind_and_the_rest_comes_as_it_was(opentok):
    told = {
        "id": ARCHIVE, "sessionId": "1_x", "status": "brand-new", "password": "hush",
        "projectId": 1, "createdAt": 1, "someday": {"deep": [1, 2.5, None, "é"]},
    }  # fmt: skip
    opentok.fault(status=200, body=told)
    del told["password"]
    assert client.get_archive(ARCHIVE) == told


def test_what_no_database_can_hold_is_taken_out_of_an_answer(opentok):
    body = json.dumps(
        {"id": ARCHIVE, "sessionId": "1_x", "status": "started", "name": "a\0b\ud800c"}
    )
    opentok.fault(status=200, body=body, headers={"Content-Type": "application/json"})
    assert client.get_archive(ARCHIVE)["name"] == "ab?c"


def test_no_secret_and_no_token_is_logged_even_at_debug(opentok, caplog):
    caplog.set_level(logging.DEBUG)
    session_id = client.create_session()
    token = client.generate_token(session_id, role="publisher", lifetime=60)
    with pytest.raises(errors.NobodyConnected):
        client.start_archive(session_id, name="x")
    opentok.fault(status=403)
    with pytest.raises(errors.OpenTokRefusedUs):
        client.create_session()
    logged: Any = caplog.text + str([record.__dict__ for record in caplog.records])
    assert opentok.secret not in logged
    assert token not in logged
    assert "eyJ" not in logged

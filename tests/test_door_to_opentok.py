"""What the door makes of an OpenTok that misbehaves: real calls to an emulator told to fail."""

import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import opentok as sdk
import pytest

from tests.emulator_process import Emulator
from tests.problems import raises
from video import archives, sessions, tokens, transport

ARCHIVE = "aaaaaaaa-2222-4333-8444-555555555555"


def point_at(listener: socket.socket, settings: Any) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings.OPENTOK = settings.OPENTOK | {"OPENTOK_API_URL": url}


def sent(opentok: Emulator) -> list[str]:
    return [f"{request['method']} {request['path']}" for request in opentok.requests()]


def test_the_sdk_is_the_version_whose_pitfalls_this_door_works_around():
    assert sdk.__version__.startswith("3.15.")


def test_a_session_belongs_to_the_configured_project(opentok):
    assert sessions.owns(sessions.create_session())


def test_an_end_to_end_encrypted_session_is_asked_for_as_such(opentok):
    sessions.create_session(e2ee=True)
    assert "e2ee=true" in opentok.requests()[0]["body"]


def test_calls_share_one_pooled_connection(settings):
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
        point_at(listener, settings)
        assert [archives.list_archives() for _ in range(5)] == [[]] * 5
        assert len(connections) == 1
        connections[0].shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 200, "body": ""}, id="empty"),
        pytest.param({"status": 200, "body": "NaN"}, id="NaN"),
        pytest.param({"status": 200, "body": "[" * 100_000}, id="deep"),
        pytest.param({"status": 200, "body": {"items": 5}}, id="wrong shape"),
        pytest.param({"status": 302}, id="redirect to nowhere"),
    ],
)
def test_every_oddity_of_opentok_is_a_failure_of_opentok(fault, opentok):
    opentok.fault(**fault)
    with raises("opentok_failed"):
        sessions.create_session()
    assert len(sent(opentok)) == 1
    with raises("opentok_failed"):
        archives.list_archives()


def test_a_redirect_is_not_followed(opentok):
    opentok.fault(status=302, headers={"Location": f"{opentok.url}/v2/elsewhere"}, times=1)
    with raises("opentok_failed"):
        sessions.create_session()
    assert sent(opentok) == ["POST /session/create"]


@pytest.mark.parametrize("head", ["200 OK", "404 Not Found", "302 Found\r\nLocation: /x"])
def test_an_answer_without_end_is_not_read_to_its_end(settings, head):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        swallowed = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode())
            try:
                while True:
                    connection.sendall(b" " * 65536)
            except OSError:
                swallowed.set()

        threading.Thread(target=serve, daemon=True).start()
        point_at(listener, settings)
        with raises("opentok_failed") as raised:
            sessions.create_session()
        assert "more than" in raised.value.reason
        assert swallowed.wait(5)


def test_an_opentok_that_is_not_there_is_out_of_reach():
    with raises("opentok_unavailable"):
        sessions.create_session()


def test_a_call_that_was_given_up_frees_its_thread(opentok, settings):
    settings.OPENTOK_TIMEOUT = 1
    # Each byte begins the socket's own time-out anew.
    opentok.fault(drip=0.05)
    before = set(threading.enumerate())
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(sessions.create_session)
        assert opentok.requests(at_least=1)
        threads = set(threading.enumerate()) - before
        assert threads
        assert call.exception().code == "opentok_timeout"
    for thread in threads:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_a_name_whose_look_up_hangs_is_given_up_at_the_deadline(settings, monkeypatch):
    settings.OPENTOK_TIMEOUT = 0.2
    settings.OPENTOK = settings.OPENTOK | {"OPENTOK_API_URL": "http://opentok.test"}
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *ignored: found.wait(5) and [])
    with raises("opentok_timeout"):
        sessions.create_session()
    found.set()


def test_half_an_answer_is_no_answer(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
            connection.sendall(b'[{"session_id": "1_x"}]')
            connection.shutdown(socket.SHUT_WR)
            # Closed with a part of the request unread, it would reset the connection.
            while connection.recv(65536):
                pass
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        point_at(listener, settings)
        with raises("opentok_failed"):
            sessions.create_session()


def test_an_opentok_that_takes_no_connections_is_out_of_reach_before_the_deadline(
    settings, monkeypatch
):
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            client_socket = waiting.enter_context(socket.socket())
            client_socket.setblocking(False)
            client_socket.connect_ex(full.getsockname())
        point_at(full, settings)
        with raises("opentok_unavailable"):
            sessions.create_session()


def test_proxies_and_netrc_of_the_environment_count_for_nothing(opentok, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert sessions.create_session()
    assert not opentok.requests()[0]["authorization"]


@pytest.mark.parametrize(
    "hostile",
    ["../render", "..%2Fx", f"{ARCHIVE}?x=1", f"{ARCHIVE}/stop", "", "undefined", f"{{{ARCHIVE}}}",
     f"{ARCHIVE}\n", "１" * 36],
)  # fmt: skip
@pytest.mark.parametrize("call", [archives.get_archive, archives.stop_archive])
def test_an_id_of_the_wrong_shape_is_never_sent(call, hostile, opentok):
    with raises("archive_not_found"):
        call(hostile)
    assert sent(opentok) == []


@pytest.mark.parametrize("hostile", ["", "x", "1_", "1_a/b", "1_" + "a" * 300, "1_ü", "1_a\n"])
def test_a_session_id_of_the_wrong_shape_is_never_sent(hostile, opentok):
    with raises("session_invalid"):
        archives.start_archive(hostile)
    with raises("session_invalid"):
        archives.list_archives(session_id=hostile)
    assert sent(opentok) == []


def test_the_password_of_an_archive_stays_behind_and_the_rest_comes_as_it_was(opentok):
    told = {
        "id": ARCHIVE, "sessionId": "1_x", "status": "brand-new", "password": "hush",
        "projectId": 1, "createdAt": 1, "someday": {"deep": [1, 2.5, None, "é"]},
    }  # fmt: skip
    opentok.fault(status=200, body=told)
    del told["password"]
    assert archives.get_archive(ARCHIVE) == told


def test_what_no_database_can_hold_is_taken_out_of_an_answer(opentok):
    body = json.dumps(
        {"id": ARCHIVE, "sessionId": "1_x", "status": "started", "name": "a\0b\ud800c"}
    )
    opentok.fault(status=200, body=body, headers={"Content-Type": "application/json"})
    assert archives.get_archive(ARCHIVE)["name"] == "ab?c"


def test_no_secret_and_no_token_is_logged_even_at_debug(opentok, caplog):
    caplog.set_level(logging.DEBUG)
    session_id = sessions.create_session()
    token = tokens.generate_token(session_id, role="publisher", lifetime=60)
    with raises("nobody_connected"):
        archives.start_archive(session_id, name="x")
    opentok.fault(status=403)
    with raises("opentok_refused_credentials"):
        sessions.create_session()
    logged: Any = caplog.text + str([record.__dict__ for record in caplog.records])
    assert opentok.secret not in logged
    assert token not in logged
    assert "eyJ" not in logged

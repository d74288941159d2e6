"""The emulator as a program: its command line, its control API and what HTTP it understands."""

import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from emulator.archive_options import ArchiveOptions
from emulator.auth import Keys
from emulator.clock import VirtualClock
from emulator.world import World
from tests.emulator_process import ROOT, ControlRefused, Emulator


@pytest.fixture
def world():
    keys, clock = Keys("1", "secret"), VirtualClock(0)
    return World(keys, clock, processing_ms=0, auto_connect=False)


def run(*arguments):
    command = [sys.executable, "-m", "emulator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)


def raw(emulator, content):
    """Send these bytes. Returns all that comes back until the connection is closed."""
    address = urlsplit(emulator.url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            answer += piece
    return answer


# The program


def test_help_names_every_option():
    text = run("--help").stdout
    for option in (
        *("--host", "--port", "--api-key", "--secret", "--application-id", "--public-key"),
        *("--auto-connect", "--processing-seconds", "--speed", "--strict-expiry", "--verbose"),
        *("--callback-url", "--callback-secret", "--keep", "--link-host", "--return-seconds"),
        "--return-seconds",
    ):
        assert option in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "x"),
        ("--port", "70000"),
        ("--api-key", "abc"),
        ("--secret", ""),
        ("--speed", "-1"),
        ("--speed", "nan"),
        ("--processing-seconds", "-1"),
        ("--application-id", "a"),
        ("--public-key", "nowhere.pem", "--application-id", "a"),
        ("--application-id", "../x", "--public-key", "x"),
        ("--callback-url", "localhost:8080"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_explained(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_explained(emulator):
    done = run("--port", str(urlsplit(emulator.url).port))
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot listen on 127.0.0.1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_without_a_word(number):
    command = [sys.executable, "-m", "emulator", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().startswith("Local OpenTok listening on http://127.0.0.1:")
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_it_logs_requests_only_when_asked_and_never_credentials():
    command = [sys.executable, "-m", "emulator", "--port", "0", "--verbose"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = process.stdout.readline().split()[-1]
    headers = {"X-OPENTOK-AUTH": "a-token", "Authorization": "Bearer b-token"}
    requests.get(url + "/v2?token=c-token", headers=headers, timeout=10)
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert errors == "GET /v2 404\n"


# HTTP


def test_a_connection_serves_many_requests(emulator):
    answer = raw(emulator, b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert answer.count(b"HTTP/1.1 404 ") == 3


def test_an_old_client_gets_its_connection_closed(emulator):
    request = b"GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    assert b"\r\nConnection: close\r\n" in raw(emulator, request)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET / SPDY/1\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\n\r\n", 404),
    ],
)
def test_garbage_is_answered_in_opentoks_shape(emulator, request_bytes, status):
    head, _, body = raw(emulator, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert set(json.loads(body)) == {"code", "message", "description"}


def test_a_body_of_more_than_a_megabyte_is_refused(emulator):
    answer = emulator.call("POST", emulator.archives_path, data=b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    answer = emulator.call("POST", emulator.archives_path, data=b"x" * (1024 * 1024))
    assert answer.status_code == 400


def test_a_client_that_goes_away_in_its_body_does_no_harm(emulator):
    assert raw(emulator, b"POST /v2 HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert emulator.control("GET", "/clock")


# Control


def test_reset_forgets_everything():
    with Emulator("--speed", "0", "--auto-connect") as emulator:
        before = emulator.control("GET", "/clock")
        session_id = emulator.make_session()
        emulator.publish(session_id)
        emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
        emulator.control("POST", "/clock", {"advance": 1000, "speed": 5})
        emulator.control("POST", "/auto-connect", {"enabled": False})
        emulator.control("POST", "/storage", {"target": "s3"})
        emulator.fault(status=500)
        assert emulator.control("POST", "/reset") is None
        after = emulator.control("GET", "/clock")
        assert after["speed"] == 0
        assert after["now"] - before["now"] < 1_000_000
        assert emulator.requests() == []
        assert emulator.control("GET", f"/sessions/{session_id}")["connections"] == []
        assert emulator.call("GET", emulator.archives_path).json() == {"count": 0, "items": []}
        body = {"sessionId": session_id}
        assert emulator.call("POST", emulator.archives_path, json=body).status_code == 200


def test_the_clock_can_be_moved_and_stopped(emulator):
    first = emulator.control("POST", "/clock", {"speed": 0})
    assert first["speed"] == 0
    second = emulator.control("POST", "/clock", {"advance": 1.5})
    assert second["now"] - first["now"] == 1500
    assert emulator.control("GET", "/clock") == second


def test_a_fast_clock_runs_ahead(emulator):
    first = emulator.control("POST", "/clock", {"speed": 10_000})["now"]
    later = [emulator.control("GET", "/clock")["now"] for _ in range(10)]
    assert later == sorted(later)
    assert later[-1] > first


def test_requests_are_remembered_without_their_credentials(emulator):
    emulator.call(
        "POST",
        "/v2/nothing?a=%20b",
        data="é",
        headers={"X-Mine": "1", "Authorization": "Bearer x", "Content-Type": "text/plain"},
    )
    (seen,) = emulator.requests()
    assert (seen["method"], seen["path"]) == ("POST", "/v2/nothing?a=%20b")
    assert (seen["body"], seen["status"]) == ("é", 404)
    assert seen["headers"]["X-Mine"] == "1"
    names = {name.lower() for name in seen["headers"]}
    assert not names & {"authorization", "x-opentok-auth"}
    assert seen["authorization"] is True
    assert emulator.control("DELETE", "/requests") is None
    assert emulator.requests() == []


def test_a_look_at_the_requests_can_wait_for_them(emulator):
    emulator.fault(hang=True)
    with ThreadPoolExecutor(3) as others:
        looking = others.submit(emulator.requests, at_least=2, within=60)
        for _ in range(2):
            others.submit(requests.get, emulator.url + "/v2", timeout=10)
        assert [seen["status"] for seen in looking.result()] == [None, None]
        emulator.control("DELETE", "/faults")


def test_a_look_at_the_requests_does_not_wait_for_ever(emulator):
    emulator.call("GET", "/v2")
    (seen,) = emulator.requests(at_least=2, within=0.1)
    assert seen["authorization"] is False


def test_a_thousand_requests_are_remembered_at_most(emulator):
    with requests.Session() as http:
        for number in range(1003):
            http.get(f"{emulator.url}/{number}", timeout=10)
    paths = [seen["path"] for seen in emulator.requests()]
    assert (len(paths), paths[0], paths[-1]) == (1000, "/3", "/1002")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/clock", {"advance": -1}, 400),
        ("POST", "/clock", {"advance": "1"}, 400),
        ("POST", "/clock", {"advance": 1e12}, 400),
        ("POST", "/clock", {"advance": 10**400}, 400),
        ("POST", "/clock", {"advance": float("nan")}, 400),
        ("POST", "/clock", {"speed": -1}, 400),
        ("POST", "/clock", {"speed": None}, 400),
        ("POST", "/clock", {"speed": 1e9}, 400),
        ("POST", "/clock", [], 400),
        ("POST", "/storage", {"target": "tape"}, 400),
        ("POST", "/storage", {"target": []}, 400),
        ("POST", "/storage", {"target": "s3", "fails": "yes"}, 400),
        ("POST", "/auto-connect", {}, 400),
        ("POST", "/auto-connect", {"enabled": 1}, 400),
        ("GET", "/reset", None, 405),
        ("PUT", "/clock", {}, 405),
        ("GET", "/", None, 404),
        ("GET", "/sessions", None, 404),
        ("GET", "/sessions/x", None, 400),
        ("GET", "/requests?at_least=-1", None, 400),
        ("GET", "/requests?at_least=1001", None, 400),
        ("GET", "/requests?within=61", None, 400),
        ("GET", "/requests?within=nan", None, 400),
        ("GET", "/requests?" + "x&" * 200, None, 400),
    ],
)
def test_control_that_makes_no_sense_is_answered_by_a_sentence(
    emulator, method, path, body, status
):
    with pytest.raises(ControlRefused) as refused:
        emulator.control(method, path, body)
    assert refused.value.status == status
    assert refused.value.message.endswith(".")


def test_half_of_a_clock_change_is_not_made(emulator):
    emulator.control("POST", "/clock", {"speed": 0})
    before = emulator.control("GET", "/clock")
    with pytest.raises(ControlRefused):
        emulator.control("POST", "/clock", {"advance": 10, "speed": -1})
    assert emulator.control("GET", "/clock") == before


def test_control_takes_json_only(emulator):
    url = f"{emulator.url}/_control/clock"
    for content, kind in (
        ("speed=0", "application/x-www-form-urlencoded"),
        ('{"speed": 0}', "text/plain"),
        ("{", "application/json"),
        (b"\xff", "application/json"),
        ("[" * 100_000, "application/json"),
    ):
        answer = requests.post(url, data=content, headers={"Content-Type": kind}, timeout=10)
        assert answer.status_code == 400
        assert isinstance(answer.json(), str)


def test_web_pages_may_not_drive_it(emulator):
    for origin in ("http://example.com", "null", emulator.url):
        answer = requests.post(
            f"{emulator.url}/_control/reset", headers={"Origin": origin}, timeout=10
        )
        assert answer.status_code == 403


# Bounds, for which a process would take too long


def make_session(world):
    (project,) = world.projects.values()
    return world.create_session(project, location="", relayed=False, automatic=None)


def test_ten_thousand_archives_are_remembered_at_most(world):
    (project,) = world.projects.values()
    session = world.session_ids.read(make_session(world))
    made = [world.start(project, session, ArchiveOptions()) for _ in range(10_003)]
    assert list(world.archives) == [archive.id for archive in made[3:]]


def test_ten_thousand_sessions_are_remembered_at_most(world):
    (project,) = world.projects.values()
    first = make_session(world)
    world.publish(first, world.connect(first).id)
    archive = world.start(project, world.session_ids.read(first), ArchiveOptions())
    for _ in range(10_000):
        world.connect(make_session(world))
    assert len(world.sessions) == 10_000
    assert first not in world.sessions
    # To its archive, everybody left.
    assert archive.status == "paused"


def test_sessions_that_somebody_is_in_are_remembered(world):
    busy = make_session(world)
    connection = world.connect(busy)
    for _ in range(10_000):
        session = make_session(world)
        world.disconnect(session, world.connect(session).id)
    assert len(world.sessions) == 10_000
    assert connection.id in world.session(busy).connections


def test_sessions_that_nobody_was_in_take_no_room(world):
    make_session(world)
    assert not world.sessions


def test_auto_connect_reaches_the_archives_of_thousands_of_sessions(world):
    (project,) = world.projects.values()
    for _ in range(2000):
        text = make_session(world)
        world.start(project, world.session_ids.read(text), ArchiveOptions())
    world.set_auto_connect(enabled=True)
    world.set_auto_connect(enabled=False)
    assert {archive.status for archive in world.archives.values()} == {"paused"}


# Links for other machines


def test_links_name_the_host_for_others_and_control_is_for_this_machine_alone():
    with Emulator(
        "--host", "0.0.0.0", "--link-host", "rooms.example", "--auto-connect"
    ) as emulator:
        port = urlsplit(emulator.url).port
        assert emulator.url == f"http://rooms.example:{port}"
        for source, status in (("127.0.0.1", 200), ("127.0.0.2", 403)):
            connection = HTTPConnection("127.0.0.1", port, 10, source_address=(source, 0))
            connection.request("GET", "/_control/clock")
            assert connection.getresponse().status == status
            connection.close()
        emulator.url = f"http://127.0.0.1:{port}"
        created = emulator.call("POST", "/session/create", headers={"Accept": "application/json"})
        body = {"sessionId": created.json()[0]["session_id"]}
        archive = emulator.call("POST", emulator.archives_path, json=body).json()["id"]
        emulator.call("POST", f"{emulator.archives_path}/{archive}/stop")
        emulator.advance(10)
        link = emulator.call("GET", f"{emulator.archives_path}/{archive}").json()["url"]
        assert link.startswith(f"http://rooms.example:{port}/")


# TLS


def test_https_is_served_with_a_certificate_of_its_own(tmp_path):
    with Emulator("--tls-cert", str(tmp_path / "cert.pem")) as emulator:
        assert emulator.url.startswith("https://")
        path = f"{emulator.url}/_control/clock"
        assert requests.get(path, verify=tmp_path / "cert.pem", timeout=5).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(path, timeout=5)
        with socket.create_connection(
            ("127.0.0.1", urlsplit(emulator.url).port)
        ):  # and says nothing
            assert requests.get(path, verify=tmp_path / "cert.pem", timeout=5).status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-key", "x"],
        ["--tls-cert", "/nowhere/x.pem"],
        ["--tls-cert", __file__, "--tls-key", __file__],
    ],
)
def test_a_certificate_that_cannot_be_used_is_said_in_a_line(options):
    ended = run(*options)
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr

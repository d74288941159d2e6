"""Trouble that the emulator makes on demand."""

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from opentok import MediaModes
from opentok.exceptions import RequestError

from tests.emulator_process import ControlRefused

OPTIONS = ["--auto-connect"]

# How long a client waits for an answer that is not to come.
SHORT = 0.3


@pytest.fixture
def session_id(sdk):
    return sdk.create_session(media_mode=MediaModes.routed).session_id


def listing(emulator, **options):
    return emulator.call("GET", emulator.archives_path, **options)


def count(emulator):
    return listing(emulator).json()["count"]


def in_background(act):
    """Run it in a thread. Returns the thread, and a list that gets its result or exception."""
    results = []

    def run():
        try:
            results.append(act())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def test_a_status_comes_in_opentoks_shape(emulator):
    emulator.fault(status=503)
    answer = listing(emulator)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["message"] == "Service Unavailable"


def test_the_sdk_sees_a_fault_as_the_services_own_error(emulator, sdk):
    emulator.fault(status=500)
    with pytest.raises(RequestError) as raised:
        sdk.list_archives()
    assert raised.value.args[1] == 500


def test_an_unusual_status_is_possible(emulator):
    emulator.fault(status=599, times=1)
    assert listing(emulator).status_code == 599


def test_a_body_can_be_text_or_json(emulator):
    emulator.fault(status=502, body="<h1>Bad gateway</h1>", headers={"Content-Type": "text/html"})
    answer = listing(emulator)
    assert (answer.status_code, answer.text) == (502, "<h1>Bad gateway</h1>")
    assert answer.headers["Content-Type"] == "text/html"
    emulator.control("DELETE", "/faults")
    emulator.fault(body={"count": "many"})
    answer = listing(emulator)
    assert (answer.status_code, answer.json()) == (200, {"count": "many"})


def test_an_answer_can_be_empty(emulator):
    emulator.fault(body="", times=1)
    emulator.fault(status=204, times=1)
    assert [(a.status_code, a.content) for a in (listing(emulator), listing(emulator))] == [
        (200, b""),
        (204, b""),
    ]


def test_an_answer_can_redirect(emulator):
    emulator.fault(status=302, headers={"Location": "http://example.com/"})
    answer = listing(emulator)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://example.com/")


def test_headers_alone_change_the_real_answer(emulator):
    emulator.fault(headers={"content-type": "application/json; charset=utf-8", "X-More": "1"})
    answer = listing(emulator)
    assert answer.json() == {"count": 0, "items": []}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-More"] == "1"


def test_an_answer_can_be_cut_short(emulator):
    emulator.fault(headers={"Content-Length": "1000"})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="more expected"):
        listing(emulator)


def test_a_fault_is_for_its_method_and_path_only(emulator, session_id):
    emulator.fault(method="post", path="/stop$", status=500)
    body = {"sessionId": session_id}
    archive = emulator.call("POST", emulator.archives_path, json=body).json()
    path = f"{emulator.archives_path}/{archive['id']}"
    assert emulator.call("GET", path).status_code == 200
    assert emulator.call("POST", path + "/stop").status_code == 500
    assert emulator.call("GET", path).json()["status"] == "started"


def test_the_query_is_no_part_of_the_path(emulator):
    emulator.fault(path="/archive$", status=500)
    assert emulator.call("GET", emulator.archives_path + "?count=1").status_code == 500


def test_the_first_fault_that_fits_wins(emulator):
    emulator.fault(status=501, path="nowhere")
    emulator.fault(status=502)
    emulator.fault(status=503)
    assert listing(emulator).status_code == 502


def test_a_fault_can_be_for_some_times(emulator):
    emulator.fault(status=500, times=2)
    emulator.fault(status=429, times=1, headers={"Retry-After": "7"})
    assert [listing(emulator).status_code for _ in range(4)] == [500, 500, 429, 200]
    assert emulator.control("GET", "/faults") == {"faults": []}


def test_a_fault_instead_of_the_request_has_no_effect_on_archives(emulator, session_id):
    emulator.fault(method="POST", status=500, times=1)
    answer = emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
    assert answer.status_code == 500
    assert count(emulator) == 0


@pytest.mark.parametrize("trouble", [{"status": 500}, {"drop": True}, {"hang": True}])
def test_a_request_can_succeed_and_its_answer_be_lost(emulator, session_id, trouble):
    emulator.fault(method="POST", after=True, times=1, **trouble)
    try:
        body = {"sessionId": session_id}
        requests.post(
            emulator.url + emulator.archives_path,
            json=body,
            headers={"X-OPENTOK-AUTH": emulator.token()},
            timeout=SHORT,
        )
    except requests.RequestException:
        pass
    assert count(emulator) == 1


def test_a_dropped_connection_has_no_answer(emulator, session_id):
    emulator.fault(method="POST", drop=True)
    with pytest.raises(requests.ConnectionError):
        emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
    assert count(emulator) == 0
    assert emulator.requests()[-2]["status"] is None


def test_a_real_answer_can_be_late(emulator):
    emulator.fault(delay=0.2)
    begun = time.monotonic()
    assert listing(emulator).json() == {"count": 0, "items": []}
    assert time.monotonic() - begun >= 0.2


def test_a_late_answer_comes_when_the_faults_are_cleared(emulator):
    emulator.fault(delay=3600)
    thread, results = in_background(lambda: listing(emulator))
    assert emulator.requests(at_least=1)
    emulator.control("DELETE", "/faults")
    thread.join(10)
    assert results[0].status_code == 200


@pytest.mark.parametrize("clear", [("DELETE", "/faults"), ("POST", "/reset")])
def test_a_hanging_request_ends_when_the_faults_are_cleared(emulator, clear):
    emulator.fault(hang=True)
    thread, results = in_background(lambda: listing(emulator))
    assert emulator.requests(at_least=1)
    assert thread.is_alive()
    emulator.control(*clear)
    thread.join(10)
    assert isinstance(results[0], requests.ConnectionError)


def test_a_hanging_request_times_out_at_the_client(emulator):
    emulator.fault(hang=True)
    with pytest.raises(requests.Timeout):
        requests.get(emulator.url + emulator.archives_path, timeout=SHORT)


def test_a_hanging_request_ends_with_its_client(emulator):
    emulator.fault(hang=True, times=1)
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""


def test_an_answer_can_drip(emulator):
    emulator.fault(drip=0.0005)
    assert listing(emulator).json() == {"count": 0, "items": []}


def test_the_first_byte_of_a_dripping_answer_comes_alone(emulator):
    emulator.fault(drip=3600)
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100) == b"H"
        emulator.control("DELETE", "/faults")
        assert connection.recv(100) == b""


def test_faults_can_be_looked_at(emulator):
    made = emulator.control("POST", "/faults", {"status": 500, "path": "x", "times": 3})
    (fault,) = emulator.control("GET", "/faults")["faults"]
    assert fault["id"] == made["id"]
    assert (fault["status"], fault["path"], fault["times"]) == (500, "x", 3)


def test_faults_leave_control_and_downloads_alone(emulator):
    emulator.fault(drop=True)
    assert emulator.control("GET", "/clock")["speed"] == 1
    assert requests.get(emulator.url + "/tokbox.com.archive2/x", timeout=10).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"method": 1},
        {"method": "GET /"},
        {"path": "("},
        {"path": 1},
        {"status": 99},
        {"status": 600},
        {"status": "500"},
        {"status": True},
        {"headers": []},
        {"headers": {"X": 1}},
        {"headers": {"X": "a\r\nb"}},
        {"headers": {"X Y": "a"}},
        {"headers": {"X": "\u20ac"}},
        {"delay": -1},
        {"delay": "1"},
        {"delay": float("nan")},
        {"delay": 10**400},
        {"drop": 1},
        {"drip": 1e9},
        {"hang": "yes"},
        {"times": 0},
        {"times": 1.5},
        {"after": "later"},
        {"sttaus": 500},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(emulator, fields):
    with pytest.raises(ControlRefused) as refused:
        emulator.fault(**fields)
    assert refused.value.status == 400
    assert emulator.control("GET", "/faults") == {"faults": []}


def test_a_thousand_faults_are_kept_at_most(emulator):
    with requests.Session() as http:
        url = f"{emulator.url}/_control/faults"
        for _ in range(1000):
            assert http.post(url, json={"path": "nowhere"}, timeout=10).status_code == 201
        assert http.post(url, json={"path": "nowhere"}, timeout=10).status_code == 400

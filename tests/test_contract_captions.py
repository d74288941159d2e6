"""Captions, as the clients of the sample server start and stop them."""

import pytest

from tests.server_process import Server, free_port

ORIGIN = {"Origin": "https://web.example"}
STOPS = {
    "empty object": {"json": {}},
    "JSON type, empty body": {"headers": {"Content-Type": "application/json"}},
    "no body, no type": {},
}


@pytest.fixture
def client(server, opentok):
    """The body of a start: what a client that has joined a room knows."""
    joined = server.get("/room/cap").json()
    opentok.connect(joined["sessionId"])
    return {"sessionId": joined["sessionId"], "token": joined["token"]}


def id_of(answer):
    """What a client reads of the answer to a start."""
    assert answer.ok
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer.json()["id"]


def test_captions_start_with_the_session_and_the_token_of_the_room(server, opentok, client):
    started = id_of(server.post("/captions/start", json=client, headers=ORIGIN))
    (running,) = opentok.control("GET", "/runs")["runs"]
    assert (running["id"], running["status"]) == (started, "started")


def test_captions_that_run_are_started_again_with_the_same_id(server, client):
    first, second = (server.post("/captions/start", json=client) for _ in range(2))
    assert id_of(first) == id_of(second)


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_captions_stop_twice_whatever_the_body(server, opentok, client, stop):
    started = id_of(server.post("/captions/start", json=client))
    for _ in range(2):
        stopped = server.post(f"/captions/{started}/stop", **stop)
        assert stopped.ok
        assert isinstance(stopped.json(), dict)
    (run,) = opentok.control("GET", "/runs")["runs"]
    assert run["status"] == "stopped"


def test_captions_without_opentok_are_a_503_that_names_no_address(server, client):
    address = f"127.0.0.1:{free_port()}"
    with Server(OPENTOK_API_URL=f"http://{address}") as alone:
        answer = alone.post("/captions/start", json=client, headers=ORIGIN)
    assert (answer.status_code, answer.json()["code"]) == (503, "opentok_unavailable")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "127.0.0.1" not in answer.text


def test_an_id_of_captions_with_a_path_in_it_stops_no_recording(server, opentok, client):
    archive = server.post("/archive/start", json={"sessionId": client["sessionId"]}).json()["id"]
    for path in (f"..%2Farchive%2F{archive}%2Fstop%3F", f"..%2Farchive%2F{archive}", archive):
        answer = server.post(f"/captions/{path}/stop", json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "captions_not_found")
    assert server.get(f"/archive/{archive}").json()["status"] == "started"

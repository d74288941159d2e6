"""Pages in a session, as the clients of the sample server start, look at, list and end them."""

import pytest

from tests.server_process import Server, free_port
from tests.test_capabilities import bearer

UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
PAGE = {"url": "https://example.com/board"}


@pytest.fixture
def headers():
    return bearer("call")


@pytest.fixture
def client(server, opentok):
    """The body of a start: what a client that has joined a room knows."""
    joined = server.get("/room/board").json()
    opentok.connect(joined["sessionId"])
    return {"sessionId": joined["sessionId"], "token": joined["token"]}


def render_calls(opentok):
    return [request for request in opentok.requests() if "/render" in request["path"]]


def render(server, client, headers):
    answer = server.post("/render", json=client | PAGE, headers=headers)
    assert answer.status_code == 200
    return answer.json()["id"]


def ways(render_id):
    """An id in the body, as the sample reads it, and in the query, as a browser can send it."""
    return [("", {"json": {"id": render_id}}), (f"?id={render_id}", {})]


def test_a_page_starts_with_the_session_of_the_room(server, opentok, client, headers):
    started = render(server, client, headers)
    (running,) = opentok.control("GET", "/runs")["runs"]
    assert (running["id"], running["sessionId"]) == (started, client["sessionId"])


def test_a_start_without_a_page_is_a_400_and_no_call_to_opentok(server, opentok, client, headers):
    answer = server.post("/render", json=client, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "url" in answer.json()["error"]
    assert render_calls(opentok) == []


def test_a_get_starts_no_page(server, opentok, headers):
    assert server.get("/render", headers=headers).status_code == 405
    assert render_calls(opentok) == []


def test_a_page_is_looked_at_by_the_id_in_the_body_or_the_query(server, client, headers):
    started = render(server, client, headers)
    for query, body in ways(started):
        looked = server.get(f"/render/info{query}", headers=headers, **body)
        assert (looked.status_code, looked.json()["id"]) == (200, started)
        assert looked.json()["url"] == PAGE["url"]


def test_the_list_of_pages_is_the_newest_first_and_as_long_as_asked_for(server, client, headers):
    made = [render(server, client, headers) for _ in range(3)]
    for query, body, expected in (
        ("", {}, made[::-1]),
        ("", {"json": {"count": 2}}, made[:0:-1]),
        ("?count=2", {}, made[:0:-1]),
    ):
        listed = server.get(f"/render/list{query}", headers=headers, **body)
        assert listed.status_code == 200
        assert [each["id"] for each in listed.json()["items"]] == expected


def test_a_page_ends_by_the_id_in_the_body_or_the_query(server, opentok, client, headers):
    for way in (0, 1):
        started = render(server, client, headers)
        query, body = ways(started)[way]
        ended = server.request("DELETE", f"/render/stop{query}", headers=headers, **body)
        assert ended.status_code == 200
        assert isinstance(ended.json(), dict)
    assert {run["status"] for run in opentok.control("GET", "/runs")["runs"]} == {"stopped"}


@pytest.mark.parametrize("wrong", [UNKNOWN, "x", "undefined", "..%2Farchive"])
def test_a_page_that_is_not_there_is_a_404_and_not_asked_for(server, opentok, headers, wrong):
    for method, path in (("GET", "/render/info"), ("DELETE", "/render/stop")):
        for query, body in ways(wrong):
            answer = server.request(method, f"{path}{query}", headers=headers, **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "render_not_found")
    assert render_calls(opentok) == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/render/info"), ("DELETE", "/render/stop")])
def test_without_an_id_it_is_a_400_that_names_the_field(server, opentok, headers, method, path):
    answer = server.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "id" in answer.json()["error"]
    assert render_calls(opentok) == []


def test_without_opentok_pages_are_a_503_and_the_server_lives_on(server, client, headers):
    started = render(server, client, headers)
    by_id = {"json": {"id": started}}
    with Server(OPENTOK_API_URL=f"http://127.0.0.1:{free_port()}") as alone:
        workers = alone.workers()
        for method, path, body in (
            ("POST", "/render", {"json": client | PAGE}),
            ("GET", "/render/info", by_id),
            ("GET", "/render/list", {}),
            ("DELETE", "/render/stop", by_id),
        ):
            answer = alone.request(method, path, headers=headers, **body)
            assert (answer.status_code, answer.json()["code"]) == (503, "opentok_unavailable")
            assert "127.0.0.1" not in answer.text
        assert alone.workers() == workers

"""Clients that announce a body and do not send all of it."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.server_process import Server

BODY = b'{"sessionId": "none"}'


@contextmanager
def unfinished(server, count, address):
    """So many requests of which the last byte is missing, each from what `address` says."""
    with ExitStack() as opened:
        for number in range(count):
            client = socket.create_connection(("127.0.0.1", server.port))
            opened.enter_context(client)
            client.sendall(
                b"POST /archive/start HTTP/1.1\r\nHost: rooms\r\nContent-Type: application/json\r\n"
                b"X-Forwarded-For: %b\r\nContent-Length: %d\r\n\r\n%b"
                % (address(number).encode(), len(BODY), BODY[:-1])
            )
        yield


def start(server, address):
    return server.post(
        "/archive/start",
        data=BODY,
        headers={"Content-Type": "application/json", "X-Forwarded-For": address},
    )


@pytest.fixture
def behind_proxy(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, TRUSTED_PROXIES="1", WEB_CONCURRENCY="1") as server:
        assert server.get("/room/known").status_code == 200
        yield server


def test_one_who_sends_them_holds_up_nobody_else(behind_proxy):
    with unfinished(behind_proxy, 200, lambda number: "203.0.113.1"):
        for path in ("/healthz", "/room/known", "/room/new"):
            assert behind_proxy.get(path).status_code == 200
        assert start(behind_proxy, "203.0.113.2").json()["code"] == "session_invalid"
        refused = start(behind_proxy, "203.0.113.1")
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_slow_bodies")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


def test_many_who_send_them_hold_up_nobody_who_sends_no_body(behind_proxy):
    with unfinished(behind_proxy, 200, lambda number: f"203.0.113.{number}"):
        for path in ("/healthz", "/room/known", "/room/newer"):
            assert behind_proxy.get(path).status_code == 200
        assert start(behind_proxy, "198.51.100.1").json()["code"] == "too_many_slow_bodies"
    # They go, and their places are free, each as soon as the server has seen it.
    told = (start(behind_proxy, "198.51.100.1").json()["code"] for _ in range(40))
    assert "session_invalid" in told


def test_bodies_of_one_address_that_come_at_once_all_find_a_place(behind_proxy):
    with ThreadPoolExecutor(32) as crowd:
        answers = crowd.map(lambda _: start(behind_proxy, "203.0.113.3"), range(300))
        assert {answer.json()["code"] for answer in answers} == {"session_invalid"}

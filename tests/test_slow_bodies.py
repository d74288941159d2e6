"""Clients that announce a body and do not send all of it."""

import socket
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.server_process import Server

BODY = b'{"sessionId": "none"}'


def unfinished(server):
    """The connection of a request of which the last byte is missing."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(
        b"POST /archive/start HTTP/1.1\r\nHost: rooms\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY[:-1])
    )
    return client


@contextmanager
def many_unfinished(server, count):
    with ExitStack() as opened:
        yield [opened.enter_context(unfinished(server)) for _ in range(count)]


def start(server):
    return server.post("/archive/start", data=BODY, headers={"Content-Type": "application/json"})


@pytest.fixture
def alone(opentok, transactional_db):
    """A server of one process."""
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as server:
        assert server.get("/room/known").status_code == 200
        yield server


def test_bodies_that_never_end_hold_up_no_request_of_the_same_address(alone):
    with many_unfinished(alone, 1000):
        for path in ("/healthz", "/room/known", "/room/new"):
            assert alone.get(path).status_code == 200
        for _ in range(20):
            assert start(alone).json()["code"] == "session_invalid"


def test_a_body_that_does_not_arrive_in_ten_seconds_is_a_408_and_ends_its_connection(alone):
    began = time.monotonic()
    with unfinished(alone) as client, client.makefile("rb") as answer:
        told = answer.read().decode()  # to the end of the connection
    assert told.startswith("HTTP/1.1 408 ")
    assert '"code":"body_not_received"' in told
    assert "access-control-allow-origin: *" in told
    assert 9 < time.monotonic() - began < 20


def test_a_body_that_arrives_in_pieces_is_taken(alone):
    with unfinished(alone) as client:
        assert alone.get("/room/known").status_code == 200
        client.sendall(BODY[-1:])
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert alone.output().count('"route":"/archive/start"') == 1


def test_a_request_whose_client_leaves_in_mid_body_is_not_acted_on(alone):
    unfinished(alone).close()
    assert alone.get("/room/known").status_code == 200
    assert "/archive/start" not in alone.output()


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 5\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"],
    ids=["cut off", "no chunk"],
)
def test_a_body_that_ends_too_early_is_no_server_error(alone, body):
    with socket.create_connection(("127.0.0.1", alone.port), timeout=30) as client:
        client.sendall(b"POST /archive/start HTTP/1.1\r\nHost: rooms\r\n" + body)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4096).split()[1] in {b"408", b"411"}


def test_a_server_that_is_told_to_stop_waits_for_no_body(alone):
    with many_unfinished(alone, 30):
        assert alone.get("/room/known").status_code == 200
        told = time.monotonic()
        alone.stop()
        assert time.monotonic() - told < 5


def test_the_answer_to_a_body_of_five_megabytes_reaches_its_client(alone):
    answer = alone.post("/archive/start", data=b" " * 5_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_that_is_announced_as_far_too_large_is_refused_at_once(alone):
    head = b"POST /archive/start HTTP/1.1\r\nHost: rooms\r\nContent-Length: 99999999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", alone.port), timeout=5) as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_end_is_read_no_further_than_ten_megabytes(alone):
    head = b"POST /archive/start HTTP/1.1\r\nHost: rooms\r\nTransfer-Encoding: chunked\r\n\r\n"
    megabyte = b"%x\r\n%b\r\n" % (1_000_000, b" " * 1_000_000)
    sent = 0
    with socket.create_connection(("127.0.0.1", alone.port), timeout=30) as client:
        client.sendall(head)
        with suppress(ConnectionError):
            while sent < 100:
                client.sendall(megabyte)
                sent += 1
    assert 10 <= sent < 30

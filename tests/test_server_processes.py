"""The server's processes: one that dies is replaced, and connections are kept."""

import os
import signal
import socket
import time

import pytest

from config.server import DRAIN_SECONDS
from tests.server_process import Connection, Server


def test_a_worker_that_is_killed_is_replaced(server, opentok):
    with Server(OPENTOK_API_URL=opentok.url) as other:
        before = other.workers()
        os.kill(before[0], signal.SIGKILL)
        after = other.workers_once(lambda pids: len(pids) == 2 and before[0] not in pids)
        assert before[1] in after
        assert {other.get("/room/standup").status_code for _ in range(20)} == {200}


def test_a_server_that_was_told_to_stop_takes_no_new_connections(server, opentok):
    with Server(OPENTOK_API_URL=opentok.url) as leaving:
        leaving.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", leaving.port))


def test_a_server_that_is_told_to_stop_while_its_workers_start_ends_at_once(server):
    starting = Server().launch()
    starting.workers_once(lambda pids: len(pids) == 2)
    told = time.monotonic()
    starting.stop()
    assert time.monotonic() - told < DRAIN_SECONDS / 2


def test_a_connection_serves_many_requests(server):
    connection = Connection(server.port)
    assert [connection.status("/room/standup") for _ in range(3)] == [200] * 3


@pytest.mark.last
def test_a_connection_that_was_idle_for_longer_than_a_router_keeps_it_is_answered(server):
    assert server.after_a_rest.result() == 200  # begun with the first test: tests/conftest.py

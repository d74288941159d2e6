"""The server's processes: one that dies is replaced, and connections are kept."""

import itertools
import os
import resource
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.server import DRAIN_SECONDS, HEAPS
from tests import forked
from tests.server_process import ROOT, Connection, Server, Started, free_port, statuses


def test_a_worker_that_is_killed_is_replaced(server, opentok):
    with Started(OPENTOK_API_URL=opentok.url) as other:
        before = other.workers()
        os.kill(before[0], signal.SIGKILL)
        after = other.workers_once(lambda pids: len(pids) == 2 and before[0] not in pids)
        assert before[1] in after
        assert {other.get("/room/standup").status_code for _ in range(20)} == {200}


def test_the_threads_of_a_process_share_two_heaps(server):
    statuses(server, ["/readme"] * 200, threads=32)
    assert [heaps(pid) <= HEAPS for pid in server.workers()] == [True, True]


def heaps(pid):
    """How many of glibc's, beside its first: a part in use and a reserved one, of 64 MB together."""
    maps = [line.split()[:2] for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    ends = [([int(end, 16) for end in span.split("-")], rights) for span, rights in maps]
    return sum(
        (used, reserved) == ("rw-p", "---p") and end - start == 64 * 1024 * 1024
        for ((start, _), used), ((_, end), reserved) in itertools.pairwise(ends)
    )


def test_a_server_that_was_told_to_stop_takes_no_new_connections(server, opentok):
    with Started(OPENTOK_API_URL=opentok.url) as leaving:
        leaving.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", leaving.port))


def test_a_server_that_is_told_to_stop_while_its_workers_start_ends_at_once(server):
    starting = Started().launch()
    starting.workers_once(lambda pids: len(pids) == 2)
    told = time.monotonic()
    starting.stop()
    assert time.monotonic() - told < DRAIN_SECONDS / 2


def test_clients_in_the_middle_of_their_headers_keep_no_worker_alive(server, opentok):
    stopped = Started(OPENTOK_API_URL=opentok.url).start()
    with ExitStack() as held:
        for _ in range(10):
            client = held.enter_context(socket.create_connection(("127.0.0.1", stopped.port)))
            client.sendall(b"GET / HTTP/1.1\r\nHos")
        assert stopped.get("/room/standup").status_code == 200
        told = time.monotonic()
        stopped.stop()
        assert time.monotonic() - told < DRAIN_SECONDS / 2


def test_a_server_that_is_told_to_stop_answers_what_is_under_way(server, opentok):
    opentok.fault(path="/session/create", delay=3)
    stopped = Started(OPENTOK_API_URL=opentok.url).start()
    with ThreadPoolExecutor(1) as other:
        visit = other.submit(stopped.get, "/room/slow")
        while not opentok.requests():
            time.sleep(0.05)
        stopped.stop()
        assert visit.result().status_code == 200


def test_a_large_answer_arrives_whole_and_unread_ones_keep_nobody_out(server):
    path = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    with ExitStack() as unread:
        for _ in range(50):
            client = unread.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: rooms\r\n\r\n".encode())
        answer = server.get(path)
    assert len(answer.content) == int(answer.headers["Content-Length"]) > 1_000_000


def test_a_length_with_thousands_of_zeros_is_a_number(server):
    body = b"{}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        head = f"POST /archive/start HTTP/1.1\r\nHost: rooms\r\nContent-Length: {2:05000}\r\n\r\n"
        client.sendall(head.encode() + body)
        assert client.recv(4096).split()[1] in {b"400", b"415"}


def test_a_process_with_too_few_open_files_does_not_start(server):
    command = "import resource as r, runpy; r.setrlimit(r.RLIMIT_NOFILE, (300, 300));"
    command += "runpy.run_module('config.server', run_name='__main__')"
    few = Server(command=("-c", command)).launch()
    few.process.wait(timeout=30)
    assert "Not started. A process may have only 300 open files" in few.output()


def test_a_connection_serves_many_requests(server):
    connection = Connection(server.port)
    assert [connection.status("/room/standup") for _ in range(3)] == [200] * 3


def test_workers_end_with_a_first_process_that_is_killed_and_let_go_of_its_port(server, opentok):
    killed = Started(OPENTOK_API_URL=opentok.url).start()
    workers = killed.workers()
    assert len(workers) == 2
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    # Before the successor, which cannot be told from them by its answers.
    assert gone(workers)
    successor = Started(OPENTOK_API_URL=opentok.url)
    successor.port, successor.url = killed.port, killed.url
    successor.environment["PORT"] = str(killed.port)
    with successor:
        assert successor.get("/room/standup").status_code == 200


def gone(pids):
    """Whether these processes end within ten seconds; one that nobody has waited for has ended."""
    deadline = time.monotonic() + 10
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not left


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tls-cert", __file__], "--tls-cert and --tls-key go together."),
        (["--tls-key", __file__], "--tls-cert and --tls-key go together."),
        (["--tls-cert", "/x.pem", "--tls-key", "/x.pem"], "No such file or directory."),
        (["--tls-cert", __file__, "--tls-key", __file__], "are no certificate and its key"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_said_in_a_line(options, said):
    command = ["-m", "config.server", *options]
    done = forked.run(command, cwd=ROOT, env=os.environ | {"PORT": "0"})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Not started. ")
    assert said in line


@pytest.mark.parametrize("holder", ["another server", "another program"])
def test_a_port_that_is_taken_is_said_in_a_line(server, holder):
    with ExitStack() as stack:
        if holder == "another server":
            port = stack.enter_context(Started()).port
        else:
            port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        second = Started(PORT=str(port)).launch()
        second.process.wait(timeout=30)
        (line,) = second.output().splitlines()
    assert line.startswith(f"Not started. Port {port} is taken")


def test_of_two_servers_that_start_at_once_on_one_port_one_is_refused(server):
    port = str(free_port())
    both = [Started(PORT=port).launch() for _ in range(2)]
    try:
        deadline = time.monotonic() + 30
        while all(each.process.poll() is None for each in both) and time.monotonic() < deadline:
            time.sleep(0.1)
        ended = [each for each in both if each.process.poll() is not None]
        assert [each.output().count("is taken") for each in ended] == [1]
    finally:
        for each in both:
            each.stop()


def test_thousands_of_idle_connections_keep_nobody_out(server, opentok):
    allow_open_files(5000)
    with Started(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as alone, ExitStack() as idle:
        for _ in range(3500):
            idle.enter_context(socket.create_connection(("127.0.0.1", alone.port)))
        for _ in range(10):
            assert alone.get("/room/standup").status_code == 200


def allow_open_files(wanted):
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files, wanted), most))


def test_headers_of_more_than_32_kib_are_a_431(server):
    assert server.get("/session", headers={"Cookie": "c" * 30_000}).status_code == 302
    for size in (33_000, 400_000):
        assert server.get("/session", headers={"Cookie": "c" * size}).status_code == 431


@pytest.mark.last
def test_a_connection_that_was_idle_for_longer_than_a_router_keeps_it_is_answered(server):
    assert server.after_a_rest.result(120) == 200  # begun with the first test: tests/conftest.py

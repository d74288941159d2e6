"""What `make bench` and its sisters measure, and leave in bench/RESULTS.md."""

import asyncio
import json
import os
import threading
from asyncio import StreamReader, StreamWriter
from pathlib import Path

from bench import client, report, samples
from bench.client import NO_ANSWER, Answer
from bench.processes import PEER, Running
from bench.samples import CONNECTIONS, FILES, MEMORY, THREADS
from bench.soak import Log
from bench.traffic import Pace, Tally
from bench.turns import Shares, Turn, comparison


def test_each_command_replaces_its_own_part_and_keeps_the_others():
    results = report.replace("", "make bench-scale", "## make bench-scale\n\nold\n")
    results = report.replace(results, "make bench", "## make bench\n\n### Rates\n\nrates\n")
    results = report.replace(results, "make bench-scale", "## make bench-scale\n\nnew\n")
    assert results == (
        f"{report.TITLE}\n## make bench\n\n### Rates\n\nrates\n\n## make bench-scale\n\nnew\n"
    )


def test_figures_of_several_runs_are_a_median_between_the_lowest_and_the_highest():
    assert report.spread([1500, 1000, 1234]) == "1,234 (1,000 to 1,500)"
    assert report.spread([2.26, 2.1], digits=2) == "2.18 (2.10 to 2.26)"
    assert report.spread([1, 1, 1]) == "1"


def test_a_table_is_markdown():
    assert report.table("a | b", [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"


def test_ratios_are_those_of_turns_of_the_same_run_with_the_peers():
    def turn(rate: float, p99: float) -> tuple[Turn, Shares]:
        return Turn(1, rate, p50=1, p99=p99, cpu=500, failed=1), Shares(client=7, opentok=0)

    turns = {"peer": [turn(100, 10), turn(200, 20)], "ours": [turn(200, 30), turn(200, 10)]}
    *_, ours = comparison(turns, unit="requests").splitlines()
    assert ours == (
        "| ours | 200 | 1.50 (1.00 to 2.00) | 1.0 | 20.0 (10.0 to 30.0) | 1.75 (0.50 to 3.00) "
        "| 500 | 2 | 7 | 0 |"
    )


def test_the_peer_has_exactly_the_versions_of_the_lock_of_the_sample_server():
    wanted = json.loads((PEER / "package.json").read_text())["dependencies"]
    locked = json.loads((PEER / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert wanted["opentok"] == "2.15.2"
    assert wanted["express"] == "4.18.2"


def test_a_client_keeps_its_connection_until_the_server_closes_it_without_an_answer():
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        for status in ("200 OK", "503 Service Unavailable\r\nretry-after: 5"):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 4\r\n\r\ntrue".encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def ask_three_times() -> list[Answer]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = client.Connection(Running("", f"http://127.0.0.1:{port}", 0))
        answers = [await connection.ask("/") for _ in range(3)]
        server.close()
        return answers

    answers = asyncio.run(ask_three_times())
    assert [(answer.status, answer.retry_after, answer.body) for answer in answers] == [
        (200, 0, True),
        (503, 5, True),
        (NO_ANSWER, 0, None),
    ]
    assert client.statuses(answers) == "1 × none in 30 s, 1 × 200, 1 × 503"


def test_what_grows_while_it_warms_up_alone_is_flat():
    warming = [50, 80, 100, 101, 100, 101, 100, 102, 101]
    assert samples.is_flat(MEMORY, warming)
    assert samples.growth(warming) == 0


def test_what_grows_to_the_end_is_not_flat():
    assert not samples.is_flat(MEMORY, [90, 92, 94, 96, 98, 100, 102, 104, 106])
    assert not samples.is_flat(FILES, [20, 22, 25, 28, 30, 33, 36, 39, 42])
    assert not samples.is_flat(CONNECTIONS, [8, 9, 10, 11, 12, 13, 14, 15, 16])


def test_a_peak_and_a_fall_are_flat():
    assert samples.is_flat(MEMORY, [100, 100, 100, 100, 100, 100, 100, 180, 100])
    assert samples.is_flat(FILES, [60, 60, 60, 60, 60, 60, 20, 20, 20])


def test_a_soak_says_what_is_not_flat():
    series = {("worker", MEMORY): [100, 100, 110], ("worker", THREADS): [8, 8, 8]}
    assert samples.judged(series) == [
        ["worker", MEMORY, "100.0", "110.0", "+10.0", "2.0", "**no**"],
        ["worker", THREADS, "8", "8", "+0.0", "2.0", "yes"],
    ]


def test_a_sample_has_the_threads_and_the_files_of_a_process():
    before, go_on = samples.held_by(os.getpid()), threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    with Path(os.devnull).open():
        during = samples.held_by(os.getpid())
    go_on.set()
    thread.join()
    assert (during[THREADS], during[FILES]) == (before[THREADS] + 1, before[FILES] + 1)
    assert 1 < samples.in_all([os.getpid()]) <= during[MEMORY] + 1


def test_a_soak_reads_server_errors_and_failures_out_of_the_log():
    log = Log([
        '{"level": "info", "route": "/room/<name>", "method": "GET", "status": 200}',
        '{"level": "info", "route": "/room/<name>", "method": "GET", "status": 503}',
        '{"level": "warning", "logger": "video.callbacks", "message": "refused"}',
        '{"level": "error", "logger": "ops.worker", "message": "The worker failed: tidy"}',
        "thread '<unnamed>' panicked",
    ])  # fmt: skip
    assert log.requests == 2
    assert log.errors == {
        "503 for GET /room/<name>": 1,
        "in the log: The worker failed: tidy": 1,
        "in the log: thread '<unnamed>' panicked": 1,
    }


def test_a_client_that_fails_is_counted_and_begins_again():
    taken, enough = [], threading.Event()

    def steps():
        taken.append("first")
        yield
        if len(taken) == 3:
            enough.set()
        raise KeyError("sessionId")

    tally = Tally()
    with Pace(steps, rate=1000, tally=tally):
        assert enough.wait(30)
    assert tally.failures["KeyError: 'sessionId'"] >= 3

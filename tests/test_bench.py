"""What `make bench` and `make bench-scale` measure, and leave in bench/RESULTS.md."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter

from bench import client, report
from bench.client import NO_ANSWER, Answer
from bench.processes import PEER, Running
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

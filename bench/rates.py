"""`make bench`: how many requests a second for a room that is known, against the sample's way.

Peer and ours are measured in turns in one run, so that what counts, the ratio, holds when the
machine's speed drifts. Writes bench/RESULTS.md.
"""

import argparse
import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench import processes
from bench.processes import Running
from tests.on_postgresql import postgresql

RESULTS = Path(__file__).with_name("RESULTS.md")
CONNECTIONS = 16


@dataclass
class Turn:
    """One run of wrk; latencies in ms, CPU time per request in microseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    failed: int


def measure(server: Running, *, seconds: int) -> Turn:
    before = server.cpu_seconds()
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    said = subprocess.run(
        [*command, server.url + "/room/known"], capture_output=True, text=True, check=True
    ).stdout
    spent = server.cpu_seconds() - before
    requests = int(found(r"(\d+) requests in", said))
    return Turn(
        rate=float(found(r"Requests/sec:\s+([\d.]+)", said)),
        p50=milliseconds(found(r"^\s+50%\s+(\S+)", said)),
        p99=milliseconds(found(r"^\s+99%\s+(\S+)", said)),
        cpu=spent / requests * 1e6,
        failed=int(found(r"Non-2xx or 3xx responses: (\d+)", said, default="0")),
    )


def found(pattern: str, text: str, default: str | None = None) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match:
        return match[1]
    if default is None:
        sys.exit(f"wrk did not say {pattern}:\n{text}")
    return default


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def table(turns: dict[str, list[Turn]], memory: dict[str, tuple[float, float]]) -> str:
    def middle(name: str, field: Callable[[Turn], float]) -> float:
        return statistics.median(field(turn) for turn in turns[name])

    rows = [
        "| server | requests/s | of the peer | p50 ms | p99 ms | CPU us/request "
        "| MB at rest | MB after | errors |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in turns:
        pairs = zip(turns[name], turns["peer"], strict=True)
        ratios = sorted(mine.rate / peer.rate for mine, peer in pairs)
        rows.append(
            f"| {name} | {middle(name, lambda t: t.rate):.0f} "
            f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) "
            f"| {middle(name, lambda t: t.p50):.1f} | {middle(name, lambda t: t.p99):.1f} "
            f"| {middle(name, lambda t: t.cpu):.0f} "
            f"| {memory[name][0]:.0f} | {memory[name][1]:.0f} "
            f"| {sum(turn.failed for turn in turns[name])} |"
        )
    return "\n".join(rows)


def machine() -> str:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    parts = ", ".join(f"{name} {version(name)}" for name in ("django", "granian", "opentok"))
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}, {parts}, Node {node.strip()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rates", description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("The load comes from wrk: apt-get install wrk, or brew install wrk.")
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql() as database,
        processes.local_opentok() as opentok,
    ):
        servers = [
            processes.peer(opentok),
            processes.ours("ours, SQLite", f"sqlite:///{folder}/bench.sqlite3", opentok),
            processes.ours("ours, PostgreSQL", database, opentok),
        ]
        try:
            report = run(servers, turns=options.turns, seconds=options.seconds)
        finally:
            for server in servers:
                processes.stop(server)
    RESULTS.write_text(report)
    print(report)


def run(servers: list[Running], *, turns: int, seconds: int) -> str:
    done: dict[str, list[Turn]] = {server.name: [] for server in servers}
    rest = {server.name: server.memory_mb() for server in servers}
    for server in servers:
        measure(server, seconds=2)  # warm-up
    for turn in range(turns):
        for server in servers:
            done[server.name].append(measure(server, seconds=seconds))
            rate = done[server.name][-1].rate
            print(f"turn {turn + 1} of {turns}: {server.name} {rate:.0f}/s", file=sys.stderr)
    memory = {server.name: (rest[server.name], server.memory_mb()) for server in servers}
    return (
        "# Results\n\n`make bench` wrote this. The peer does what OpenTok's sample server does, "
        "with its packages. Absolute figures are this machine's; the ratio is what counts: median "
        "(lowest-highest) of the turns.\n\n"
        f"{machine()}. wrk with {CONNECTIONS} connections, {turns} turns of {seconds} s.\n\n"
        f"## GET /room/<known>\n\n{table(done, memory)}\n"
    )


if __name__ == "__main__":
    main()

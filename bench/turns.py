"""Servers under the same load in turns, and how each does beside the first one, the peer."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.processes import Running, cpu_seconds
from bench.report import spread, table, tell
from tests.emulator_process import Emulator


@dataclass
class Turn:
    """One load. Latencies are in ms, `cpu` is in µs of processor time for each request."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float
    failed: int


@dataclass
class Shares:
    """What else took processor time during a turn, in % of a core."""

    client: float
    opentok: float


Load = Callable[[Running, int], Turn]


def in_turns(
    servers: list[Running], opentok: Emulator, load: Load, *, runs: int, label: str
) -> dict[str, list[tuple[Turn, Shares]]]:
    """By the server's name. `load` gets the number of the run; run -1 warms up and is not kept."""
    turns: dict[str, list[tuple[Turn, Shares]]] = {server.name: [] for server in servers}
    for run in range(-1, runs):
        for server in servers:
            turn, shares = _watched(opentok, load, server, run)
            tell(f"{label}, run {run + 1} of {runs}: {server.name}, {turn.rate:.0f}/s")
            if run >= 0:
                turns[server.name].append((turn, shares))
    return turns


def _watched(opentok: Emulator, load: Load, server: Running, run: int) -> tuple[Turn, Shares]:
    started, client, spent = time.monotonic(), _of_client(), cpu_seconds([opentok.pid])
    turn = load(server, run)
    client, spent = _of_client() - client, cpu_seconds([opentok.pid]) - spent
    seconds = time.monotonic() - started
    return turn, Shares(client=100 * client / seconds, opentok=100 * spent / seconds)


def _of_client() -> float:
    """Seconds of this process, and of its children that ended, which wrk has and no server."""
    return sum(os.times()[:4])


def comparison(turns: dict[str, list[tuple[Turn, Shares]]], *, unit: str) -> str:
    """A table. Ratios are those of turns of the same run with the peer's, who is the first."""
    peer = [turn for turn, _ in next(iter(turns.values()))]
    head = (
        f"server | {unit}/s | times the peer's | p50 ms | p99 ms | times the peer's p99 "
        f"| CPU µs each | errors | client, % of a core | OpenTok, % of a core"
    )
    return table(head, [[name, *_figures(mine, peer)] for name, mine in turns.items()])


def _figures(of_runs: list[tuple[Turn, Shares]], peer: list[Turn]) -> list[object]:
    mine = [turn for turn, _ in of_runs]
    pairs = list(zip(mine, peer, strict=True))
    return [
        spread(turn.rate for turn in mine),
        spread((a.rate / b.rate for a, b in pairs), digits=2),
        spread((turn.p50 for turn in mine), digits=1),
        spread((turn.p99 for turn in mine), digits=1),
        spread((a.p99 / b.p99 for a, b in pairs), digits=2),
        spread(turn.cpu for turn in mine),
        sum(turn.failed for turn in mine),
        spread(shares.client for _, shares in of_runs),
        spread(shares.opentok for _, shares in of_runs),
    ]

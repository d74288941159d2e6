"""Many first visitors at once, while OpenTok takes its time for a session."""

import asyncio
import itertools
from dataclasses import dataclass

from bench import wrk
from bench.client import Answer, insist, statuses
from bench.processes import Running
from bench.report import spread, table, tell
from bench.slowness import slow
from bench.turns import Turn
from tests.emulator_process import Emulator

VISITORS = 400
# Seconds that OpenTok takes to make a session.
DELAY = 1
# Of wrk, which asks for a known room meanwhile.
SECONDS = 5


@dataclass
class Crowd:
    """What each visitor was answered, one attempt after the other. Memory in MB."""

    visits: list[list[Answer]]
    calls: int
    memory: tuple[float, float]

    def first_answers(self) -> list[Answer]:
        return [visit[0] for visit in self.visits]

    def sessions(self) -> int:
        """How many different ones were handed out."""
        inside = [visit[-1] for visit in self.visits if visit[-1].status == 200]
        return len({answer.body["sessionId"] for answer in inside})

    def seconds(self) -> float:
        """Until the last visitor had the last answer."""
        return max(
            sum(answer.seconds for answer in visit) + sum(again.retry_after for again in visit[:-1])
            for visit in self.visits
        )


HEAD = (
    "server | first answers | sessions | calls to OpenTok | slowest first answer, s "
    "| all inside after, s | MB of a worker before | after"
)


def one_new_room(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    done: dict[str, list[Crowd]] = {server.name: [] for server in servers}
    for run, server in itertools.product(range(runs), servers):
        tell(f"{VISITORS} visitors of one room, run {run + 1} of {runs}: {server.name}")
        paths = [f"/room/crowd-{run}"] * VISITORS
        done[server.name].append(asyncio.run(_crowd(server, opentok, paths)))
    return (
        f"### {VISITORS} first visitors of one room\n\nAll ask for the same new room at the same "
        f"moment, and OpenTok takes {DELAY} s to make a session. A visitor who gets a 503 comes "
        "again after its `Retry-After`. With more than one session, visitors of one room do not "
        "meet. First answers are those of the last run.\n\n"
        + table(HEAD, [[name, *_figures(crowds)] for name, crowds in done.items()])
    )


def many_new_rooms(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    done: dict[str, list[tuple[Crowd, Turn, Turn]]] = {server.name: [] for server in servers}
    for run, server in itertools.product(range(runs), servers):
        tell(f"{VISITORS} visitors of as many rooms, run {run + 1} of {runs}: {server.name}")
        paths = [f"/room/crowd-{run}-{n}" for n in range(VISITORS)]
        done[server.name].append(asyncio.run(_crowd_and_known(server, opentok, paths)))
    head = f"{HEAD} | p99 ms of a known room before | meanwhile | errors meanwhile"
    return (
        f"### {VISITORS} first visitors of {VISITORS} rooms\n\nThe same with a new room for each "
        f"visitor, while wrk asks for a known room over {wrk.CONNECTIONS} connections for "
        f"{SECONDS} s.\n\n"
        + table(head, [[name, *_with_known(of_runs)] for name, of_runs in done.items()])
    )


async def _crowd(server: Running, opentok: Emulator, paths: list[str]) -> Crowd:
    before = server.memory_mb()
    with slow(opentok, seconds=DELAY):
        visits = await asyncio.gather(*(insist(server, path) for path in paths))
        calls = len(opentok.requests())
    return Crowd(visits, calls, (before, server.memory_mb()))


async def _crowd_and_known(
    server: Running, opentok: Emulator, paths: list[str]
) -> tuple[Crowd, Turn, Turn]:
    before = wrk.load(server, seconds=SECONDS)
    crowd, during = await asyncio.gather(
        _crowd(server, opentok, paths), asyncio.to_thread(wrk.load, server, seconds=SECONDS)
    )
    return crowd, before, during


def _figures(crowds: list[Crowd]) -> list[object]:
    slowest = [max(answer.seconds for answer in crowd.first_answers()) for crowd in crowds]
    left_out = any(visit[-1].status != 200 for crowd in crowds for visit in crowd.visits)
    return [
        statuses(crowds[-1].first_answers()),
        spread(crowd.sessions() for crowd in crowds),
        spread(crowd.calls for crowd in crowds),
        spread(slowest, digits=1),
        "not all" if left_out else spread((crowd.seconds() for crowd in crowds), digits=1),
        spread(crowd.memory[0] for crowd in crowds),
        spread(crowd.memory[1] for crowd in crowds),
    ]


def _with_known(of_runs: list[tuple[Crowd, Turn, Turn]]) -> list[object]:
    crowds, before, during = zip(*of_runs, strict=True)
    return [
        *_figures(list(crowds)),
        spread((turn.p99 for turn in before), digits=1),
        spread((turn.p99 for turn in during), digits=1),
        sum(turn.failed for turn in during),
    ]

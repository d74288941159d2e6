"""Whether known rooms are served while OpenTok hangs, and what those who wait are told."""

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bench import wrk
from bench.client import Answer, ask, insist, statuses
from bench.processes import Running
from bench.report import spread, table, tell
from bench.turns import Turn
from tests.emulator_process import Emulator

# Half of them wait for a new room, half for a recording.
CALLERS = 60
# Less than the seven seconds after which the server gives up on OpenTok.
SECONDS = 5


@dataclass
class Hang:
    before: Turn
    during: Turn
    answers: list[Answer]


def hang(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    done: dict[str, list[Hang]] = {server.name: [] for server in servers}
    for run, server in itertools.product(range(runs), servers):
        tell(f"OpenTok hangs, run {run + 1} of {runs}: {server.name}")
        done[server.name].append(asyncio.run(_hang(server, opentok, run)))
    return (
        f"### While OpenTok hangs\n\nwrk asks for a known room over {wrk.CONNECTIONS} connections "
        f"for {SECONDS} s, before and while OpenTok answers no call and {CALLERS} others wait: "
        "half for a new room, half to start a recording. Their answers are those of the last "
        "run.\n\n"
        + table(
            "server | p99 ms before | p99 ms meanwhile | requests/s before | requests/s meanwhile "
            "| errors | answers to those who wait | the slowest, s",
            [[name, *_figures(of_runs)] for name, of_runs in done.items()],
        )
    )


async def _hang(server: Running, opentok: Emulator, run: int) -> Hang:
    before = wrk.load(server, seconds=SECONDS)
    # New ones for each run, so that the last hang is over for all of them.
    kept = [f"/room/kept-{run}-{n}" for n in range(CALLERS // 2)]
    sessions = [(await insist(server, room))[-1].body["sessionId"] for room in kept]
    callers: list[Coroutine[Any, Any, Answer]] = [
        *(ask(server, f"/room/hung-{run}-{n}") for n in range(CALLERS // 2)),
        *(ask(server, "/archive/start", {"sessionId": session}) for session in sessions),
    ]
    opentok.reset()
    opentok.fault(hang=True)
    waiting = asyncio.gather(*callers)
    await asyncio.sleep(0)  # they start here
    during = await asyncio.to_thread(wrk.load, server, seconds=SECONDS)
    answers = await waiting
    opentok.reset()
    return Hang(before, during, answers)


def _figures(of_runs: list[Hang]) -> list[object]:
    return [
        spread((hang.before.p99 for hang in of_runs), digits=1),
        spread((hang.during.p99 for hang in of_runs), digits=1),
        spread(hang.before.rate for hang in of_runs),
        spread(hang.during.rate for hang in of_runs),
        sum(hang.during.failed for hang in of_runs),
        statuses(of_runs[-1].answers),
        spread((max(a.seconds for a in hang.answers) for hang in of_runs), digits=1),
    ]

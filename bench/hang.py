"""Whether known rooms are served while OpenTok hangs, and what those who wait are told."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench import wrk
from bench.crowd import Answer, ask, at_once, insist, statuses
from bench.processes import Running
from bench.report import spread, table, tell
from bench.wrk import Turn
from tests.emulator_process import Emulator

CALLERS = 60
# Less than the seven seconds after which the server gives up on OpenTok.
SECONDS = 5


@dataclass
class Hang:
    before: Turn
    during: Turn
    answers: list[Answer]


def hang(peer: Running, servers: list[Running], opentok: Emulator, *, runs: int) -> str:
    done: dict[str, list[Hang]] = {}
    for run, server in itertools.product(range(runs), [peer, *servers]):
        tell(f"run {run + 1} of {runs}: {server.name}, OpenTok hangs")
        sessions = [] if server is peer else _sessions(server, run)
        new_rooms = [f"/room/hung-{run}-{n}" for n in range(CALLERS - len(sessions))]
        callers = [partial(ask, server, path) for path in new_rooms]
        callers += [
            partial(ask, server, "/archive/start", json_body={"sessionId": session})
            for session in sessions
        ]
        done.setdefault(server.name, []).append(_hang(server, opentok, callers))
    return (
        f"### While OpenTok hangs\n\nwrk asks for a known room over {wrk.CONNECTIONS} connections "
        f"for {SECONDS} s, before and while OpenTok answers nobody and {CALLERS} others wait: half "
        "for a new room, half to start a recording (of the peer, which has no recordings, all for "
        "new rooms). Their answers are those of the last run.\n\n"
        + table(
            "server | p99 ms before | p99 ms meanwhile | requests/s before | requests/s meanwhile "
            "| errors | answers to those who wait | the slowest, s",
            [[name, *_figures(of_runs)] for name, of_runs in done.items()],
        )
    )


def _sessions(server: Running, run: int) -> list[str]:
    """Of as many rooms as half of the callers, new ones, so that the last hang is over for all."""
    rooms = [f"/room/kept-{run}-{n}" for n in range(CALLERS // 2)]
    return [insist(server, room)[-1].body["sessionId"] for room in rooms]


def _hang(server: Running, opentok: Emulator, callers: Sequence[Callable[[], Answer]]) -> Hang:
    before = wrk.load(server, seconds=SECONDS)
    opentok.reset()
    opentok.fault(hang=True)
    with at_once(callers) as waiting:
        opentok.requests(at_least=len(callers), within=1)
        during = wrk.load(server, seconds=SECONDS)
    opentok.reset()
    return Hang(before, during, [caller.result() for caller in waiting])


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

"""The first visitors of a new room, all at once, while OpenTok takes its time for a session."""

import itertools
from dataclasses import dataclass
from functools import partial

from bench.crowd import Answer, at_once, insist, statuses
from bench.processes import Running
from bench.report import spread, table, tell
from tests.emulator_process import Emulator

SIZES = [1, 40, 400]
# Seconds that OpenTok takes to make a session.
DELAY = 1


@dataclass
class Burst:
    """What each visitor was answered, attempt by attempt, and how often OpenTok was called."""

    visits: list[list[Answer]]
    calls: int

    def first_answers(self) -> list[Answer]:
        return [visit[0] for visit in self.visits]

    def sessions(self) -> int:
        """How many different ones were handed out; more than one, and people are alone."""
        inside = [visit[-1] for visit in self.visits if visit[-1].status == 200]
        return len({answer.body["sessionId"] for answer in inside})

    def seconds(self) -> float:
        """Until the last visitor had the last answer."""
        return max(
            sum(answer.seconds for answer in visit) + sum(again.retry_after for again in visit[:-1])
            for visit in self.visits
        )


def bursts(servers: list[Running], opentok: Emulator, *, runs: int) -> str:
    done: dict[tuple[int, str], list[Burst]] = {}
    for run, size, server in itertools.product(range(runs), SIZES, servers):
        tell(f"run {run + 1} of {runs}: {server.name}, burst of {size}")
        burst = _burst(server, opentok, f"/room/burst-{size}-{run}", size=size)
        done.setdefault((size, server.name), []).append(burst)
    return (
        f"### A burst of first visitors\n\nEverybody asks for the same new room at the same "
        f"moment, and OpenTok takes {DELAY} s to make a session. Half of a server's threads may "
        "wait for OpenTok, so that it can serve other rooms meanwhile; whoever comes after that "
        "gets a 503 at once, and is inside when its `Retry-After` has passed. Answers are those of "
        "the last run.\n\n"
        + table(
            "visitors | server | first answers | sessions handed out | calls to OpenTok "
            "| slowest first answer, s | everybody inside after, s",
            [[size, name, *_figures(of_runs)] for (size, name), of_runs in done.items()],
        )
    )


def _burst(server: Running, opentok: Emulator, path: str, *, size: int) -> Burst:
    opentok.reset()
    opentok.fault(path="/session/create", delay=DELAY)
    with at_once([partial(insist, server, path)] * size) as visits:
        pass
    calls = len(opentok.requests())
    opentok.reset()
    return Burst([visit.result() for visit in visits], calls)


def _figures(of_runs: list[Burst]) -> list[str]:
    slowest = [max(answer.seconds for answer in burst.first_answers()) for burst in of_runs]
    left_out = any(visit[-1].status != 200 for burst in of_runs for visit in burst.visits)
    return [
        statuses(of_runs[-1].first_answers()),
        spread(burst.sessions() for burst in of_runs),
        spread(burst.calls for burst in of_runs),
        spread(slowest, digits=1),
        "not everybody" if left_out else spread((b.seconds() for b in of_runs), digits=1),
    ]

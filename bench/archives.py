"""How fast recordings are started, stopped and looked at."""

import asyncio
import statistics
import time

from bench.client import Connection, insist
from bench.processes import Running
from bench.rates import DELAYS
from bench.slowness import slow
from bench.turns import Turn, comparison, in_turns
from tests.emulator_process import Emulator

CALLERS = 16


def archives(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    text = (
        f"### Recordings\n\n{CALLERS} callers, each with a connection and a room of its own, start "
        "a recording, stop it, look at it (`GET /archive/<id>`), and start the next one, in turns, "
        f"{runs} × {seconds} s each. Latencies are those of a whole round of the three.\n"
    )
    for delay in DELAYS:

        def load(server: Running, run: int, delay: float = delay) -> Turn:
            return asyncio.run(_rounds(server, opentok, delay=delay, seconds=seconds))

        milliseconds = round(1000 * delay)
        label = f"recordings, OpenTok takes {milliseconds} ms"
        turns = in_turns(servers, opentok, load, runs=runs, label=label)
        text += f"\nOpenTok takes {milliseconds} ms:\n\n" + comparison(turns, unit="rounds")
    return text


async def _rounds(server: Running, opentok: Emulator, *, delay: float, seconds: float) -> Turn:
    rooms = [(await insist(server, f"/room/recorded-{n}"))[-1].body for n in range(CALLERS)]
    with slow(opentok, seconds=delay):
        started, before = time.monotonic(), server.cpu_seconds()
        callers = [_caller(server, room["sessionId"], started + seconds) for room in rooms]
        done = [taken for rounds in await asyncio.gather(*callers) for taken in rounds]
        whole, spent = time.monotonic() - started, server.cpu_seconds() - before
    good = [1000 * taken for taken in done if taken is not None]
    return Turn(
        requests=len(good),
        rate=len(good) / whole,
        p50=statistics.median(good),
        p99=statistics.quantiles(good, n=100)[98],
        cpu=spent / len(good) * 1e6,
        failed=len(done) - len(good),
    )


async def _caller(server: Running, session: str, until: float) -> list[float | None]:
    """Seconds of each round, None of one that failed."""
    connection = Connection(server)
    done = []
    while (started := time.monotonic()) < until:
        good = await _round(connection, session)
        done.append(time.monotonic() - started if good else None)
    connection.close()
    return done


async def _round(connection: Connection, session: str) -> bool:
    start = await connection.ask("/archive/start", {"sessionId": session})
    if start.status != 200:
        return False
    path = f"/archive/{start.body['id']}"
    stop = await connection.ask(f"{path}/stop", {})
    look = await connection.ask(path)
    return stop.status == look.status == 200

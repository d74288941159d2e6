"""How fast callbacks of session monitoring are taken: who came, what they publish, who left."""

import asyncio
import hashlib
import itertools
import json
import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import jwt

from bench.client import Connection, insist
from bench.processes import CALLBACK_SECRET, Running
from bench.report import spread, table, tell
from tests.emulator_process import Emulator

SENDERS, PEOPLE = 16, 4
# More than any server takes.
MOST_EACH_SECOND = 3000


@dataclass
class Rate:
    """Latencies in ms, `cpu` in µs of the server's processor time for each event."""

    rate: float
    p50: float
    p99: float
    cpu: float
    failed: int


def callbacks(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    ours = [server for server in servers if server.name != "peer"]
    done: dict[str, list[Rate]] = {server.name: [] for server in ours}
    for run, server in itertools.product(range(-1, runs), ours):  # the first one is a warm-up
        rate = asyncio.run(load(server, seconds=seconds))
        tell(f"callbacks, run {run + 1} of {runs}: {server.name}, {rate.rate:.0f}/s")
        if run >= 0:
            done[server.name].append(rate)
    return (
        f"### Callbacks of session monitoring\n\n{SENDERS} senders, each with a connection and a "
        f"room of its own, tell of one meeting of {PEOPLE} people after the other: all come and "
        "publish a stream, which ends, and leave. Each callback is signed, and sent when the one "
        f"before has its answer, in turns, {runs} × {seconds} s each.\n\n"
        + table(
            "server | events/s | p50 ms | p99 ms | CPU µs each | errors",
            [[name, *_figures(rates)] for name, rates in done.items()],
        )
    )


def _figures(rates: list[Rate]) -> list[object]:
    return [
        spread(rate.rate for rate in rates),
        spread((rate.p50 for rate in rates), digits=1),
        spread((rate.p99 for rate in rates), digits=1),
        spread(rate.cpu for rate in rates),
        sum(rate.failed for rate in rates),
    ]


async def load(server: Running, *, seconds: float, streams: bool = True) -> Rate:
    visits = [(await insist(server, f"/room/monitored-{n}"))[-1].body for n in range(SENDERS)]
    # Signed before the clock runs: the machine's processors are then the server's.
    count = int(MOST_EACH_SECOND / SENDERS * seconds)
    requests = [
        [
            (event, f"Bearer {signed(event)}")
            for event in itertools.islice(_events(visit["sessionId"], streams), count)
        ]
        for visit in visits
    ]
    started, before = time.monotonic(), server.cpu_seconds()
    senders = [_sender(server, each, started + seconds) for each in requests]
    done = [taken for each in await asyncio.gather(*senders) for taken in each]
    whole, spent = time.monotonic() - started, server.cpu_seconds() - before
    good = [1000 * taken for taken in done if taken is not None]
    return Rate(
        rate=len(good) / whole,
        p50=statistics.median(good),
        p99=statistics.quantiles(good, n=100)[98],
        cpu=spent / len(good) * 1e6,
        failed=len(done) - len(good),
    )


async def _sender(
    server: Running, requests: list[tuple[dict[str, object], str]], until: float
) -> list[float | None]:
    """Seconds that each event took, None of one that failed."""
    connection = Connection(server)
    done = []
    for event, authorization in requests:
        if time.monotonic() > until:
            break
        told = await connection.ask("/callbacks", event, authorization=authorization)
        done.append(told.seconds if told.status == 200 else None)
    connection.close()
    return done


def _events(session: str, with_streams: bool) -> Iterator[dict[str, object]]:
    """Without an end: one meeting after the other, a millisecond from each event to the next."""
    clock = itertools.count(round(time.time() * 1000))
    while True:
        people = [_client(number, next(clock)) for number in range(PEOPLE)]
        streams = [
            {"id": str(uuid.uuid4()), "connection": each, "createdAt": each["createdAt"],
             "name": "Somebody", "videoType": "camera"}
            for each in people if with_streams
        ]  # fmt: skip
        whole = {"sessionId": session, "projectId": Emulator.api_key}
        for event, what, told in [
            *(("connectionCreated", "connection", each) for each in people),
            *(("streamCreated", "stream", each) for each in streams),
            *(("streamDestroyed", "stream", each) for each in streams),
            *(("connectionDestroyed", "connection", each) for each in people),
        ]:
            moment = {"timestamp": next(clock), "reason": "clientDisconnected"}
            yield {"event": event, what: told} | moment | whole


def _client(number: int, moment: int) -> dict[str, object]:
    data = json.dumps({"name": f"Somebody {number}"})
    return {"id": str(uuid.uuid4()), "createdAt": moment, "data": data}


def signed(event: dict[str, object]) -> str:
    claims = {
        "iss": "Vonage",
        "iat": int(time.time()),
        "payload_hash": hashlib.sha256(json.dumps(event).encode()).hexdigest(),
    }
    return jwt.encode(claims, CALLBACK_SECRET, algorithm="HS256")

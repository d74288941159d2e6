"""How fast events get into the outbox: callbacks while a webhook wants all that they tell."""

import asyncio

from bench.callbacks import load
from bench.processes import Running, manage
from bench.report import spread, table, tell
from tests.emulator_process import Emulator

# Nobody answers there, so that sending takes nothing.
MAKE = """
from webhooks.models import Endpoint
Endpoint(url="https://127.0.0.1:9/", events=["*"]).add()
"""
COUNT = "from webhooks.models import Delivery; print(Delivery.objects.count())"
REMOVE = "from webhooks.models import Endpoint; [each.remove() for each in Endpoint.objects.all()]"


def webhooks(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    rows = [
        [server.name, *_measure(server, runs=runs, seconds=seconds)]
        for server in servers
        if server.name != "peer"
    ]
    return (
        "### Events for webhooks\n\nThe same callbacks, without those of streams, while a webhook "
        "wants all events: who comes and leaves, and the start and the end of each meeting, are "
        f"stored with what they tell, in one transaction. {runs} × {seconds} s each.\n\n"
        + table("server | events/s into the outbox | callbacks/s | errors", rows)
    )


def _measure(server: Running, *, runs: int, seconds: int) -> list[object]:
    shell(server, MAKE)
    events, callbacks, failed = [], [], 0
    for run in range(runs):
        before = int(shell(server, COUNT))
        rate = asyncio.run(load(server, seconds=seconds, streams=False))
        events.append((int(shell(server, COUNT)) - before) / seconds)
        callbacks.append(rate.rate)
        failed += rate.failed
        tell(f"webhooks, run {run + 1} of {runs}: {server.name}, {events[-1]:.0f} events/s")
    shell(server, REMOVE)
    return [spread(events), spread(callbacks), failed]


def shell(server: Running, code: str) -> str:
    return manage(server.database, "shell", "--verbosity", "0", "-c", code)

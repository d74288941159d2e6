"""How fast a known room is served, and a new one."""

from bench import wrk
from bench.processes import Running
from bench.slowness import slow
from bench.turns import Turn, comparison, in_turns
from tests.emulator_process import Emulator

# Seconds that OpenTok takes: at once, and as over the network.
DELAYS = [0, 0.05]


def known_rooms(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    def load(server: Running, run: int) -> Turn:
        return wrk.load(server, seconds=seconds)

    turns = in_turns(servers, opentok, load, runs=runs, label="known rooms")
    return (
        f"### `GET /room/<known>`\n\nwrk with {wrk.CONNECTIONS} connections, in turns, "
        f"{runs} × {seconds} s each. Limits are counted, but out of reach. The log goes to "
        "`/dev/null`, also the peer's.\n\n" + comparison(turns, unit="requests")
    )


def new_rooms(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    text = (
        f"### `GET /room/<new>`\n\nwrk with {wrk.CONNECTIONS} connections asks for another room "
        f"each time, in turns, {runs} × {seconds} s each. The local OpenTok takes processor time "
        "of the same machine.\n"
    )
    for delay in DELAYS:
        milliseconds = round(1000 * delay)

        def load(server: Running, run: int, delay: float = delay, ms: int = milliseconds) -> Turn:
            with slow(opentok, seconds=delay):
                return wrk.load(server, wrk.new_rooms(f"new-{ms}-{run}"), seconds=seconds)

        label = f"new rooms, OpenTok takes {milliseconds} ms"
        turns = in_turns(servers, opentok, load, runs=runs, label=label)
        text += f"\nOpenTok takes {milliseconds} ms:\n\n" + comparison(turns, unit="rooms")
    return text

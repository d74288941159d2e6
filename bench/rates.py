"""How fast a known room is served, and what becomes of the memory of those who serve it."""

from collections.abc import Callable

from bench import wrk
from bench.processes import Running
from bench.report import spread, table, tell
from bench.wrk import Turn

REQUESTS = 100_000
# So many that all threads of all processes get something to do.
WARM_UP_CONNECTIONS = 256


def memory(servers: list[Running]) -> str:
    """Of freshly started servers, which are warm afterwards."""
    rows = []
    for server in servers:
        at_rest = server.memory_mb()
        wrk.load(server, connections=WARM_UP_CONNECTIONS, seconds=5)
        warm = server.memory_mb()
        served = 0
        while served < REQUESTS:
            served += wrk.load(server, seconds=5).requests
            tell(f"{server.name}: {served:,} requests")
        after = server.memory_mb()
        rows.append([server.name, f"{at_rest:.0f}", f"{warm:.0f}", f"{after:.0f}",
                     f"{after - warm:+.1f}"])  # fmt: skip
    return (
        "### Memory of a worker\n\nResident memory of the server's largest process, in MB: at "
        f"rest, after a warm-up with {WARM_UP_CONNECTIONS} connections, which has all threads "
        f"work, and after {REQUESTS:,} requests more.\n\n"
        + table(f"server | at rest | warm | after {REQUESTS:,} requests | growth", rows)
    )


def rates(servers: list[Running], *, runs: int, seconds: int) -> str:
    """Of servers that are warm. The first one is who the others are compared with."""
    turns: dict[str, list[Turn]] = {server.name: [] for server in servers}
    for run in range(runs):
        for server in servers:
            turn = wrk.load(server, seconds=seconds)
            turns[server.name].append(turn)
            tell(f"run {run + 1} of {runs}: {server.name} {turn.rate:.0f}/s")
    peer = turns[servers[0].name]
    return (
        f"### `GET /room/<known>`\n\nwrk with {wrk.CONNECTIONS} connections, in turns, "
        f"{runs} × {seconds} s each.\n\n"
        + table(
            "server | requests/s | times the peer's | p50 ms | p99 ms | CPU µs/request | errors",
            [[name, *_figures(mine, peer)] for name, mine in turns.items()],
        )
    )


def _figures(mine: list[Turn], peer: list[Turn]) -> list[object]:
    def over_turns(field: Callable[[Turn], float], digits: int = 0) -> str:
        return spread(map(field, mine), digits=digits)

    return [
        over_turns(lambda turn: turn.rate),
        spread((m.rate / p.rate for m, p in zip(mine, peer, strict=True)), digits=2),
        over_turns(lambda turn: turn.p50, 1),
        over_turns(lambda turn: turn.p99, 1),
        over_turns(lambda turn: turn.cpu),
        sum(turn.failed for turn in mine),
    ]

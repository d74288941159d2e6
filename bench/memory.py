"""What becomes of the memory of those who serve a known room."""

from bench import wrk
from bench.processes import Running
from bench.report import table, tell
from tests.emulator_process import Emulator

REQUESTS = 100_000
# So many that all threads of all processes get something to do.
WARM_UP_CONNECTIONS = 256


def memory(servers: list[Running], opentok: Emulator, *, runs: int, seconds: int) -> str:
    """Of freshly started servers: the first part that is measured."""
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

"""`make bench`: what the server takes and gives, beside a server that does what the sample does.

All are measured in turns in one run, so that ratios hold when the machine's speed drifts.
"""

import argparse
import subprocess

from bench import databases, processes, report
from bench.archives import archives
from bench.callbacks import callbacks
from bench.crowd import many_new_rooms, one_new_room
from bench.hang import hang
from bench.memory import memory
from bench.rates import known_rooms, new_rooms
from bench.webhooks import webhooks
from tests.emulator_process import Emulator

# In this order: memory is that of servers which have just started.
PARTS = {
    "memory": [memory],
    "rates": [known_rooms],
    "rooms": [new_rooms],
    "archives": [archives],
    "callbacks": [callbacks],
    "webhooks": [webhooks],
    "crowd": [one_new_room, many_new_rooms],
    "hang": [hang],
}
PEER = (
    "The peer does for rooms and recordings what OpenTok's sample server, learning-opentok-node, "
    "does, with the versions of its `package-lock.json`: opentok 2.15.2, Express 4.18.2. It is one "
    "process, with `NODE_ENV=production`; the server has two.\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART",
        help=f"{', '.join(PARTS)}: all unless named. Named ones are printed, and not written down.",
    )  # fmt: skip
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="of each turn")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"No such part: {', '.join(sorted(unknown))}")
    processes.require("wrk", "node", "npm")
    sections = measure(options.parts or list(PARTS), runs=options.runs, seconds=options.seconds)
    if options.parts:
        print("\n".join(sections))
    else:
        report.write("make bench", *sections)


def measure(parts: list[str], *, runs: int, seconds: int) -> list[str]:
    """The sections of the report."""
    with (
        databases.new_databases("rooms") as urls,
        Emulator("--auto-connect") as opentok,
        processes.peer(opentok) as peer,
        processes.ours("ours, SQLite", urls["SQLite"]["rooms"], opentok) as on_sqlite,
        processes.ours("ours, PostgreSQL", urls["PostgreSQL"]["rooms"], opentok) as on_postgresql,
    ):
        servers = [peer, on_sqlite, on_postgresql]
        versions = [f"{kind} {databases.version(url['rooms'])}" for kind, url in urls.items()]
        versions.append(f"Node {subprocess.check_output(['node', '--version'], text=True).strip()}")
        sections = [
            section(servers, opentok, runs=runs, seconds=seconds)
            for name, measured in PARTS.items()
            if name in parts
            for section in measured
        ]
    return [PEER, report.machine(*versions) + "\n", *sections]


if __name__ == "__main__":
    main()

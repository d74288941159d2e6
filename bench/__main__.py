"""`make bench`: what the server takes and gives, against a server that does what the sample does.

All are measured in turns in one run, so that ratios hold when the machine's speed drifts.
"""

import argparse
import subprocess
from contextlib import AbstractContextManager

from bench import databases, processes, report
from bench.bursts import bursts
from bench.checks import checks
from bench.hang import hang
from bench.processes import Running
from bench.rates import memory, rates
from tests.emulator_process import Emulator


def unchecked(database: str, opentok: Emulator) -> AbstractContextManager[Running]:
    return processes.ours(
        "without checks", database, opentok, DJANGO_SETTINGS_MODULE="bench.unchecked"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="of each run of wrk")
    options = parser.parse_args()
    processes.require("wrk", "node", "npm")
    with (
        databases.new_databases("rooms") as urls,
        Emulator() as opentok,
        processes.peer(opentok) as peer,
        processes.ours("ours, SQLite", urls["SQLite"]["rooms"], opentok) as on_sqlite,
        processes.ours("ours, PostgreSQL", urls["PostgreSQL"]["rooms"], opentok) as on_postgresql,
        unchecked(urls["SQLite"]["rooms"], opentok) as unchecked_on_sqlite,
        unchecked(urls["PostgreSQL"]["rooms"], opentok) as unchecked_on_postgresql,
    ):
        servers = [peer, on_sqlite, on_postgresql]
        at_rest = memory(servers)
        report.write(
            "make bench",
            "The peer does what OpenTok's sample server does, with its packages.\n",
            report.machine(
                *(f"{kind} {databases.version(url['rooms'])}" for kind, url in urls.items()),
                f"Node {subprocess.check_output(['node', '--version'], text=True).strip()}",
            )
            + "\n",
            rates(servers, runs=options.runs, seconds=options.seconds),
            at_rest,
            checks(
                [(on_sqlite, unchecked_on_sqlite), (on_postgresql, unchecked_on_postgresql)],
                # Many short turns: the machine's speed drifts by more than what is looked for.
                runs=options.runs * 15,
                seconds=1,
            ),
            bursts(servers, opentok, runs=options.runs),
            hang(peer, servers[1:], opentok, runs=options.runs),
        )


if __name__ == "__main__":
    main()

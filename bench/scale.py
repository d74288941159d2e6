"""`make bench-scale`: whether a million rooms, recordings and meetings cost more than few."""

import argparse

from bench import databases, lists, meetings, migrations, processes, report, sizes
from bench.fill import fill
from tests.emulator_process import Emulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=2, help="of each run of wrk")
    options = parser.parse_args()
    if options.rows < sizes.FEW:
        parser.error(f"--rows is at least {sizes.FEW}")
    processes.require("wrk")
    sections = measure(options.rows, runs=options.runs, seconds=options.seconds)
    report.write("make bench-scale", *sections)


def measure(size: int, *, runs: int, seconds: int) -> list[str]:
    """The sections of the report."""
    costs, pages, held, steps = [], [], [], []
    with databases.new_databases("few", "many") as kinds, Emulator() as opentok:
        versions = [f"{kind} {databases.version(urls['few'])}" for kind, urls in kinds.items()]
        for kind, urls in kinds.items():
            make(kind, urls["few"], rows=sizes.FEW)
            make(kind, urls["many"], rows=size)
            steps += migrations.migrate(kind, urls["many"])
            with (
                processes.ours(f"{sizes.FEW:,}", urls["few"], opentok) as few,
                processes.ours(f"{size:,}", urls["many"], opentok) as many,
            ):
                costs += sizes.compare(kind, few, many, size=size, runs=runs, seconds=seconds)
                staff = lists.Staff(many, urls["many"])
                pages += lists.open_lists(kind, staff, size=size)
                pages += lists.open_own(kind, many, urls["many"])
                held += meetings.open_meetings(kind, many, staff, urls["many"], size=size)
    return [
        report.machine(*versions) + "\n",
        sizes.section(costs, size=size, runs=runs, seconds=seconds),
        lists.section(pages, size=size),
        meetings.section(held, size=size),
        migrations.section(steps, size=size),
    ]


def make(kind: str, url: str, *, rows: int) -> None:
    report.tell(f"{kind}: {rows:,} rooms, recordings and meetings")
    migrations.make_first_tables(url)
    fill(url, rows=rows)


if __name__ == "__main__":
    main()

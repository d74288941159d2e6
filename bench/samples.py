"""What processes hold, sampled again and again, and whether it stays the same."""

import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report import spread

MEMORY = "memory, MB"
THREADS, FILES, CONNECTIONS = "threads", "file descriptors", "connections to the database"


@dataclass(frozen=True)
class Tolerance:
    """What a median may grow by and still count as flat: the larger of the two."""

    part: float
    least: float

    def allows(self, middle: float) -> float:
        return max(self.part * middle, self.least)


# Memory comes in arenas of the allocator; webhooks are sent in threads of a moment; and descriptors
# include the clients' connections, of which more or fewer are open.
TOLERANCES = {
    MEMORY: Tolerance(0.02, 2),
    THREADS: Tolerance(0, 2),
    FILES: Tolerance(0, 4),
    CONNECTIONS: Tolerance(0, 2),
}

Series = Mapping[tuple[str, str], Sequence[float]]


def held_by(pid: int) -> dict[str, float]:
    """Of one process, from /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return {
        MEMORY: pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        THREADS: len(list(Path(f"/proc/{pid}/task").iterdir())),
        FILES: len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


def in_all(pids: Iterable[int]) -> float:
    """MB that these processes take together; pages that several share count once."""
    lines = (Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids)
    shares = [int(line.split()[1]) for of_one in lines for line in of_one if line[:4] == "Pss:"]
    return sum(shares) * 1024 / 1e6


def thirds(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """The second and the last one; the first one is warming up."""
    size = max(len(values) // 3, 1)
    return values[-2 * size : -size], values[-size:]


def growth(values: Sequence[float]) -> float:
    """Of the median, from the second third to the last one."""
    second, last = thirds(values)
    return statistics.median(last) - statistics.median(second)


def is_flat(what: str, values: Sequence[float]) -> bool:
    second, _ = thirds(values)
    return growth(values) <= TOLERANCES[what].allows(statistics.median(second))


def judged(series: Series) -> list[list[str]]:
    """Rows: who, what, the two thirds, growth, what is allowed, and whether it is flat."""
    rows = []
    for (who, what), values in series.items():
        second, last = thirds(values)
        digits = 1 if what == MEMORY else 0
        allowed = TOLERANCES[what].allows(statistics.median(second))
        rows.append([
            who, what, spread(second, digits=digits), spread(last, digits=digits),
            f"{growth(values):+.1f}", f"{allowed:.1f}",
            "yes" if is_flat(what, values) else "**no**",
        ])  # fmt: skip
    return rows

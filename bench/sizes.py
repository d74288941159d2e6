"""Whether a known room costs the same however many others there are."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from bench import wrk
from bench.fill import room_name
from bench.processes import Running
from bench.report import spread, table, tell
from bench.turns import Turn

FEW = 1000
# What is compared: its name, how to get it, and its decimals.
FIGURES: list[tuple[str, Callable[[Turn], float], int]] = [
    ("requests/s", lambda turn: turn.rate, 0),
    ("p50 ms", lambda turn: turn.p50, 1),
    ("p99 ms", lambda turn: turn.p99, 1),
    ("CPU µs/request", lambda turn: turn.cpu, 0),
    ("errors", lambda turn: turn.failed, 0),
]


def compare(
    kind: str, few: Running, many: Running, *, size: int, runs: int, seconds: int
) -> list[list[str]]:
    """Rows for `section`. Of each run's two turns the other one goes first than in the last."""
    turns: dict[str, list[Turn]] = {few.name: [], many.name: []}
    with tempfile.TemporaryDirectory(prefix="rooms-bench-") as folder:
        paths = {
            few.name: _paths(Path(folder) / "few", size=FEW),
            many.name: _paths(Path(folder) / "many", size=size),
        }
        for run in range(-1, runs):  # the first one is a warm-up
            for server in [few, many] if run % 2 else [many, few]:
                turn = wrk.load(server, wrk.any_of(paths[server.name]), seconds=seconds)
                tell(f"{kind}: run {run + 1} of {runs}, {server.name} rooms, {turn.rate:.0f}/s")
                if run >= 0:
                    turns[server.name].append(turn)
    memory = [f"{server.memory_mb():.0f}" for server in (few, many)]
    return [
        *([kind, *_figures(turns[few.name], turns[many.name], *figure)] for figure in FIGURES),
        [kind, "MB of a worker at the end", *memory, ""],
    ]


def section(rows: list[list[str]], *, size: int, runs: int, seconds: int) -> str:
    return (
        f"### `GET /room/<known>` with {FEW:,} and with {size:,} rooms and as many recordings\n\n"
        f"wrk with {wrk.CONNECTIONS} connections asks for any of {FEW:,} rooms, which are spread "
        f"over all that there are, {runs} × {seconds} s each, in turns. The difference is that of "
        "two turns in a row.\n\n"
        + table(f"database | figure | {FEW:,} rooms | {size:,} rooms | difference in %", rows)
    )


def _paths(path: Path, *, size: int) -> Path:
    """A file with the paths of some rooms, the same number whatever the size."""
    numbers = range(size // FEW, size + 1, size // FEW)
    path.write_text("".join(f"/room/{quote(room_name(number))}\n" for number in numbers))
    return path


def _figures(
    few: list[Turn], many: list[Turn], name: str, field: Callable[[Turn], float], digits: int
) -> list[str]:
    pairs = [(field(a), field(b)) for a, b in zip(few, many, strict=True)]
    differences = [(b / a - 1) * 100 for a, b in pairs if a]
    return [
        name,
        spread((a for a, _ in pairs), digits=digits),
        spread((b for _, b in pairs), digits=digits),
        spread(differences, digits=1) if differences else "",
    ]

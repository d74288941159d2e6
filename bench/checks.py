"""What it costs to ask who may do what, and how often."""

from bench import wrk
from bench.processes import Running
from bench.report import spread, table, tell


def checks(pairs: list[tuple[Running, Running]], *, runs: int, seconds: int) -> str:
    """Of warm servers, each with another one that has no checks (bench/unchecked.py)."""
    rows = []
    for checked, unchecked in pairs:
        wrk.load(unchecked, seconds=seconds)  # the other one is warm
        turns = []
        for run in range(runs):
            turns.append([wrk.load(server, seconds=seconds) for server in (checked, unchecked)])
            tell(f"run {run + 1} of {runs}: {checked.name}, what the checks cost")
        for figure, field in ("requests/s", "rate"), ("CPU µs/request", "cpu"):
            pairs_of_figures = [[getattr(turn, field) for turn in run] for run in turns]
            with_them, without = zip(*pairs_of_figures, strict=True)
            more = (100 * (a / b - 1) for a, b in pairs_of_figures)
            rows.append(
                [checked.name, figure, spread(with_them), spread(without), spread(more, digits=1)]
            )
    return (
        "### What the checks cost\n\nAPI keys, capabilities and rate limits: the same request, to "
        f"a server with them and to one without, {runs} × {seconds} s each, in turns.\n\n"
        + table("server | figure | with | without | difference in %", rows)
    )

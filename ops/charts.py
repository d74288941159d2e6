"""The geometry of bar charts, which templates/admin/dashboard/chart.html draws as SVG."""

from collections.abc import Callable
from dataclasses import dataclass

from meetings.use import Use

# In units of the picture, which on a phone are pixels.
WIDTH, HEIGHT = 320, 96
GAP = 2
LEAST = 2


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    width: int
    height: int
    label: str


@dataclass(frozen=True)
class Chart:
    """`summary` describes the picture for screen readers."""

    name: str
    title: str
    summary: str
    most: str
    bars: list[Bar]
    labels: list[tuple[int, str]]


def chart(
    name: str, title: str, use: list[Use], value: Callable[[Use], int], *, form: str, every: int
) -> Chart:
    """`form` formats the start of a period. Each `every`-th bar has a label below it."""
    values, starts = [value(each) for each in use], [f"{each.start:{form}}" for each in use]
    most = max(values)
    bars = [_bar(n, len(use), held, most, starts[n]) for n, held in enumerate(values)]
    # Counted from the last one, which is the current one.
    labels = [
        (bar.x + bar.width // 2, start)
        for n, (bar, start) in enumerate(zip(bars, starts, strict=True))
        if (len(use) - 1 - n) % every == 0 and n > 0
    ]
    total = f"{sum(values):,} in all"
    peak = f"; the most, {most:,}, at {starts[values.index(most)]}" if most else ""
    return Chart(name, title, f"{total}{peak}.", f"{most:,}", bars, labels)


def _bar(number: int, of: int, value: int, most: int, start: str) -> Bar:
    step = WIDTH / of
    x = round(number * step)
    height = max(round(HEIGHT * value / most), LEAST) if value else 0
    width = round((number + 1) * step) - x - GAP
    return Bar(x, HEIGHT - height, width, height, f"{start}: {value:,}")

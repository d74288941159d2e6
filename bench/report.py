"""Tables, and bench/RESULTS.md, of which each command rewrites its own part."""

import datetime
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = (
    "# Results\n\n`make bench`, `make bench-scale` and `make bench-soak` wrote this, a part each. "
    "What counts is how figures of the same run compare: absolute ones are this "
    "machine's. A figure of several runs is their median, with the lowest and the highest behind "
    "it.\n"
)


def tell(progress: str) -> None:
    print(progress, file=sys.stderr)


def spread(values: Iterable[float], *, digits: int = 0) -> str:
    """The median, and the lowest and highest: `2.20 (2.16 to 2.87)`; one if all agree."""
    low, middle, high = (
        f"{figure:,.{digits}f}" for figure in _low_middle_high(sorted(values))
    )  # fmt: skip
    return middle if low == high else f"{middle} ({low} to {high})"


def _low_middle_high(ordered: list[float]) -> tuple[float, float, float]:
    return ordered[0], statistics.median(ordered), ordered[-1]


def table(head: str, rows: Iterable[Iterable[object]]) -> str:
    """Markdown, from the head's cells with `|` between them, and the rows' cells."""
    columns = head.count("|") + 1
    lines = [head, " | ".join(["---"] * columns)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)


def machine(*more: str) -> str:
    """When and on what this was measured; `more` are versions that only the caller knows."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    parts = [
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        *([f"commit {commit}"] if commit else []),
        f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}",
        f"{gigabytes:.0f} GB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("django", "granian", "opentok")),
        *more,
    ]
    return ", ".join(parts) + "."


def write(command: str, *sections: str) -> None:
    """Put a command's sections in the place of those that it wrote before."""
    part = "\n".join([f"## {command}\n", *sections])
    print(part)
    RESULTS.write_text(replace(RESULTS.read_text() if RESULTS.exists() else "", command, part))


def replace(results: str, command: str, part: str) -> str:
    """The whole text, with a command's part in the place of its last one."""
    old = re.split(r"(?m)^(?=## )", results)[1:]
    parts = {text.splitlines()[0].removeprefix("## "): text.strip() + "\n" for text in old}
    parts[command] = part
    return "\n".join([TITLE, *(parts[name] for name in sorted(parts))])

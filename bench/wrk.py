"""One run of wrk against a server, and what it cost the server."""

import re
import subprocess
import sys
from pathlib import Path

from bench.processes import Running
from bench.turns import Turn

CONNECTIONS = 16
HERE = Path(__file__).parent
KNOWN_ROOM: list[str] = []


def any_of(paths: Path) -> list[str]:
    """Arguments for `load`: any of the paths in a file."""
    return [str(HERE / "paths.lua"), str(paths)]


def new_rooms(prefix: str) -> list[str]:
    """Arguments for `load`: rooms whose names begin so, another one each time."""
    return [str(HERE / "new_rooms.lua"), prefix]


def load(
    server: Running, script: list[str] = KNOWN_ROOM, *, seconds: int, connections: int = CONNECTIONS
) -> Turn:
    """Ask for the known room, or for what a script says, for some seconds."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", script[0]] if script else []
    command += [f"{server.url}/room/known", *(["--", *script[1:]] if script else [])]
    before = server.cpu_seconds()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = server.cpu_seconds() - before
    requests = int(_found(r"([1-9]\d*) requests in", said))
    return Turn(
        requests=requests,
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50=_milliseconds(_found(r"^\s+50%\s+(\S+)", said)),
        p99=_milliseconds(_found(r"^\s+99%\s+(\S+)", said)),
        cpu=spent / requests * 1e6,
        failed=int(_found(r"Non-2xx or 3xx responses: (\d+)", said, default="0"))
        + sum(int(count) for count in re.findall(r"(?:connect|read|write|timeout) (\d+)", said)),
    )


def _found(pattern: str, text: str, default: str | None = None) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match:
        return match[1]
    if default is None:
        sys.exit(f"wrk did not say {pattern}:\n{text}")
    return default


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

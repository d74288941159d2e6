"""One run of wrk against a server, and what it cost the server."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Running

CONNECTIONS = 16
PATHS = Path(__file__).with_name("paths.lua")


@dataclass
class Turn:
    """One run of wrk; latencies in ms, CPU time per request in microseconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float
    failed: int


def load(
    server: Running, *, seconds: int, connections: int = CONNECTIONS, paths: Path | None = None
) -> Turn:
    """Ask for the known room, or for any of the paths in a file, for some seconds."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(PATHS)] if paths else []
    command += [f"{server.url}/room/known", *(["--", str(paths)] if paths else [])]
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

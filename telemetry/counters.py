"""Prometheus counters of this server.

Under config/server.py each process counts in a file of its own, in a folder that
PROMETHEUS_MULTIPROC_DIR names before this module is imported. A reader adds up the files of all
processes, also of those that have died. Without the folder the numbers are those of one process.
If a file cannot be made, requests are answered but not counted.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from telemetry import recent, tracing

# More than all counters take, since labels come from short lists.
FILE_BYTES = 2 * 1024 * 1024


def _reserved(filename: str) -> MmapedDict:
    """A memory map of a file whose space on the disk is reserved. OSError if there is no space.

    A process is killed if it writes to a map for which the disk has no space. The file gets its
    name once it has its full size, because the library fails to read an empty one.
    """
    path = Path(filename)
    if not path.exists():
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
        new.rename(path)
    return MmapedDict(filename)  # type: ignore[no-untyped-call]


values.MmapedDict = _reserved  # type: ignore[assignment, attr-defined]
disable_created_metrics()  # type: ignore[no-untyped-call]
_own = CollectorRegistry()

_requests = Histogram(
    "rooms_http_request_duration_seconds",
    "Seconds from a request's arrival in a thread to its answer, by method, route and status.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_own,
)
_problems = Counter(
    "rooms_problems",
    "Answers that were an error, by the code of the problem.",
    ["code"],
    registry=_own,
)
_opentok_calls = Histogram(
    "rooms_opentok_call_duration_seconds",
    "Seconds that a call to OpenTok took, by operation and outcome.",
    ["operation", "outcome"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 7.5, 10, 15),
    registry=_own,
)

# Cached, since the library takes a lock and some microseconds to find the labels.
_requests_of = lru_cache(1024)(_requests.labels)


def count_request(method: str, route: str, status: int, *, seconds: float) -> None:
    """`method` and `route` come from short lists, never as the client wrote them."""
    with suppress(OSError):
        _requests_of(method, route, status).observe(seconds)


def count_problem(code: str) -> None:
    with suppress(OSError):
        _problems.labels(code).inc()


@contextmanager
def opentok_call(operation: str) -> Iterator[None]:
    """Time the block. Its outcome is "ok", or the `outcome` of the error that leaves it."""
    started, outcome = perf_counter(), "ok"
    try:
        with tracing.call(f"opentok {operation}"):
            yield
    except Exception as error:
        outcome = getattr(error, "outcome", "server_error")
        raise
    finally:
        recent.count(outcome)
        with suppress(OSError):
            _opentok_calls.labels(operation, outcome).observe(perf_counter() - started)


def of_all_processes() -> CollectorRegistry:
    """A new registry with all counts so far, to which the caller may add."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_own)
    return registry

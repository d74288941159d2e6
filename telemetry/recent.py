"""The outcomes of calls to OpenTok in the last hour, of all processes of this machine.

The counters of telemetry/counters.py only grow, and do not tell when. Here each minute has a slot
in one file, in the same folder; without the folder each process counts for itself. If the file
cannot be made, calls are made but not counted.
"""

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

MINUTES = 60
# "answered" is any answer but an error of OpenTok's, "paused" a pause of the circuit breaker.
KINDS = ("answered", "opentok_unavailable", "opentok_timeout", "opentok_failed",
         "opentok_rate_limited", "opentok_refused_credentials", "not_asked", "paused")  # fmt: skip
# The minute, and its counts.
SLOT = struct.Struct(f"={1 + len(KINDS)}Q")
# When the last pause ends, in seconds since 1970.
PAUSE = struct.Struct("=d")
SIZE = PAUSE.size + MINUTES * SLOT.size

_lock = threading.Lock()


def count(kind: str) -> None:
    """`kind` is an outcome. What is not in KINDS counts as "answered"."""
    with suppress(OSError), _locked() as memory:
        _count(memory, kind if kind in KINDS else "answered")


def count_pause(seconds: float) -> None:
    with suppress(OSError), _locked() as memory:
        _count(memory, "paused")
        PAUSE.pack_into(memory, 0, time.time() + seconds)


def last_hour() -> dict[str, int]:
    """The counts by kind. Error: OSError."""
    oldest = _minute() - MINUTES
    with _locked() as memory:
        slots = [SLOT.unpack_from(memory, _offset(number)) for number in range(MINUTES)]
    counts = [held[1:] for held in slots if held[0] > oldest]
    return {kind: sum(held[number] for held in counts) for number, kind in enumerate(KINDS)}


def paused_until() -> float:
    """The end of the last pause, in seconds since 1970; 0 if there was none. Error: OSError."""
    with _locked() as memory:
        return float(PAUSE.unpack_from(memory)[0])


def _count(memory: mmap.mmap, kind: str) -> None:
    minute = _minute()
    held = list(SLOT.unpack_from(memory, _offset(minute)))
    if held[0] != minute:
        held = [minute, *[0] * len(KINDS)]
    held[1 + KINDS.index(kind)] += 1
    SLOT.pack_into(memory, _offset(minute), *held)


def _minute() -> int:
    return int(time.time() // 60)


def _offset(minute: int) -> int:
    return PAUSE.size + minute % MINUTES * SLOT.size


@contextmanager
def _locked() -> Iterator[mmap.mmap]:
    """The shared memory, locked against other threads and processes."""
    file, memory = _opened(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), os.getpid())
    with _lock:
        fcntl.lockf(file, fcntl.LOCK_EX)
        try:
            yield memory
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN)


@lru_cache(1)
def _opened(folder: str, pid: int) -> tuple[int, mmap.mmap]:
    """The file and its memory map. Each process opens them anew: locks belong to processes."""
    if folder:
        file = os.open(Path(folder) / "opentok-last-hour", os.O_RDWR | os.O_CREAT, 0o600)
    else:
        file, path = tempfile.mkstemp()
        Path(path).unlink()
    # A process is killed if it writes to a map for which the disk has no space.
    os.posix_fallocate(file, 0, SIZE)
    return file, mmap.mmap(file, SIZE)

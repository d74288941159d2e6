"""How calls to OpenTok went in the last hour, in all processes of this machine together.

The counters beside this only ever grow, for Prometheus to subtract. Here each minute has a slot in
one file, in the folder that telemetry/counters.py uses; without that folder it is of one process.
A file that cannot be made costs no call.
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
# "answered" is any answer that OpenTok means, "paused" a pause of the circuit breaker.
KINDS = ("answered", "opentok_unavailable", "opentok_timeout", "opentok_failed",
         "opentok_rate_limited", "opentok_refused_credentials", "not_asked", "paused")  # fmt: skip
# The minute, and what was counted in it.
SLOT = struct.Struct(f"={1 + len(KINDS)}Q")
# When the last pause ends, in seconds since 1970.
PAUSE = struct.Struct("=d")
SIZE = PAUSE.size + MINUTES * SLOT.size

_lock = threading.Lock()


def count(kind: str) -> None:
    """`kind` is one of KINDS; all others are answers."""
    with suppress(OSError), _locked() as memory:
        _count(memory, kind if kind in KINDS else "answered")


def count_pause(seconds: float) -> None:
    with suppress(OSError), _locked() as memory:
        _count(memory, "paused")
        PAUSE.pack_into(memory, 0, time.time() + seconds)


def last_hour() -> dict[str, int]:
    """How many of each kind. Error: OSError."""
    oldest = _minute() - MINUTES
    with _locked() as memory:
        slots = [SLOT.unpack_from(memory, _offset(number)) for number in range(MINUTES)]
    counts = [held[1:] for held in slots if held[0] > oldest]
    return {kind: sum(held[number] for held in counts) for number, kind in enumerate(KINDS)}


def paused_until() -> float:
    """Seconds since 1970, of the process that came last; 0 if none ever did. Error: OSError."""
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
    """The memory, which no other thread and no other process changes meanwhile."""
    file, memory = _opened(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), os.getpid())
    with _lock:
        fcntl.lockf(file, fcntl.LOCK_EX)
        try:
            yield memory
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN)


@lru_cache(1)
def _opened(folder: str, pid: int) -> tuple[int, mmap.mmap]:
    """The file, and its memory. Of each process: locks are those of one that has opened it."""
    if folder:
        file = os.open(Path(folder) / "opentok-last-hour", os.O_RDWR | os.O_CREAT, 0o600)
    else:
        file, path = tempfile.mkstemp()
        Path(path).unlink()
    # A process that writes to memory for which the disk has no room is killed.
    os.posix_fallocate(file, 0, SIZE)
    return file, mmap.mmap(file, SIZE)

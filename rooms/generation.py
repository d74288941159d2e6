"""A number that changes whenever a room does, shared by all processes of this machine.

rooms/quick.py keeps rows of rooms while it stays the same. Where the file cannot be had, or was
deleted under a running process, a change is seen when the row's second is over.
"""

import mmap
import os
import time
from functools import cache

from access.shared_files import shared_folder

SIZE = 8


def current() -> bytes:
    return bytes(_shared()[:])


def change() -> None:
    _shared()[:] = time.time_ns().to_bytes(SIZE)


@cache
def _shared() -> mmap.mmap | bytearray:
    """The bytes that are shared; of this process alone where no file can be made."""
    try:
        path = shared_folder() / "rooms-generation"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(file, 0, SIZE)
            return mmap.mmap(file, SIZE)
        finally:
            os.close(file)
    except OSError:
        return bytearray(SIZE)

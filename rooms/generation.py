"""A number in shared memory that changes whenever a room changes, for all processes of a machine.

rooms/quick.py caches rooms while it stays the same. Without the file, a change is seen once the
cached row expires, after a second.
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
    """The shared bytes; those of this process alone if the file cannot be made."""
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

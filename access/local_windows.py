"""Windows in a file that all processes of this machine share, in less time than a request notices.

The file is a table, mapped into memory. A hash of what a window counts says in which bucket it is,
and a bucket has sixteen places. SQLite in its stead took two and a half times as long.

In a bucket where all places are taken, the window with the fewest hits is forgotten: by filling the
table nobody gets rid of a limit that is nearly used up, since it would take as many hits for each
place. Nor can anybody aim at a bucket, for the hash has a key.
"""

import fcntl
import mmap
import os
import struct
import threading
import time
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from django.utils.crypto import salted_hmac
from limits import RateLimitItem, WindowStats

from access.shared_files import limits_file

# For another thread, and then for another process, each of which is done in microseconds.
PATIENCE_SECONDS = 1
PAUSE_SECONDS = 0.0001

# What it counts, hits, and the Unix time at which it ends.
PLACE = struct.Struct("=16sId")
PLACES = 16
BUCKETS = 8192
BUCKET_SIZE = PLACES * PLACE.size
SIZE = BUCKETS * BUCKET_SIZE


class LocalWindows:
    """Fixed windows, as the library has them for Redis, in `limits_file()` or at `path`.

    Errors: OSError.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._secret = salted_hmac("access.limits", "marks", algorithm="sha256").digest()
        # Whoever comes again is found without a hash, which took a quarter of a hit's time.
        self._mark = lru_cache(maxsize=4096)(self._new_mark)
        self._lock = threading.Lock()
        self._file = -1
        self._table: mmap.mmap

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        mark, bucket = self._mark(item, *identifiers)
        self._take()
        try:
            now = time.time()
            place, hits, ends = self._find(mark, bucket, now, item.get_expiry())
            if hits + cost > item.amount:
                return False
            ends = ends or now + item.get_expiry()
            PLACE.pack_into(self._table, place, mark, max(0, hits + cost), ends)
            return True
        finally:
            self._give_back()

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        mark, bucket = self._mark(item, *identifiers)
        self._take()
        try:
            now = time.time()
            _, hits, ends = self._find(mark, bucket, now, item.get_expiry())
        finally:
            self._give_back()
        return WindowStats(ends or now, max(0, item.amount - hits))

    def _new_mark(self, item: RateLimitItem, *identifiers: str) -> tuple[bytes, int]:
        """What a window has in the table for a name, and where its bucket begins."""
        text = item.key_for(*identifiers).encode()
        mark = blake2b(text, digest_size=16, key=self._secret).digest()
        return mark, int.from_bytes(mark[:8], "big") % BUCKETS * BUCKET_SIZE

    def _find(self, mark: bytes, bucket: int, now: float, seconds: int) -> tuple[int, int, float]:
        """A window's place, hits and end; where it would be, and zeros, if there is none.

        One that would end later than in twice its seconds began when the clock was wrong; a clock
        that is put right by less than that ends none early.
        """
        end = bucket + BUCKET_SIZE
        place = self._table.find(mark, bucket, end)
        if place < 0:
            return min(range(bucket, end, PLACE.size), key=lambda at: self._hits(at, now)), 0, 0.0
        _, hits, ends = PLACE.unpack_from(self._table, place)
        return (place, hits, ends) if now < ends <= now + 2 * seconds else (place, 0, 0.0)

    def _hits(self, place: int, now: float) -> int:
        _, hits, ends = PLACE.unpack_from(self._table, place)
        return hits if ends > now else -1

    def _take(self) -> None:
        """Nobody else reads or writes until it is given back, as it is when a process ends.

        A context manager would take a fifth more time.
        """
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise TimeoutError("others are waiting for the file already")
        try:
            self._lock_file()
        except BaseException:
            self._lock.release()
            raise

    def _give_back(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.release()

    def _lock_file(self) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            # The lock keeps nobody from deleting it. To look before it is taken halves its time.
            if not self._is_whole():
                self._open()
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def _is_whole(self) -> bool:
        """Whether the file is open, and nobody has deleted it, as those do who tidy /tmp up, so
        that processes that start later have another one; or cut it, when whoever touches the map is
        killed.
        """
        if self._file < 0:
            return False
        found = os.fstat(self._file)
        return found.st_nlink > 0 and found.st_size >= SIZE

    def _open(self) -> None:
        file = os.open(self.path or limits_file(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            # Whoever writes to a map that the disk has no room for is killed.
            os.posix_fallocate(file, 0, SIZE)
            self._table = mmap.mmap(file, SIZE)
        except BaseException:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file = file

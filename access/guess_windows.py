"""The fixed windows of guesses: in the database, for all processes and machines together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connections, models, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.crypto import salted_hmac
from limits import RateLimitItem

from access.limits import RateLimited, windows
from web.rows import delete_some

# The name of a limit, and its subject, such as ("code", "<room>", "<address>").
Limit = tuple[str, ...]

# One statement, which serializes concurrent guesses. It changes no row if the window is full. A
# window that ends later than in twice its length began while a clock was ahead: it counts as ended.
IS_OPEN = "kept.ends BETWEEN %(now)s AND %(latest)s"
COUNT = f"""INSERT INTO access_guesswindow AS kept (key, hits, ends)
VALUES (%(key)s, 1, %(ends)s)
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN {IS_OPEN} THEN kept.hits + 1 ELSE 1 END,
    ends = CASE WHEN {IS_OPEN} THEN kept.ends ELSE excluded.ends END
WHERE kept.hits < %(amount)s OR NOT ({IS_OPEN})"""  # noqa: S608


class Window(NamedTuple):
    name: str
    limit: RateLimitItem
    key: str


class Counted:
    """The counts of some limits, read by one SELECT."""

    def __init__(
        self, windows: dict[Limit, list[Window]], rows: dict[str, tuple[int, float]]
    ) -> None:
        self._windows = windows
        self._rows = rows

    def left(self, limit: Limit) -> int:
        """How many more the limit admits; 1 if there is no such limit."""
        windows = self._windows[limit]
        return min((window.limit.amount - self._hits(window) for window in windows), default=1)

    def used(self, limit: Limit) -> int:
        """The count for the address itself; 0 if there is no such limit."""
        return next((self._hits(window) for window in self._windows[limit]), 0)

    def refuse_if_used_up(self, *limits: Limit) -> None:
        """RateLimited if one of the limits is used up."""
        for limit in limits:
            for window in self._windows[limit]:
                if self._hits(window) >= window.limit.amount:
                    _, ends = self._rows[window.key]
                    raise RateLimited(window.name, window.limit, ends=ends)

    def _hits(self, window: Window) -> int:
        hits, ends = self._rows.get(window.key, (0, 0.0))
        now = time.time()
        return hits if now <= ends <= now + 2 * window.limit.get_expiry() else 0


class GuessWindowManager(models.Manager["GuessWindow"]):
    def look(self, *limits: Limit) -> Counted:
        windows = {limit: list(_of(limit)) for limit in limits}
        keys = [window.key for found in windows.values() for window in found]
        if not keys:
            return Counted(windows, {})
        # By hand, because Django takes longer to compose this than the database to run it.
        places = ", ".join(["%s"] * len(keys))
        query = f"SELECT key, hits, ends FROM access_guesswindow WHERE key IN ({places})"  # noqa: S608
        with connections[self.db].cursor() as cursor:
            cursor.execute(query, keys)
            return Counted(windows, {key: (hits, ends) for key, hits, ends in cursor.fetchall()})

    def consume(self, *limits: Limit) -> None:
        """Count one in each limit, or in none: RateLimited."""
        with transaction.atomic():
            for window in _of(*limits):
                if not self._count(window):
                    ends = self.values_list("ends", flat=True).get(key=window.key)
                    raise RateLimited(window.name, window.limit, ends=ends)

    def consume_if_left(self, limit: Limit) -> bool:
        """Count one unless the limit is used up; returns whether it was counted."""
        try:
            self.consume(limit)
        except RateLimited:
            return False
        return True

    def give_back(self, *limits: Limit, times: int = 1) -> None:
        with transaction.atomic():
            for window in _of(*limits):
                left = Greatest(F("hits") - times, 0)
                self.filter(key=window.key).update(hits=left)

    def forget_ended(self) -> None:
        """Delete some ended windows whenever one is counted."""
        delete_some(self.filter(ends__lt=time.time()), 100)

    def _count(self, window: Window) -> bool:
        """Count one; returns False if the window is full."""
        now, seconds = time.time(), window.limit.get_expiry()
        values: dict[str, str | float] = {
            "key": window.key,
            "amount": window.limit.amount,
            "now": now,
            "ends": now + seconds,
            "latest": now + 2 * seconds,
        }
        with connections[self.db].cursor() as cursor:
            cursor.execute(COUNT, values)
            return bool(cursor.rowcount)


class GuessWindow(models.Model):
    """The guesses that a limit has counted. Its key is a keyed hash of the name and the address."""

    key = models.CharField(primary_key=True, max_length=64, editable=False)
    hits = models.IntegerField()
    ends = models.FloatField(db_index=True, help_text="A Unix time.")

    objects = GuessWindowManager()

    def __str__(self) -> str:
        return self.key


def _of(*limits: Limit) -> Iterator[Window]:
    """The windows of the limits, in the order in which their rows are locked.

    Callers name limits in the order `wrong`, `typos`, a client's own, all clients', or two
    transactions could deadlock.
    """
    for name, *who in limits:
        for item, names in windows(name, *who):
            yield Window(name, item, _key(item, *names))


def _key(limit: RateLimitItem, *names: str) -> str:
    # A keyed hash, because names and addresses can be guessed.
    text = repr((str(limit), *names))
    return salted_hmac("access.guesses", text, algorithm="sha256").hexdigest()

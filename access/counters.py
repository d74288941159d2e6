"""Where hits are counted: in Redis if there is one, else in a file of this machine.

A place that fails rests for some seconds, and the next one counts meanwhile. Where none is left,
everything is admitted: the limits are there to protect the service, and must not end it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Protocol, TypeVar

import redis
from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute, WindowStats
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from access.local_windows import LocalWindows

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

REDIS = "Redis"

REST_SECONDS = 10
# For each step of talking to Redis, of which there are few, and while it is away once a rest.
REDIS_SECONDS = 0.5
REDIS_CONNECTIONS = 8  # of each process; the smallest Redis that one can rent has 20


class Windows(Protocol):
    """What the library's FixedWindowRateLimiter does, and ours for one machine."""

    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool: ...

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats: ...


class Place:
    def __init__(self, name: str, windows: Windows) -> None:
        self.name = name
        self.windows = windows
        self._lock = threading.Lock()
        self._is_away = False
        self._rests_until = 0.0

    def is_asked(self) -> bool:
        """Whether it counts. After a rest one request alone finds out whether it is back."""
        if not self._is_away:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._rests_until:
                return False
            if self._is_away:
                self._rests_until = now + REST_SECONDS
            return True

    def failed(self, error: Exception) -> None:
        with self._lock:
            is_news, self._is_away = not self._is_away, True
            self._rests_until = time.monotonic() + REST_SECONDS
        if is_news:
            logger.warning("Limits are not counted in %s: %s", self.name, error)

    def answered(self) -> None:
        if self._is_away:
            self._is_away, self._rests_until = False, 0.0
            logger.warning("Limits are counted in %s again", self.name)


def hit(limit: RateLimitItem, *who: str, cost: int = 1) -> bool:
    """Whether there was room for `cost` more, which then count."""
    return _ask(lambda windows: windows.hit(limit, *who, cost=cost), otherwise=True)


def left(limit: RateLimitItem, *who: str) -> int:
    """How many more there is room for."""
    return _ask(
        lambda windows: windows.get_window_stats(limit, *who).remaining, otherwise=limit.amount
    )


def ends(limit: RateLimitItem, *who: str) -> float:
    """The Unix time at which the window of `who` ends."""
    return _ask(
        lambda windows: windows.get_window_stats(limit, *who).reset_time, otherwise=time.time()
    )


def _ask(question: Callable[[Windows], Answer], *, otherwise: Answer) -> Answer:
    for place in _places(settings.REDIS_URL):
        if place.is_asked():
            try:
                answer = question(place.windows)
            except (redis.RedisError, OSError) as error:
                place.failed(error)
            else:
                place.answered()
                return answer
    return otherwise


def try_out() -> Iterator[tuple[str, Exception | None]]:
    """Each place by its name, in the order in which they are asked, and what is wrong with it."""
    for place in _places(settings.REDIS_URL):
        try:
            place.windows.get_window_stats(RateLimitItemPerMinute(1), "trial")
        except (redis.RedisError, OSError) as error:
            yield place.name, error
        else:
            yield place.name, None


@cache
def _places(redis_url: str) -> list[Place]:
    local = Place("a file of this machine", LocalWindows())
    return [Place(REDIS, _in_redis(redis_url)), local] if redis_url else [local]


def _in_redis(url: str) -> FixedWindowRateLimiter:
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=REDIS_CONNECTIONS,
        timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        # Once, for a connection that Redis has ended meanwhile.
        retry=Retry(NoBackoff(), 1),
    )
    return FixedWindowRateLimiter(
        RedisStorage(url, connection_pool=pool, key_prefix="opentok-rooms")
    )

"""Fixed windows in Redis, shared by all processes and machines."""

import logging
import time

import redis
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

# Seconds between two attempts while Redis is away.
REST_SECONDS = 10
# For each step of an exchange with Redis.
REDIS_SECONDS = 0.5
REDIS_CONNECTIONS = 8  # of each process; the smallest Redis that one can rent has 20


class RedisWindows:
    def __init__(self, url: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=REDIS_CONNECTIONS,
            timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            # One retry, for a connection that Redis has closed.
            retry=Retry(NoBackoff(), 1),
        )
        storage = RedisStorage(url, connection_pool=pool, key_prefix="opentok-rooms")
        self._windows = FixedWindowRateLimiter(storage)
        self._is_away = False
        self._try_at = 0.0

    def count(self, limit: RateLimitItem, window: tuple[str, ...]) -> float | None:
        """Count one. Returns 0, or the Unix time at which the window ends if it is full; None while
        Redis is away.
        """
        if self._is_away:
            now = time.monotonic()
            if now < self._try_at:
                return None
            self._try_at = now + REST_SECONDS  # other threads do not wait for this attempt
        try:
            ends = 0.0
            if not self._windows.hit(limit, *window):
                ends = self._windows.get_window_stats(limit, *window).reset_time
        except redis.RedisError as error:
            self._try_at = time.monotonic() + REST_SECONDS
            self._log(f"not counted in Redis: {error}", is_away=True)
            return None
        self._log("counted in Redis again", is_away=False)
        return ends

    def try_out(self) -> redis.RedisError | None:
        """The error of an attempt to use Redis, or None."""
        try:
            self._windows.get_window_stats(RateLimitItemPerMinute(1), "trial")
        except redis.RedisError as error:
            return error
        return None

    def _log(self, news: str, *, is_away: bool) -> None:
        if self._is_away != is_away:
            self._is_away = is_away
            logger.warning("Limits are %s", news)

"""Rate limits (RATE_LIMITS, by names such as `join`), and the client of a request.

A fixed window begins with its first request, and refused requests do not prolong it. Each process
counts in its own memory, or all in Redis if REDIS_URL is set. Guesses are counted in the database:
access/guesses.py.
"""

import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache, lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from django.conf import settings
from limits import RateLimitItem
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from web.errors import Problem

if TYPE_CHECKING:
    from access.redis_windows import RedisWindows

# The limit of an IPv6 /48 is that of a /64 times this. Providers give each customer a /48 or a /56,
# which are 65,536 or 256 of them.
NETWORK_FACTOR = 16

# Limits of all clients together, whose windows are named after what is guessed, such as a user
# name, and not after a client.
OF_ALL_CLIENTS = {"code_room", "login_name", "second_factor", "slow", "wrong"}

LONGEST = 64  # characters of an address with a port and brackets

Window = tuple[str, ...]


class RateLimited(Problem):
    """The limit called `name` is used up until `ends`, a Unix time.

    The headers are those of the IETF's draft "RateLimit header fields for HTTP".
    """

    def __init__(self, name: str, limit: RateLimitItem, *, ends: float) -> None:
        wait = max(1, math.ceil(ends - time.time()))
        seconds = "a second" if wait == 1 else f"{wait} seconds"
        super().__init__("rate_limited", wait=wait, seconds=seconds)
        self.headers = {
            "RateLimit-Policy": f'"{name}";q={limit.amount};w={limit.get_expiry()}',
            "RateLimit": f'"{name}";r=0;t={wait}',
        }


def client_ident(request: Request) -> str:
    """The client for which a request counts: its API key, or else its address."""
    prefix = getattr(request.auth, "prefix", "")  # of an ApiKey; client tokens cost nothing to get
    return f"key:{prefix}" if prefix else address_ident(request.META)


def address_ident(environ: Mapping[str, Any]) -> str:
    """The client of a request without a valid API key: its address."""
    return f"address:{address_of(environ)}"


def address_of(environ: Mapping[str, Any]) -> str:
    """The client's address, or the /64 of an IPv6 address, which is one customer's.

    X-Forwarded-For is read from the right: each of the TRUSTED_PROXIES has appended one entry. What
    is further left comes from the client.
    """
    peer = _plain(environ.get("REMOTE_ADDR", "")) or "unknown"
    if not settings.TRUSTED_PROXIES:
        return peer
    told = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if len(told) < settings.TRUSTED_PROXIES:
        return peer
    return _plain(told[-settings.TRUSTED_PROXIES].strip()[:LONGEST]) or peer


@lru_cache(maxsize=4096)
def network_of(client: str) -> str:
    """The /48 of an IPv6 client, which `address_of` or `client_ident` has named; else empty."""
    address = client.removeprefix("address:")
    if not address.endswith("::/64"):
        return ""
    return str(IPv6Network(address).supernet(new_prefix=48))


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """`192.0.2.7`, `2001:db8:1:2::/64`, or empty for what is not an address."""
    if match := re.fullmatch(r"\[(.+)\](?::\d+)?|([\d.]+):\d+", text):
        text = match[1] or match[2]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


def consume(name: str, *who: str) -> None:
    """Count one. RateLimited if that is one too many. It only waits for Redis, with REDIS_URL."""
    for limit, window in windows(name, *who):
        ends = in_redis(settings.REDIS_URL).count(limit, window) if settings.REDIS_URL else None
        if ends is None:
            ends = _in_memory.count(limit, window)
        if ends:
            raise RateLimited(name, limit, ends=ends)


def windows(name: str, *who: str) -> list[tuple[RateLimitItem, Window]]:
    """The windows in which a request of `who` counts: an IPv6 client also counts for its /48."""
    limit = settings.RATE_LIMITS.get(name)
    if limit is None:
        return []
    windows = [(limit, (name, *who))]
    if name not in OF_ALL_CLIENTS and (network := network_of(who[-1])):
        windows.append((_for_network(limit), (name, *who[:-1], network)))
    return windows


@cache
def in_redis(url: str) -> "RedisWindows":
    # Imported here, since most servers have no Redis, and its client is slow to import.
    from access.redis_windows import RedisWindows

    return RedisWindows(url)


class MemoryWindows:
    """The fixed windows of this process.

    The MemoryStorage of the library has no bound, and a thread that walks through all windows up to
    a hundred times a second.
    """

    # They take some 20 MB.
    MOST = 50_000

    def __init__(self) -> None:
        self._windows: OrderedDict[Window, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, limit: RateLimitItem, window: Window) -> float:
        """Count one. Returns 0, or the Unix time at which the window ends if it is full."""
        with self._lock:
            now = time.monotonic()
            hits, ends = self._windows.get(window, (0, now))
            if ends <= now:
                hits, ends = 0, now + limit.get_expiry()
                self._make_room(now)
            if hits < limit.amount:
                self._windows[window] = hits + 1, ends
            self._windows.move_to_end(window)
        return 0.0 if hits < limit.amount else time.time() + ends - now

    def _make_room(self, now: float) -> None:
        """Drop the least recently used window if it has ended, or if there are too many."""
        if oldest := next(iter(self._windows), None):
            _, ends = self._windows[oldest]
            if ends <= now or len(self._windows) >= self.MOST:
                del self._windows[oldest]


_in_memory = MemoryWindows()


@lru_cache
def _for_network(limit: RateLimitItem) -> RateLimitItem:
    return type(limit)(NETWORK_FACTOR * limit.amount, limit.multiples)


class Throttle(BaseThrottle):
    """Counts the requests of a view by client: for the limit that the view's `limits` have for the
    action, for its `limit`, or else for `other`.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        by_action = getattr(view, "limits", {})
        default = getattr(view, "limit", "other")
        consume(by_action.get(getattr(view, "action", None), default), client_ident(request))
        return True

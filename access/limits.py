"""Rate limits (RATE_LIMITS, by names such as `join`), and the client that a request counts for.

A fixed window begins with its first request and ends by itself, however many are refused in it.
Each process counts in its own memory, or all of them in Redis, if REDIS_URL is set. Guesses are
counted in the database: access/guesses.py.
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

# How many times as much as one of its /64 the /48 of an IPv6 address may do. A provider gives each
# customer a /48 or a /56, in which are 65,536 or 256 of them.
NETWORK_FACTOR = 16

# Limits of all clients together: their windows end with what is guessed at, such as a typed user
# name, and not with a client.
OF_ALL_CLIENTS = {"code_room", "login_name", "second_factor", "slow", "wrong"}

LONGEST = 64  # no address is longer, with a port and brackets

Window = tuple[str, ...]


class RateLimited(Problem):
    """More than the limit called `name` allows. It may be tried again at `ends`, a Unix time.

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
    """Whom a request counts for: the key that it was sent with, or else its address."""
    prefix = getattr(request.auth, "prefix", "")  # of an ApiKey; client tokens cost nothing to get
    return f"key:{prefix}" if prefix else address_ident(request.META)


def address_ident(environ: Mapping[str, Any]) -> str:
    """Whom a request counts for that has no good key: its address."""
    return f"address:{address_of(environ)}"


def address_of(environ: Mapping[str, Any]) -> str:
    """The client's address; of an IPv6 address the first 64 bits, which are one customer's.

    X-Forwarded-For counts from the right: the last entry was written by the proxy in front of this
    server, the one before by the proxy in front of that one, and TRUSTED_PROXIES says how many of
    them there are. What stands further left is whatever the client sent.
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
    """The /48 around an IPv6 client, as `address_of` or `client_ident` names it.

    Nothing for other clients.
    """
    address = client.removeprefix("address:")
    if not address.endswith("::/64"):
        return ""
    return str(IPv6Network(address).supernet(new_prefix=48))


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """`192.0.2.7`, `2001:db8:1:2::/64`, or nothing at all for what is no address."""
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
    """Count one. RateLimited if that is one too many.

    Waits for Redis, if REDIS_URL is set, and for nothing else.
    """
    for limit, window in windows(name, *who):
        ends = in_redis(settings.REDIS_URL).count(limit, window) if settings.REDIS_URL else None
        if ends is None:
            ends = _in_memory.count(limit, window)
        if ends:
            raise RateLimited(name, limit, ends=ends)


def windows(name: str, *who: str) -> list[tuple[RateLimitItem, Window]]:
    """Where one is counted: for `who`, and if that ends with an IPv6 client, for its /48."""
    limit = settings.RATE_LIMITS.get(name)
    if limit is None:
        return []
    windows = [(limit, (name, *who))]
    if name not in OF_ALL_CLIENTS and (network := network_of(who[-1])):
        windows.append((_for_network(limit), (name, *who[:-1], network)))
    return windows


@cache
def in_redis(url: str) -> "RedisWindows":
    # Here, since most servers have no Redis, and its client takes long to import.
    from access.redis_windows import RedisWindows

    return RedisWindows(url)


class MemoryWindows:
    """The fixed windows of this process.

    The library's MemoryStorage keeps all windows until they end, and starts a thread that looks at
    each of them, up to a hundred times a second.
    """

    # Some 20 MB.
    MOST = 50_000

    def __init__(self) -> None:
        self._windows: OrderedDict[Window, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, limit: RateLimitItem, window: Window) -> float:
        """Count one: 0 if there is room for it, else the Unix time at which its window ends."""
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
        """Forget the window that was used least recently, if it has ended or there are too many."""
        if oldest := next(iter(self._windows), None):
            _, ends = self._windows[oldest]
            if ends <= now or len(self._windows) >= self.MOST:
                del self._windows[oldest]


_in_memory = MemoryWindows()


@lru_cache
def _for_network(limit: RateLimitItem) -> RateLimitItem:
    return type(limit)(NETWORK_FACTOR * limit.amount, limit.multiples)


class Throttle(BaseThrottle):
    """Counts a view's requests by client: as `other` unless the view names a limit."""

    def __init__(self, name: str = "other") -> None:
        self.name = name

    def allow_request(self, request: Request, view: Any) -> bool:
        consume(self.name, client_ident(request))
        return True

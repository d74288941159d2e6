"""How often somebody may do something: RATE_LIMITS, by names such as `join` and `create`.

A limit admits so many in a window, which begins with the first one and then ends by itself, however
many more are tried in it. Where they are counted: access/counters.py.
"""

import math
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from access import counters
from access.addresses import address_of, network_of
from web.errors import Problem

# How many times as much as one of its /64 the /48 of an IPv6 address may do. A provider gives each
# customer a /48 or a /56, in which are 65,536 or 256 of them.
NETWORK_FACTOR = 16


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
    key: Any = request.auth  # an ApiKey, or None
    return f"key:{key.prefix}" if key else address_ident(request._request)


def ident_of_address(environ: Mapping[str, Any]) -> str:
    return f"address:{address_of(environ)}"


def address_ident(request: HttpRequest) -> str:
    """Whom a request counts for that has no good key: its address."""
    return ident_of_address(request.META)


def consume(name: str, *who: str) -> None:
    """Count one. RateLimited if that is one too many."""
    for limit, window in windows(name, *who):
        if not counters.hit(limit, *window):
            raise RateLimited(name, limit, ends=counters.ends(limit, *window))


def windows(name: str, *who: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    """Where one is counted: for `who`, and if that ends with an IPv6 address, for its /48."""
    limit = settings.RATE_LIMITS.get(name)
    if limit is None:
        return []
    windows = [(limit, (name, *who))]
    if network := network_of(who[-1]):
        windows.append((_for_network(limit), (name, *who[:-1], network)))
    return windows


@lru_cache
def _for_network(limit: RateLimitItem) -> RateLimitItem:
    return type(limit)(NETWORK_FACTOR * limit.amount, limit.multiples)


class Throttle(BaseThrottle):
    """Counts a view's requests for whoever sends them: as `other` unless the view names a limit."""

    def __init__(self, name: str = "other") -> None:
        self.name = name

    def allow_request(self, request: Request, view: Any) -> bool:
        consume(self.name, client_ident(request))
        return True

"""How often somebody may do something: RATE_LIMITS, by names such as `join` and `create`.

A limit admits so many in a window, which begins with the first one and then ends by itself, however
many more are tried in it. Where they are counted: access/counters.py.
"""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from access import counters
from access.addresses import address_of
from access.authentication import key_of
from access.errors import RateLimited

Answer = TypeVar("Answer")


def caller(request: Request) -> str:
    """Whom a request counts for: the key that it was sent with, or else its address."""
    key = key_of(request)
    return f"key:{key.prefix}" if key else f"address:{address_of(request._request)}"


def spend(name: str, *who: str) -> None:
    """Count one. RateLimited if that is one too many."""
    limit = settings.RATE_LIMITS.get(name)
    if limit and not counters.hit(limit, name, *who):
        raise RateLimited(name, limit, ends=counters.ends(limit, name, *who))


def guess(check: Callable[[], Answer], *limits: tuple[str, ...]) -> Answer:
    """What `check` says, which looks at a password or a code, unless too many were wrong already.

    If it says something false or raises, that counts for each of the limits, such as
    `("code", room, address), ("code_room", room)`. They are spent before it looks, so that of many
    at the same time none slips through, and given back for what was right. Where one of them is
    used up none is spent, since what is left of the others would tell who was right.
    """
    refuse_if_used_up(*limits)
    for name, *who in limits:
        spend(name, *who)
    answer = check()
    for name, *who in limits if answer else ():
        if limit := settings.RATE_LIMITS.get(name):
            counters.hit(limit, name, *who, cost=-1)
    return answer


def refuse_if_used_up(*limits: tuple[str, ...]) -> None:
    """RateLimited if one of the limits has no room for another one. Counts nothing."""
    for name, *who in limits:
        limit = settings.RATE_LIMITS.get(name)
        if limit and counters.is_used_up(limit, name, *who):
            raise RateLimited(name, limit, ends=counters.ends(limit, name, *who))


class Throttle(BaseThrottle):
    """Counts a view's requests for whoever sends them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def allow_request(self, request: Request, view: APIView) -> bool:
        spend(self.name, caller(request))
        return True

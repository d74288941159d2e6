"""Single calls to OpenTok, with a deadline, a circuit breaker and a concurrency limit.

The SDK and video/rest.py use our transport. Only the status and the body of an answer count, and
not what the SDK returns or raises: it reports some failures as success, and the other way round.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import opentok
import opentok.opentok
from django.conf import settings
from requests import Response

from telemetry import counters
from video import accounts, answers, concurrency, transport
from video.accounts import Account
from video.answers import Refusals
from video.breaker import Breaker
from video.errors import VideoError

Ask = Callable[[opentok.Client], Any]

_breaker = Breaker()
TRANSPORT = opentok.opentok.requests = transport.Transport()
# At DEBUG the SDK logs the JWT of each call. This logger is in no hierarchy and has no handler.
opentok.opentok.logger = logging.Logger("opentok, silenced", logging.CRITICAL)


class _Client(opentok.Client):
    """Signs each call once. The SDK signs it again for a line of its log, which is dropped."""

    def _create_jwt_auth_header(self) -> str:
        exchange = transport.current()
        if exchange.token is None:
            exchange.token = super()._create_jwt_auth_header()
        return exchange.token


@lru_cache(maxsize=8)
def _sdk(account: Account) -> opentok.Client:
    # The SDK guesses the kind of credentials from the secret, and opens it as a file if it looks
    # like a path. So it gets an empty secret first, and the real one afterwards.
    sdk = _Client(account.project_id, "")
    sdk._using_vonage = account.is_vonage
    sdk.api_secret = account.key
    sdk.endpoints.api_url = account.api_url
    return sdk


def call(operation: str, ask: Ask, *, refusals: Refusals) -> Any:
    """The JSON of a successful answer, or the error that its status means."""
    with concurrency.waiting():
        return exchange(operation, ask, refusals=refusals, until=deadline())


def read(operation: str, ask: Ask, *, refusals: Refusals) -> Any:
    """The same for a call that changes nothing, which is repeated once if OpenTok fails."""
    until = deadline()
    with concurrency.waiting():
        try:
            return exchange(operation, ask, refusals=refusals, until=until)
        except VideoError as error:
            if not error.is_outage:
                raise
        return exchange(operation, ask, refusals=refusals, until=until)


def deadline() -> float:
    return time.monotonic() + settings.OPENTOK_TIMEOUT


def exchange(operation: str, ask: Ask, *, refusals: Refusals, until: float) -> Any:
    """One call, counted by the name of its operation."""
    sdk = _sdk(accounts.current())
    with (
        counters.opentok_call(operation),
        _breaker.watching(),
        transport.watched(until=until) as watched,
    ):
        try:
            ask(sdk)
        except Exception:
            if watched.response is None and watched.error is None:
                raise  # nothing was sent: a bug of ours
        return answers.read(watched.result(), refusals)


def ping() -> Response:
    """OpenTok's answer, of any status, to a small signed call: a list of one archive.

    VideoError if there is no answer.
    """
    sdk = _sdk(accounts.current())
    with transport.watched(until=deadline()) as watched, suppress(Exception):
        sdk.list_archives(count=1)
    return watched.result()

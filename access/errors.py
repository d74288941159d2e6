"""Why somebody may not do what they asked for, and which variable or key would allow it."""

import math
import time

from limits import RateLimitItem
from rest_framework.exceptions import APIException


class KeyRequired(APIException):
    status_code = 401
    counts_as = "other"
    default_code = "key_required"
    title = "An API key is needed"
    default_detail = (
        "ANONYMOUS_ACCESS does not name `{capability}`. Send an API key that has it: "
        "`Authorization: Bearer …`."
    )
    auth_header = 'Bearer realm="rooms"'

    def __init__(self, capability: str) -> None:
        super().__init__(self.default_detail.format(capability=capability))


class CapabilityMissing(APIException):
    status_code = 403
    counts_as = "other"
    default_code = "capability_missing"
    title = "This key may not do that"
    default_detail = (
        "This API key does not have `{capability}`, and ANONYMOUS_ACCESS does not name it. Send a "
        "key that has it."
    )

    def __init__(self, capability: str) -> None:
        super().__init__(self.default_detail.format(capability=capability))


class RoomNotCovered(APIException):
    status_code = 403
    default_code = "room_not_covered"
    title = "This key is for other rooms"
    default_detail = (
        "This API key is only for rooms whose name starts with “{prefix}”. Send a key that is for "
        "this room."
    )

    def __init__(self, prefix: str) -> None:
        super().__init__(self.default_detail.format(prefix=prefix))


class KeyRefused(APIException):
    """Base of what is wrong with a key that was sent, which is told wherever it was sent."""

    status_code = 401
    counts_as = "refused"
    auth_header = 'Bearer realm="rooms", error="invalid_token"'


class KeyInvalid(KeyRefused):
    default_code = "key_invalid"
    title = "There is no such key"
    default_detail = (
        "There is no such API key. It has to be sent as it was shown when it was made: "
        "`Authorization: Bearer otr_…`."
    )


class KeyExpired(KeyRefused):
    default_code = "key_expired"
    title = "The key has expired"
    default_detail = "This API key has expired. Ask for another one."


class KeyRevoked(KeyRefused):
    default_code = "key_revoked"
    title = "The key was revoked"
    default_detail = "This API key was revoked. Ask for another one."


class RateLimited(APIException):
    """More than the limit called `name` allows. It may be tried again at `ends`, a Unix time.

    The headers are those of the IETF's draft "RateLimit header fields for HTTP".
    """

    status_code = 429
    default_code = "rate_limited"
    title = "Too many requests"
    default_detail = "Too many requests. Please try again in {seconds}."

    def __init__(self, name: str, limit: RateLimitItem, *, ends: float) -> None:
        self.wait = max(1, math.ceil(ends - time.time()))
        seconds = "a second" if self.wait == 1 else f"{self.wait} seconds"
        super().__init__(self.default_detail.format(seconds=seconds))
        self.headers = {
            "RateLimit-Policy": f'"{name}";q={limit.amount};w={limit.get_expiry()}',
            "RateLimit": f'"{name}";r=0;t={self.wait}',
        }

"""Who has sent a webhook: Vonage signs each with a JWT (HS256) in `Authorization: Bearer`, which
holds the SHA-256 of the body.

Source: tokbox.com/developer/guides/secure-callbacks; developer.vonage.com, "Signed webhooks".
"""

import hashlib
import hmac
import time
import warnings
from collections.abc import Iterable
from typing import Any

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from video import accounts

MOST_SECONDS_APART = 5 * 60

# OpenTok lets a secret be shorter than the 32 characters that the library would like to see.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)


class BadSignatureError(Exception):
    """Its text is the reason, for the log."""


def check(
    body: bytes,
    authorization: str,
    *,
    secrets: Iterable[str],
    issuer: str | None = None,
    required: Iterable[str] = ("iat",),
    seconds_old: int = 0,
) -> None:
    """BadSignatureError unless the header signs this body, with one of the secrets, for this
    server, and no longer than `seconds_old` ago. `body` is as it came.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise BadSignatureError("it is not signed")
    claims = _claims(token.strip(), secrets, issuer=issuer, required=list(required))
    # A GET has no body, and not every JWT has the hash of one.
    # As bytes, since text is compared in constant time only if it is ASCII.
    signed = str(claims.get("payload_hash", "")).lower().encode("utf-8", "replace")
    if body and not hmac.compare_digest(signed, hashlib.sha256(body).hexdigest().encode()):
        raise BadSignatureError("another body was signed")
    issued, now = claims["iat"], time.time()
    earliest, latest = now - seconds_old - MOST_SECONDS_APART, now + MOST_SECONDS_APART
    if type(issued) not in {int, float} or not earliest <= issued <= latest:
        raise BadSignatureError("it was signed too long ago, or in the future")
    account = accounts.current()
    # What `api_key` holds is not documented for OpenTok projects.
    named = str(claims.get("application_id", account.project_id)).lower()
    if account.is_vonage and named != account.project_id:
        raise BadSignatureError("it is for another application")


def _claims(
    token: str, secrets: Iterable[str], *, issuer: str | None, required: list[str]
) -> dict[str, Any]:
    failure = ""
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                issuer=issuer,
                options={"require": required, "verify_iat": False, "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            failure = failure or type(error).__name__
        else:
            return claims
    raise BadSignatureError(f"its signature is not right ({failure})")

"""What Vonage's Voice API asks and tells about calls of phones: webhooks, signed with a JWT.

Source: developer.vonage.com, "Signed webhooks". They are signed with a secret of the account, which
is another one than CALLBACK_SECRET.
"""

import hashlib
import hmac
import logging
import time
from typing import Any

import jwt
from django.conf import settings
from jwt.types import Options

from video import accounts
from web.errors import Problem

MOST_SECONDS_APART = 5 * 60
CHECKED: Options = {"require": ["iat"], "verify_iat": False, "verify_aud": False}

logger = logging.getLogger(__name__)


def check_webhook(body: bytes, *, authorization: str) -> None:
    """Raise `voice_refused` unless Vonage signed this just now, or VOICE_SIGNATURE_SECRET is not
    set. `body` is as it came, `authorization` the header.
    """
    if not settings.VOICE_SIGNATURE_SECRET:
        return
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused("it is not signed")
    try:
        claims: dict[str, Any] = jwt.decode(
            token.strip(), settings.VOICE_SIGNATURE_SECRET, ["HS256"], CHECKED
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _refused(f"its signature is not right ({type(error).__name__})") from None
    issued = claims["iat"]
    if type(issued) not in {int, float} or abs(time.time() - issued) > MOST_SECONDS_APART:
        raise _refused("it was not signed just now")
    account = accounts.current()
    named = str(claims.get("application_id", account.project_id)).lower()
    if account.is_vonage and named != account.project_id:
        raise _refused("it is for another application")
    # A GET has no body, and not every JWT has the hash of one.
    signed = str(claims.get("payload_hash", "")).lower().encode("utf-8", "replace")
    if body and not hmac.compare_digest(signed, hashlib.sha256(body).hexdigest().encode()):
        raise _refused("another body was signed")


def _refused(reason: str) -> Problem:
    logger.warning("A webhook of the Voice API was refused: %s", reason)
    return Problem("voice_refused", reason=reason)

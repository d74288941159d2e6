"""What OpenTok tells by itself: signed HTTP requests, called callbacks.

Each brings `Authorization: Bearer` with a JWT (HS256) that holds the SHA-256 of the body. Source:
tokbox.com/developer/guides/secure-callbacks.
"""

import hashlib
import hmac
import logging
import re
import time
import warnings
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from jwt.warnings import InsecureKeyLengthWarning

from video import accounts, answers, ids
from video.answers import Remote
from video.errors import VideoError
from web.errors import Problem

# OpenTok tries for a day to deliver one. Whether it signs anew each time is undocumented.
MOST_SECONDS_OLD = 24 * 60 * 60
MOST_SECONDS_APART = 5 * 60
# Of archives alone: an Experience Composer's callback has an id, a session and a status as well.
ONLY_OF_ARCHIVES = {"duration", "size", "outputMode"}

logger = logging.getLogger(__name__)

# OpenTok lets a secret be shorter than the 32 characters that the library would like to see.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)


def archive(body: bytes, *, authorization: str) -> Remote | None:
    """The archive object that a callback tells of, or None if it tells of something else.

    `body` is as it came, `authorization` the header. Errors: callbacks_closed,
    callback_refused, before anything in the body is looked at; callback_invalid.
    """
    if not settings.CALLBACK_SECRET:
        raise Problem("callbacks_closed")
    _verify(body, _claims(authorization))
    told = _parse(body)
    if not _is_of_archive(told):
        _say_dropped(_kind(told))
        return None
    _refuse_others(told)
    try:
        return answers.item(told)
    except VideoError:
        raise _invalid("it tells of no archive") from None


def _claims(authorization: str) -> dict[str, Any]:
    """What the header claims, once it is known to be signed with our secret and Vonage's."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused("it is not signed")
    try:
        claims: dict[str, Any] = jwt.decode(
            token.strip(),
            settings.CALLBACK_SECRET,
            algorithms=["HS256"],
            issuer="Vonage",
            options={"require": ["iat", "iss", "payload_hash"], "verify_iat": False},
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _refused(f"its signature is not right ({type(error).__name__})") from None
    return claims


def _verify(body: bytes, claims: dict[str, Any]) -> None:
    """Raise `callback_refused` unless the claims are of this body, of now, and for this server."""
    # As bytes, since text is compared in constant time only if it is ASCII.
    signed = str(claims["payload_hash"]).lower().encode("utf-8", "replace")
    if not hmac.compare_digest(signed, hashlib.sha256(body).hexdigest().encode()):
        raise _refused("another body was signed")
    issued, now = claims["iat"], time.time()
    earliest, latest = now - MOST_SECONDS_OLD - MOST_SECONDS_APART, now + MOST_SECONDS_APART
    if type(issued) not in {int, float} or not earliest <= issued <= latest:
        raise _refused("it was signed in the future, or more than a day ago")
    account = accounts.current()
    # What `api_key` holds is not documented for OpenTok projects; their bodies name the project.
    named = str(claims.get("application_id", account.project_id)).lower()
    if account.is_vonage and named != account.project_id:
        raise _refused("it is for another application")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        told = answers.parse(body)
    except (ValueError, RecursionError):
        raise _invalid("it is not JSON") from None
    if not isinstance(told, dict):
        raise _invalid("it is no JSON object")
    return told


def _is_of_archive(told: dict[str, Any]) -> bool:
    """OpenTok's guide shows an archive with `event`, its REST reference without one."""
    event = told.get("event")
    shape = {"id", "sessionId", "status"} <= told.keys() and ONLY_OF_ARCHIVES & told.keys()
    return event == "archive" or (event is None and bool(shape))


def _kind(told: dict[str, Any]) -> str:
    """What it is about, in a word for the log."""
    event = told.get("event")
    if event is None:
        return "without an event"
    is_word = isinstance(event, str) and re.fullmatch(r"[A-Za-z]{1,40}", event)
    return str(event) if is_word else "of no known kind"


@lru_cache(100)
def _say_dropped(kind: str) -> None:
    """Once for each kind: busy sessions send hundreds of them."""
    logger.info("Callbacks are taken about recordings alone; dropped: %s", kind)


def _refuse_others(told: dict[str, Any]) -> None:
    """Raise `callback_refused` for an archive of another project: two may have the same secret."""
    named = [told.get(name) for name in ("projectId", "partnerId", "applicationId")]
    named.append(ids.project_of(str(told.get("sessionId", ""))))
    project_id = accounts.current().project_id
    if any(str(name).lower() != project_id for name in named if name is not None):
        raise _refused("it is about another project")


def _refused(reason: str) -> Problem:
    logger.warning("A callback was refused: %s", reason)
    return Problem("callback_refused", reason=reason)


def _invalid(reason: str) -> Problem:
    logger.warning("A callback that is signed rightly makes no sense: %s", reason)
    return Problem("callback_invalid", reason=reason)

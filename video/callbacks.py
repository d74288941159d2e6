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
EVENTS = {
    "archive": "archive",
    "broadcast": "broadcast",
    "render": "render",
    **dict.fromkeys(["callCreated", "callUpdated", "callDestroyed"], "call"),
    **dict.fromkeys(
        [
            "sessionCreated",
            "sessionDestroyed",
            "connectionCreated",
            "connectionDestroyed",
            "streamCreated",
            "streamDestroyed",
        ],
        "session",
    ),
}
# Of archives alone: an Experience Composer's callback has an id, a session and a status as well.
ONLY_OF_ARCHIVES = {"duration", "size", "outputMode"}

logger = logging.getLogger(__name__)

# OpenTok lets a secret be shorter than the 32 characters that the library would like to see.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)


def read(body: bytes, *, authorization: str) -> tuple[str, Remote] | None:
    """What a callback tells of, and the object; None if it is of no known kind.

    The kinds: archive, broadcast, captions, render, call and session (connections and streams).
    `body` is as it came, `authorization` the header. Errors: callbacks_closed, callback_refused,
    before anything in the body is looked at; callback_invalid.
    """
    if not settings.CALLBACK_SECRET:
        raise Problem("callbacks_closed")
    _verify(body, _claims(authorization))
    told = _parse(body)
    kind = _kind(told)
    if kind is None:
        _say_dropped(_word(told))
        return None
    _refuse_others(told)
    if kind == "session":
        return kind, told
    try:
        return kind, answers.item(_AS_ITEM.get(kind, dict)(told))
    except VideoError:
        raise _invalid(f"it tells of no {kind}") from None


def _claims(authorization: str) -> dict[str, Any]:
    """What the header claims, once it is known to be signed with our secret and Vonage's."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused("it is not signed")
    failure = ""
    for secret in filter(None, [settings.CALLBACK_SECRET, settings.CALLBACK_SECRET_OLD]):
        try:
            return _decoded(token.strip(), secret)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            failure = failure or type(error).__name__
    raise _refused(f"its signature is not right ({failure})")


def _decoded(token: str, secret: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        secret,
        algorithms=["HS256"],
        issuer="Vonage",
        options={"require": ["iat", "iss", "payload_hash"], "verify_iat": False},
    )
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


def _kind(told: dict[str, Any]) -> str | None:
    """Most kinds name it in `event`. OpenTok's REST reference shows an archive without one, and
    its guides captions and renders.
    """
    event = told.get("event")
    if event is not None:
        return EVENTS.get(event) if isinstance(event, str) else None
    if "captionId" in told:
        return "captions"
    if {"id", "sessionId", "status"} <= told.keys():
        return "archive" if ONLY_OF_ARCHIVES & told.keys() else "render"
    return None


def _captions(told: dict[str, Any]) -> Remote:
    return told | {"id": told.get("captionId")}


def _call(told: dict[str, Any]) -> Remote:
    """A SIP call as the other kinds are: with an id and a status of its own."""
    about = told.get("call") if isinstance(told.get("call"), dict) else {}
    is_over = told["event"] == "callDestroyed"
    return {
        **(about or {}),
        "sessionId": told.get("sessionId"),
        "status": "stopped" if is_over else "started",
        "reason": told.get("reason_message"),
        "updatedAt": told.get("timestamp"),
        **({"state": told["state"]} if "state" in told else {}),
    }


_AS_ITEM = {"captions": _captions, "call": _call}


def _word(told: dict[str, Any]) -> str:
    """What it is about, in a word for the log."""
    event = told.get("event")
    if event is None:
        return "without an event"
    is_word = isinstance(event, str) and re.fullmatch(r"[A-Za-z]{1,40}", event)
    return str(event) if is_word else "of no known kind"


@lru_cache(100)
def _say_dropped(kind: str) -> None:
    """Once for each kind: busy sessions send hundreds of them."""
    logger.info("Callbacks of this kind are not taken; dropped: %s", kind)


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

"""OpenTok's callbacks: signed HTTP requests about what happens in sessions."""

import logging
import re
from functools import lru_cache
from typing import Any

from django.conf import settings

from video import accounts, answers, ids, signatures
from video.answers import Remote
from video.errors import VideoError
from web.errors import Problem

# OpenTok tries for a day to deliver one. Whether it signs anew each time is undocumented.
MOST_SECONDS_OLD = 24 * 60 * 60
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
# Only archives have these. A render's callback has an id, a session and a status as well.
ONLY_OF_ARCHIVES = {"duration", "size", "outputMode"}

logger = logging.getLogger(__name__)


def read(body: bytes, *, authorization: str) -> tuple[str, Remote] | None:
    """The kind of a callback, and its object; None for an unknown kind.

    The kinds: archive, broadcast, captions, render, call and session (connections and streams).
    `body` is the raw body, `authorization` the header. Errors: callbacks_closed, callback_refused;
    callback_invalid, for a body whose signature is right.
    """
    if not settings.CALLBACK_SECRET:
        raise Problem("callbacks_closed")
    _check_signature(body, authorization)
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


def _check_signature(body: bytes, authorization: str) -> None:
    secrets = [settings.CALLBACK_SECRET, settings.CALLBACK_SECRET_OLD]
    try:
        signatures.check(
            body,
            authorization,
            secrets=filter(None, secrets),
            issuer="Vonage",
            required=["iat", "iss", "payload_hash"],
            seconds_old=MOST_SECONDS_OLD,
        )
    except signatures.BadSignatureError as error:
        raise _refused(str(error)) from None


def _parse(body: bytes) -> dict[str, Any]:
    try:
        told = answers.parse(body)
    except (ValueError, RecursionError):
        raise _invalid("it is not JSON") from None
    if not isinstance(told, dict):
        raise _invalid("it is no JSON object")
    return told


def _kind(told: dict[str, Any]) -> str | None:
    """`event` names it, except that OpenTok's REST reference shows archives without an `event`, and
    its guides show captions and renders without one.
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
    """A SIP call in the shape of the other kinds: with an id and a status."""
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
    """The event in one word, for the log."""
    event = told.get("event")
    if event is None:
        return "without an event"
    is_word = isinstance(event, str) and re.fullmatch(r"[A-Za-z]{1,40}", event)
    return str(event) if is_word else "of no known kind"


@lru_cache(100)
def _say_dropped(kind: str) -> None:
    """Log each kind once, since busy sessions send hundreds of callbacks."""
    logger.info("Callbacks of this kind are not taken; dropped: %s", kind)


def _refuse_others(told: dict[str, Any]) -> None:
    """Error: callback_refused, if it is about another project, which may have the same secret."""
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

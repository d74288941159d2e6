"""OpenTok's answers: their JSON, or the error that their status means."""

import json
import math
import re
from typing import Any, NoReturn

from requests import Response

from video import ids
from video.errors import VideoError
from video.redaction import without_secrets

# OpenTok's archive object, as its REST API sent it (Vonage Video OpenAPI, "archive").
Remote = dict[str, Any]
# More than OpenTok nests, and few enough for recursive functions.
MOST_DEEP = 100
# By status, such as 404: the error codes of one operation.
Refusals = dict[int, str]


def read(response: Response, refusals: Refusals) -> Any:
    """The JSON of a successful answer, None for an empty one; else the error of the status."""
    status = response.status_code
    if status in {401, 403}:
        raise VideoError("opentok_refused_credentials", f"{status} {_message(response)}")
    if status == 429:
        wait = _retry_after(response)
        raise VideoError("opentok_rate_limited", f"429, retry after {wait} s", wait=wait)
    if status in refusals:
        message = _message(response)
        # OpenTok documents both 400 and 404 for a session without clients.
        nobody = "clients are actively connected" in message
        if nobody and "nobody_connected" in refusals.values():
            raise VideoError("nobody_connected", message)
        raise VideoError(refusals[status], message)
    if not 200 <= status < 300:
        raise VideoError("opentok_failed", f"{status} {_message(response)}")
    if not response.content:
        return None
    try:
        return parse(response.content)
    except (ValueError, RecursionError):
        raise VideoError("opentok_failed", "an answer that is not JSON") from None


def parse(content: bytes) -> Any:
    """JSON without what databases cannot store. ValueError or RecursionError if it is not JSON."""
    return _cleaned(json.loads(content, parse_constant=_refuse, parse_float=_finite))


def _message(response: Response) -> str:
    """OpenTok's message about an error, for the log: one line without secrets."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return "(no JSON)"
    message = str(body.get("message", "")) if isinstance(body, dict) else ""
    return without_secrets(message)[:200]


def _retry_after(response: Response) -> int:
    value = response.headers.get("Retry-After", "")
    return min(max(int(value), 1), 120) if re.fullmatch(r"[0-9]{1,9}", value) else 5


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _cleaned(value: Any, *, depth: int = 0) -> Any:
    """`value` without NUL, which PostgreSQL does not store, and without lone surrogates."""
    if depth > MOST_DEEP:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_cleaned(item, depth=depth + 1) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item, depth=depth + 1) for key, item in value.items()}
    return value


def item(answer: Any, *, item_id: str | None = None, session_id: str | None = None) -> Remote:
    """`answer`, without its `password`, if it is an archive, a broadcast or a render; and the one
    with this id and of this session, if they are given. Error: opentok_failed.
    """
    match answer:
        case {"id": str(found), "sessionId": str(session), "status": str()} if (
            ids.UUID.fullmatch(found.lower())
            and item_id in {None, found.lower()}
            and session_id in {None, session}
        ):
            answer.pop("password", None)
            return dict(answer)
    raise VideoError("opentok_failed", "not what was asked for in the answer")


def items(answer: Any, *, session_id: str | None = None) -> list[Remote]:
    """The same for a list of such objects."""
    return [item(each, session_id=session_id) for each in listed(answer)]


def listed(answer: Any) -> list[Any]:
    """The list in `answer`. Error: opentok_failed."""
    match answer:
        case {"items": list(found)}:
            return found
    raise VideoError("opentok_failed", "no list in the answer")


def with_ids(answer: Any, *names: str) -> Remote:
    """`answer` if it is an object with a UUID in each of these fields. Error: opentok_failed."""
    match answer:
        case dict() if all(ids.is_uuid(answer.get(name)) for name in names):
            return dict(answer)
    raise VideoError("opentok_failed", f"no {' and '.join(names)} in the answer")

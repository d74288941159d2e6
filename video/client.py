"""The one door to OpenTok: plain functions that take our words and return OpenTok's own JSON.

Under them works the `opentok` SDK, and under the SDK our transport. What the SDK returns or raises
decides nothing: it reports some failures as success and some successes as failure, so that each
function goes by the status and body that really came.
"""

import json
import random
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jwt
import opentok
import opentok.opentok
from django.conf import settings
from requests import Response

from video import accounts, ids, transport
from video.accounts import Account
from video.errors import (
    ArchiveConflict,
    ArchiveNotFound,
    ArchiveNotRunning,
    NobodyConnected,
    OpenTokFailed,
    OpenTokRateLimited,
    OpenTokRefusedUs,
    SessionInvalid,
    VideoError,
)

# OpenTok's archive object, as its REST API sent it (Vonage Video OpenAPI, "archive").
Remote = dict[str, Any]
Refusals = dict[int, type[VideoError]]

MAX_ARCHIVES = 1000

opentok.opentok.requests = transport.Transport()


def project_id() -> str:
    """The API key or the application id, whichever the server is configured with."""
    return accounts.current().project_id


def owns(session_id: str) -> bool:
    """Whether a session belongs to the configured project."""
    return ids.project_of(session_id) == project_id()


def generate_token(session_id: str, *, role: str, lifetime: int) -> str:
    """A client token (JWT) for a session, signed here; no call is made.

    `role` is one of OpenTok's four, `lifetime` in seconds. The claims are those of OpenTok's SDKs;
    the Python one writes `subject` for a Vonage application where Vonage's documentation and its
    other SDKs have `sub`, which is why tokens are not left to it.
    """
    account = accounts.current()
    now = int(time.time())
    claims: dict[str, Any] = {
        "session_id": session_id,
        "role": role,
        "iat": now,
        "exp": now + lifetime,
        "scope": "session.connect",
    }
    if account.is_vonage:
        claims |= {
            "application_id": account.project_id,
            "jti": str(uuid.uuid4()),
            "sub": "video",
            "acl": {"paths": {"/session/**": {}}},
        }
        return jwt.encode(claims, account.key, algorithm="RS256")
    nonce = random.randint(0, 999_999)  # noqa: S311  makes tokens differ; the signature is the secret
    claims |= {"iss": account.project_id, "ist": "project", "nonce": nonce}
    return jwt.encode(claims, account.key, algorithm="HS256")


def create_session(*, e2ee: bool = False) -> str:
    """The id of a new routed session."""
    answer = _call(
        lambda sdk: sdk.create_session(media_mode=opentok.MediaModes.routed, e2ee=e2ee), refusals={}
    )
    match answer:
        case [{"session_id": str(session_id)}, *_] if ids.SESSION_ID.fullmatch(session_id):
            return session_id
    raise OpenTokFailed("no session id in the answer")


def start_archive(
    session_id: str,
    *,
    name: str | None = None,
    output_mode: str = "composed",
    transcription: bool = False,
) -> Remote:
    """Start recording a session; `output_mode` is "composed" or "individual".

    Errors: SessionInvalid, NobodyConnected, ArchiveConflict.
    """
    ids.session_id(session_id)
    if ids.project_of(session_id) not in {None, project_id()}:
        raise SessionInvalid("a session of another project")
    answer = _call(
        lambda sdk: sdk.start_archive(
            session_id,
            name=name,
            output_mode=opentok.OutputModes(output_mode),
            has_transcription=transcription,
        ),
        refusals={400: SessionInvalid, 404: NobodyConnected, 409: ArchiveConflict},
    )
    return _archive(answer)


def stop_archive(archive_id: str) -> Remote:
    """Stop recording. Stopping what is stopped already is fine; ArchiveNotRunning comes later."""
    ids.archive_id(archive_id)
    answer = _call(
        lambda sdk: sdk.stop_archive(archive_id),
        refusals={404: ArchiveNotFound, 409: ArchiveNotRunning},
    )
    return _archive(answer)


def get_archive(archive_id: str) -> Remote:
    """The archive as it is now; once it is available, with a link that lives ten minutes."""
    ids.archive_id(archive_id)
    answer = _call(
        lambda sdk: sdk.get_archive(archive_id),
        refusals={400: ArchiveNotFound, 404: ArchiveNotFound},
    )
    return _archive(answer)


def list_archives(
    *, count: int = MAX_ARCHIVES, offset: int = 0, session_id: str | None = None
) -> list[Remote]:
    """Archives, newest first: at most `count` (up to 1000) from `offset` on."""
    if session_id is not None:
        ids.session_id(session_id)
    answer = _call(
        lambda sdk: sdk.list_archives(offset=offset, count=count, session_id=session_id),
        refusals={400: SessionInvalid} if session_id else {},
    )
    match answer:
        case {"items": list(items)}:
            return [_archive(item) for item in items]
    raise OpenTokFailed("no list of archives in the answer")


def download_url(remote: Remote) -> str | None:
    """Where an available archive's file is, signed for ten minutes; None in every other state."""
    url = remote.get("url")
    if remote["status"] != "available" or not url:
        return None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise OpenTokFailed("a download link that is no web address")
    return url


@lru_cache(maxsize=8)
def _sdk(account: Account, timeout: float) -> opentok.Client:
    # The SDK guesses the kind of credentials from the look of the secret, and opens what it takes
    # for a path. So it gets none to guess from, and is told afterwards.
    sdk = opentok.Client(account.project_id, "", timeout=timeout)
    sdk._using_vonage = account.is_vonage
    sdk.api_secret = account.key
    sdk.endpoints.api_url = account.api_url
    return sdk


def _call(ask: Callable[[opentok.Client], Any], *, refusals: Refusals) -> Any:
    """The JSON of a successful answer, or the error that its status means."""
    sdk = _sdk(accounts.current(), settings.OPENTOK_TIMEOUT)
    with transport.watched() as exchange:
        try:
            ask(sdk)
        except Exception:
            if exchange.response is None and exchange.error is None:
                raise  # nothing was sent: a mistake of ours
    return _answer(exchange.result(), refusals)


def _answer(response: Response, refusals: Refusals) -> Any:
    status = response.status_code
    if status in {401, 403}:
        raise OpenTokRefusedUs(f"{status} {_message(response)}")
    if status == 429:
        raise OpenTokRateLimited(_retry_after(response))
    if status in refusals:
        message = _message(response)
        # OpenTok documents "nobody is connected" under 400 as well as under 404.
        if "clients are actively connected" in message:
            raise NobodyConnected(message)
        raise refusals[status](message)
    if not 200 <= status < 300:
        raise OpenTokFailed(f"{status} {_message(response)}")
    try:
        return _clean(json.loads(response.content, parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        raise OpenTokFailed("an answer that is not JSON") from None


def _message(response: Response) -> str:
    """OpenTok's own words about a refusal, for the log; they name no secret."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return "(no JSON)"
    return str(body.get("message", ""))[:200] if isinstance(body, dict) else ""


def _retry_after(response: Response) -> int:
    value = response.headers.get("Retry-After", "")
    return min(int(value), 120) if value.isdecimal() else 5


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _clean(value: Any) -> Any:
    """`value` without what neither a database nor UTF-8 can hold: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _archive(answer: Any) -> Remote:
    """`answer` if it is an archive object; its `password` is nobody's business."""
    match answer:
        case {"id": str(archive_id), "sessionId": str(), "status": str()} if (
            ids.ARCHIVE_ID.fullmatch(archive_id)
        ):
            answer.pop("password", None)
            return dict(answer)
    raise OpenTokFailed("no archive in the answer")

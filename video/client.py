"""The one door to OpenTok: plain functions that take our words and return OpenTok's own JSON.

Under them works the `opentok` SDK, and under the SDK our transport. What the SDK returns or raises
decides nothing: it reports some failures as success and some successes as failure, so that each
function goes by the status and body that really came.
"""

import logging
import random
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import jwt
import opentok
import opentok.opentok
from django.conf import settings
from requests import Response

from metrics import counters
from video import accounts, answers, gate, ids, transport
from video.accounts import Account
from video.answers import Refusals, Remote
from video.breaker import Breaker
from video.errors import (
    ArchiveConflict,
    ArchiveNotFound,
    ArchiveNotRunning,
    ArchiveRefused,
    NobodyConnected,
    OpenTokFailed,
    SessionInvalid,
    VideoError,
)

Ask = Callable[[opentok.Client], Any]

MAX_ARCHIVES = 1000
RUNNING = {"started", "paused"}
# The share of a start's time that is kept for finding out what became of it.
TO_LOOK_UP = 0.2
WEB_ADDRESS = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?(/|\?|$)", re.ASCII | re.IGNORECASE)

_breaker = Breaker()
opentok.opentok.requests = transport.Transport()
# At DEBUG the SDK logs the JWT of each call. This logger is in no hierarchy and has no handler.
opentok.opentok.logger = logging.Logger("opentok, silenced", logging.CRITICAL)


def project_id() -> str:
    """The API key or the application id, whichever the server is configured with."""
    return accounts.current().project_id


def owns(session_id: str) -> bool:
    """Whether a session is the configured project's, as it is unless its id tells another one's."""
    return ids.project_of(session_id) in {None, project_id()}


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
        "create_session",
        lambda sdk: sdk.create_session(media_mode=opentok.MediaModes.routed, e2ee=e2ee),
        refusals={},
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

    Errors: SessionInvalid, ArchiveRefused, NobodyConnected, ArchiveConflict. A failure of OpenTok
    is raised only if the session is not being recorded, as far as can be known.
    """
    ids.check_session_id(session_id)
    if not owns(session_id):
        raise SessionInvalid("a session of another project")
    until = _deadline()
    with gate.waiting():
        try:
            answer = _exchange(
                "start_archive",
                lambda sdk: sdk.start_archive(
                    session_id,
                    name=name,
                    output_mode=opentok.OutputModes(output_mode),
                    has_transcription=transcription,
                ),
                refusals={400: ArchiveRefused, 404: NobodyConnected, 409: ArchiveConflict},
                until=until - settings.OPENTOK_TIMEOUT * TO_LOOK_UP,
            )
            return answers.archive(answer)
        except VideoError as error:
            running = _running_archive(session_id, until=until) if error.is_outage else None
            if running is None:
                raise
            return running


def _running_archive(session_id: str, *, until: float) -> Remote | None:
    """What a start whose answer got lost has started: a session has one recording at a time."""
    try:
        answer = _exchange(
            "list_archives",
            lambda sdk: sdk.list_archives(session_id=session_id),
            refusals={400: SessionInvalid},
            until=until,
        )
        remotes = answers.archives(answer)
    except VideoError:
        return None
    return next((remote for remote in remotes if remote["status"] in RUNNING), None)


def stop_archive(archive_id: str) -> Remote:
    """Stop recording; again is fine while OpenTok makes the file, ArchiveNotRunning after that."""
    ids.check_archive_id(archive_id)
    answer = _call(
        "stop_archive",
        lambda sdk: sdk.stop_archive(archive_id),
        refusals={404: ArchiveNotFound, 409: ArchiveNotRunning},
    )
    return answers.archive(answer, archive_id=archive_id)


def get_archive(archive_id: str) -> Remote:
    """The archive as it is now; once it is available, with a link that lives ten minutes."""
    ids.check_archive_id(archive_id)
    answer = _read(
        "get_archive", lambda sdk: sdk.get_archive(archive_id), refusals={404: ArchiveNotFound}
    )
    return answers.archive(answer, archive_id=archive_id)


def list_archives(
    *, count: int = MAX_ARCHIVES, offset: int = 0, session_id: str | None = None
) -> list[Remote]:
    """Archives, newest first: at most `count` (up to 1000) from `offset` on."""
    if session_id is not None:
        ids.check_session_id(session_id)
    answer = _read(
        "list_archives",
        lambda sdk: sdk.list_archives(offset=offset, count=count, session_id=session_id),
        refusals={400: SessionInvalid} if session_id else {},
    )
    return answers.archives(answer)


def ping() -> Response:
    """OpenTok's answer, whatever it is, to the smallest call that is signed: it lists one archive.

    VideoError if there is none.
    """
    sdk = _sdk(accounts.current())
    with transport.watched(until=_deadline()) as exchange, suppress(Exception):
        sdk.list_archives(count=1)
    return exchange.result()


def download_url(remote: Remote) -> str | None:
    """Where an available archive's file is, signed for ten minutes; None in every other state."""
    url = remote.get("url")
    if remote["status"] != "available" or not url:
        return None
    if not (isinstance(url, str) and len(url) < 8192 and WEB_ADDRESS.match(url)):
        raise OpenTokFailed("a download link that is no web address")
    return url


@lru_cache(maxsize=8)
def _sdk(account: Account) -> opentok.Client:
    # The SDK guesses the kind of credentials from the look of the secret, and opens what it takes
    # for a path. So it gets none to guess from, and is told afterwards.
    sdk = opentok.Client(account.project_id, "")
    sdk._using_vonage = account.is_vonage
    sdk.api_secret = account.key
    sdk.endpoints.api_url = account.api_url
    return sdk


def _call(operation: str, ask: Ask, *, refusals: Refusals) -> Any:
    """The JSON of a successful answer, or the error that its status means."""
    with gate.waiting():
        return _exchange(operation, ask, refusals=refusals, until=_deadline())


def _read(operation: str, ask: Ask, *, refusals: Refusals) -> Any:
    """The same for a call that changes nothing: if OpenTok fails, it is asked again, once."""
    until = _deadline()
    with gate.waiting():
        try:
            return _exchange(operation, ask, refusals=refusals, until=until)
        except VideoError as error:
            if not error.is_outage:
                raise
        return _exchange(operation, ask, refusals=refusals, until=until)


def _deadline() -> float:
    return time.monotonic() + settings.OPENTOK_TIMEOUT


def _exchange(operation: str, ask: Ask, *, refusals: Refusals, until: float) -> Any:
    """One call, counted under the name of its operation."""
    sdk = _sdk(accounts.current())
    with (
        counters.opentok_call(operation),
        _breaker.watching(),
        transport.watched(until=until) as exchange,
    ):
        try:
            ask(sdk)
        except Exception:
            if exchange.response is None and exchange.error is None:
                raise  # nothing was sent: a mistake of ours
        return answers.read(exchange.result(), refusals)

"""Who is calling: OpenTok project tokens (HS256) and Vonage application tokens (RS256).

Refusals are 403, not 401. Messages with code -1 are recorded answers of the real service; the
10xxx codes are the ones that the Vonage Video OpenAPI documents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from emulator.messages import ApiError

# Public on purpose: the emulator listens on the loopback interface.
DEMO_API_KEY = "45999999"
DEMO_SECRET = "5ca1ab1e0ddba11f00dfacade0ff1ce0c0ffee00"  # noqa: S105

MAX_TOKEN_SECONDS = 5 * 60
# inference: a caller three minutes ahead is known to be refused; how little is forgiven is not.
CLOCK_SKEW_SECONDS = 60
# Each of these is checked below, with the answers of the real service.
SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True)
class Project:
    """Who owns sessions and archives: `id` is an API key, or a Vonage application's id."""

    id: str
    is_vonage: bool


@dataclass(frozen=True)
class Keys:
    """The one project and, if any, the one Vonage application that may call."""

    api_key: str
    secret: str
    application_id: str | None = None
    public_key: RSAPublicKey | None = None
    strict_expiry: bool = False
    second_secret: str | None = None
    # By how many seconds the clock of sessions was moved on: a caller's may have been as well.
    ahead: Callable[[], float] = float

    def secrets(self) -> list[str]:
        """Both, while one takes the other's place."""
        return [self.secret, *filter(None, [self.second_secret])]

    def projects(self) -> list[Project]:
        projects = [Project(self.api_key, is_vonage=False)]
        if self.application_id is not None:
            projects.append(Project(self.application_id, is_vonage=True))
        return projects

    def authenticate(self, headers: Message) -> Project:
        """The caller, by the token in either header, whichever it uses. Raises ApiError."""
        token = headers.get("X-OPENTOK-AUTH")
        if token is None:
            scheme, _, token = str(headers.get("Authorization", "")).partition(" ")
            if scheme.lower() != "bearer":
                # inference: what is said to a caller without any token is not documented.
                raise ApiError(403, 10003, "Invalid partner auth format")
        token = str(token).strip()
        claims = claimed(token)
        # The PHP SDK sends an application's token in OpenTok's header.
        if "application_id" in claims:
            return self._vonage_application(token, claims["application_id"])
        return self._opentok_project(token, claims.get("iss"))

    def _opentok_project(self, token: str, issuer: Any) -> Project:
        if issuer != self.api_key:
            raise ApiError(403, -1, "Issuer not found")
        self._check(verified(token, self.secrets(), "HS256"), may_last=False)
        return Project(self.api_key, is_vonage=False)

    def _vonage_application(self, token: str, claim: Any) -> Project:
        application_id, key = self.application_id, self.public_key
        if application_id is None or key is None or claim != application_id:
            # inference: recorded for OpenTok projects; no such answer for an application was seen.
            raise ApiError(403, -1, "Issuer not found")
        self._check(verified(token, [key], "RS256"), may_last=True)
        return Project(application_id, is_vonage=True)

    def _check(self, claims: dict[str, Any], *, may_last: bool) -> None:
        """A token that `may_last` needs no `exp`: Vonage's Java SDK signs such ones."""
        now = time.time()
        issued, expires = claims.get("iat"), claims.get("exp")
        if expires is None and may_last:
            expires = now + 1
        if issued is None or expires is None or not (is_number(issued) and is_number(expires)):
            raise ApiError(403, 10001, "Invalid token format or signature")
        # Not all SDKs say it, and Ruby's says it in the token's header.
        if claims.get("ist", "project") != "project":
            raise ApiError(403, 10002, "Unauthorized token")
        if not issued <= now + self.ahead() + CLOCK_SKEW_SECONDS:
            # inference: the recorded message is cut off after "great".
            raise ApiError(403, -1, "issued time cannot be greater than current time")
        if not expires > now:
            raise ApiError(403, 10012, "Expired token")
        if self.strict_expiry and expires > now + MAX_TOKEN_SECONDS:
            # inference: five minutes is documented, but longer tokens are known to work.
            raise ApiError(403, 10001, "Invalid token format or signature")


def check_path_id(project: Project, path_id: str) -> None:
    """The id in the URL has to be the token's own. Raises ApiError."""
    if path_id != project.id:
        raise ApiError(403, -1, "Id in the token does not match the one in the url")


def claimed(token: str) -> dict[str, Any]:
    """The claims of a token whose signature has not been looked at. Raises ApiError."""
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise ApiError(403, 10001, "Invalid token format or signature") from None
    return claims


def verified(
    token: str, keys: Sequence[str] | Sequence[RSAPublicKey], algorithm: str
) -> dict[str, Any]:
    """The claims of a token with a true signature by one of the keys. Raises ApiError."""
    for key in keys:
        with suppress(jwt.PyJWTError, ValueError):
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=[algorithm], options=SIGNATURE_ONLY
            )
            return claims
    raise ApiError(403, -1, "Invalid signature")


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

"""Client tokens, which let a client into a session: JWTs of both kinds of credentials, and T1.

Claims: the official SDKs, and Vonage's guide to creating tokens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from typing import Any

import jwt

from emulator.auth import CLOCK_SKEW_SECONDS, Keys, is_number, verified
from emulator.messages import ApiError, BadInput, form_fields

ROLES = ("subscriber", "publisher", "publisheronly", "moderator")
USUAL_ROLE = "publisher"
T1 = "T1=="
T1_FORM = re.compile(
    r"partner_id=(?P<partner>[0-9]{1,18})&sig=(?P<code>[0-9a-fA-F]{40}):(?P<rest>.*)"
)
MAX_TOKEN = 8192
MAX_DATA = 1000
MAX_LAYOUT_CLASSES = 1000
MAX_SECONDS = 30 * 24 * 3600


class Expired(BadInput):
    """The token was a good one until it ended."""


@dataclass(frozen=True)
class ClientToken:
    """What a good token says. `data` is what the others in the session are told of its bearer."""

    project_id: str
    session_id: str
    role: str
    data: str = ""
    layout_classes: tuple[str, ...] = ()


def read_client_token(keys: Keys, text: str) -> ClientToken:
    """Raises BadInput for all but a good one of this project that has not expired."""
    if len(text) > MAX_TOKEN:
        raise BadInput("Invalid token format")
    project_id, claims = read_t1(keys, text) if text.startswith(T1) else read_jwt(keys, text)
    check_expiry(claims.get("exp"), ahead=keys.ahead())
    session_id, role = claims.get("session_id"), claims.get("role") or USUAL_ROLE
    data, classes = claims.get("connection_data") or "", claims.get("initial_layout_class_list")
    if not isinstance(session_id, str) or role not in ROLES or not isinstance(data, str):
        raise BadInput("Invalid token format")
    if len(data) > MAX_DATA:
        raise BadInput("The connection data of the token is too long")
    # One text by the documentation, a list in what Vonage's Python SDK signs.
    words = classes.split() if isinstance(classes, str) else classes or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadInput("Invalid token format")
    if len(" ".join(words)) > MAX_LAYOUT_CLASSES:
        raise BadInput("The layout classes of the token are too long")
    return ClientToken(project_id, session_id, role, data, tuple(words))


def check_expiry(expires: Any, *, ahead: float) -> None:
    """Raises BadInput. `ahead` is by how many seconds the signer's clock may be moved on."""
    now = time.time()
    if not is_number(expires) or not expires > now:
        raise Expired("The token has expired")
    # inference: that the service checks what its SDKs and its guide say is not documented.
    if not expires <= now + ahead + CLOCK_SKEW_SECONDS + MAX_SECONDS:
        raise BadInput("The token expires more than 30 days ahead")


def read_jwt(keys: Keys, text: str) -> tuple[str, dict[str, Any]]:
    """The project and the claims of a token that is signed with its key. Raises BadInput."""
    try:
        claims = jwt.decode(text, options={"verify_signature": False})
        project_id: str
        secrets: list[Any]
        if claims.get("application_id") and claims["application_id"] == keys.application_id:
            project_id, secrets, algorithm = claims["application_id"], [keys.public_key], "RS256"
        elif claims.get("iss") == keys.api_key:
            project_id, secrets, algorithm = keys.api_key, keys.secrets(), "HS256"
        else:
            raise BadInput("The token is of another project")
        claims = verified(text, secrets, algorithm)
    except ApiError:
        raise BadInput("Invalid token signature") from None
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise error if isinstance(error, BadInput) else BadInput("Invalid token format") from None
    if claims.get("scope") != "session.connect":
        raise BadInput("The token is not one to connect with")
    return project_id, claims


def read_t1(keys: Keys, text: str) -> tuple[str, dict[str, Any]]:
    """The same of an older token, whose fields are a signed form. Raises BadInput."""
    try:
        packed = text.removeprefix(T1)
        parts = T1_FORM.fullmatch(base64.b64decode(packed + "=" * (-len(packed) % 4)).decode())
        if parts is None:
            raise BadInput("Invalid token format")
        fields: dict[str, Any] = dict(form_fields(parts["rest"]))
        fields["exp"] = int(fields.get("expire_time") or int(fields["create_time"]) + 24 * 3600)
    except (KeyError, binascii.Error, ValueError) as error:
        raise error if isinstance(error, BadInput) else BadInput("Invalid token format") from None
    if parts["partner"] != keys.api_key:
        raise BadInput("The token is of another project")
    rest, code = parts["rest"].encode(), parts["code"].lower()
    codes = [hmac.digest(each.encode(), rest, hashlib.sha1).hex() for each in keys.secrets()]
    if not any(hmac.compare_digest(each, code) for each in codes):
        raise BadInput("Invalid token signature")
    return keys.api_key, fields

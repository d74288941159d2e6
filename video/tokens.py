"""Client tokens, which let a client into a session. They are signed here, without a call."""

import hmac
import json
import random
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

from video import accounts

_to_json = json.JSONEncoder(separators=(",", ":")).encode


def generate_token(
    session_id: str, *, role: str, lifetime: int, data: str = "", layout_classes: Sequence[str] = ()
) -> str:
    """A client token (JWT) for a session, signed here; no call is made.

    `role` is one of OpenTok's four, `lifetime` in seconds. The others in the session are told
    `data`; the classes are for the layouts of archives, and have no spaces. The claims are those of
    OpenTok's SDKs; the Python one writes `subject` for a Vonage application where Vonage's
    documentation and its other SDKs have `sub`, which is why tokens are not left to it.
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
    if data:
        claims["connection_data"] = data
    if layout_classes:
        claims["initial_layout_class_list"] = " ".join(layout_classes)
    if isinstance(account.key, str):
        # Only makes tokens differ: what cannot be guessed is the signature.
        nonce = random.randint(0, 999_999)  # noqa: S311
        claims |= {"iss": account.project_id, "ist": "project", "nonce": nonce}
        return _signed(claims, account.key)
    claims |= {
        "application_id": account.project_id,
        "jti": str(uuid.uuid4()),
        "sub": "video",
        "acl": {"paths": {"/session/**": {}}},
    }
    return jwt.encode(claims, account.key, algorithm="RS256")


def _signed(claims: dict[str, Any], secret: str) -> str:
    """A JWT by HS256. The library takes three times as long, since it looks each time whether the
    secret is not a certificate.
    """
    text = f"{_HS256}.{_base64url(_to_json(claims).encode())}"
    signature = hmac.digest(secret.encode(), text.encode(), "sha256")
    return f"{text}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


_HS256 = _base64url(_to_json({"alg": "HS256", "typ": "JWT"}).encode())


def expires_at(token: str) -> datetime:
    """When a token that was made here ends."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(claims["exp"], tz=UTC)

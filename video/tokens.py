"""Client tokens: what lets somebody into a session. They are signed here, which takes no call."""

import random
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

from video import accounts


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


def expires_at(token: str) -> datetime:
    """When a token that was made here ends."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(claims["exp"], tz=UTC)

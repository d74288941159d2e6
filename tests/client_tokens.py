"""Client tokens as the official SDKs make them, and as they do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from typing import Any
from urllib.parse import urlencode

import jwt

from tests.emulator_process import Emulator


def client_token(
    emulator: Emulator, session_id: str, role: str = "publisher", **changes: Any
) -> str:
    """`changes` replace claims, None takes one away; `secret` signs with another one."""
    secret = changes.pop("secret", emulator.secret)
    now = int(time.time())
    claims = {
        "session_id": session_id, "role": role, "iat": now, "exp": now + 60,
        "scope": "session.connect", "iss": emulator.api_key, "ist": "project", "nonce": 1, **changes,
    }  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, secret, algorithm="HS256")


def application_token(application_id: str, key: Any, session_id: str, **changes: Any) -> str:
    """One of a Vonage application, signed with its private key."""
    now = int(time.time())
    claims = {
        "session_id": session_id, "role": "moderator", "iat": now, "exp": now + 60,
        "scope": "session.connect", "application_id": application_id, "jti": str(uuid.uuid4()),
        "sub": "video", "acl": {"paths": {"/session/**": {}}}, **changes,
    }  # fmt: skip
    return jwt.encode(claims, key, algorithm="RS256")


def t1_token(emulator: Emulator, session_id: str, role: str = "publisher", **changes: Any) -> str:
    """The older form."""
    secret = changes.pop("secret", emulator.secret)
    now = int(time.time())
    fields = {"session_id": session_id, "create_time": now, "expire_time": now + 60, "role": role,
              "nonce": 1, "initial_layout_class_list": "", **changes}  # fmt: skip
    form = urlencode(fields)
    code = hmac.digest(secret.encode(), form.encode(), hashlib.sha1).hex()
    return (
        "T1=="
        + base64.b64encode(f"partner_id={emulator.api_key}&sig={code}:{form}".encode()).decode()
    )

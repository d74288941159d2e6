"""Client tokens, with which clients join a session. They are signed and verified here."""

import hmac
import json
import random
import time
import uuid
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import jwt
from jwt.types import Options

from video import accounts, ids
from video.accounts import Account

ROLES = {"subscriber", "publisher", "publisheronly", "moderator"}
# The role of a token that names none.
DEFAULT_ROLE = "publisher"
# The tokens of the older SDKs, which are not JWTs.
T1 = "T1=="
# `iat` is not verified, because another machine's clock may be ahead.
CHECKED: Options = {"require": ["exp"], "verify_iat": False, "verify_aud": False}

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
        # It only makes tokens differ, and need not be secret.
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
    """A JWT with HS256. PyJWT takes three times as long, because it checks each time whether the
    secret is a certificate.
    """
    text = f"{_HS256}.{_base64url(_to_json(claims).encode())}"
    signature = hmac.digest(secret.encode(), text.encode(), "sha256")
    return f"{text}.{_base64url(signature)}"


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


_HS256 = _base64url(_to_json({"alg": "HS256", "typ": "JWT"}).encode())


def expires_at(token: str) -> datetime:
    """When a token of this server expires."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return datetime.fromtimestamp(claims["exp"], tz=UTC)


@dataclass(frozen=True)
class ClientToken:
    """The claims of a valid client token: its session, the role and the connection data."""

    session_id: str
    role: str
    data: str = ""


def is_like_one(text: str) -> bool:
    """Whether a text has the shape of a client token, valid or not."""
    return text.startswith(T1) or text.count(".") == 2


def read_token(text: str) -> ClientToken | None:
    """The claims of a client token, or None unless it is valid: signed with the account's key or
    its old secret, of its project, for joining a session, and not expired.

    It reads all kinds that OpenTok's SDKs make: JWTs with the account's algorithm, and T1.
    """
    account = accounts.current()
    signers = [account]
    if account.old_secret:
        signers.append(replace(account, key=account.old_secret))
    for signer in signers:
        try:
            claims = _read_t1(text, signer) if text.startswith(T1) else _read_jwt(text, signer)
        except (jwt.PyJWTError, ValueError, RecursionError, OverflowError):
            continue
        if claims:
            return _client_token(claims, account)
    return None


def _read_jwt(text: str, account: Account) -> dict[str, Any] | None:
    if isinstance(account.key, str):
        owner, claims = "iss", jwt.decode(text, account.key, ["HS256"], CHECKED)
    else:
        key = account.key.public_key()
        owner, claims = "application_id", jwt.decode(text, key, ["RS256"], CHECKED)
    is_ours = str(claims.get(owner)).lower() == account.project_id
    # Tokens for OpenTok's REST API are signed with the same key, and have no scope.
    return claims if is_ours and claims.get("scope") == "session.connect" else None


def _read_t1(text: str, account: Account) -> dict[str, Any] | None:
    """`T1==` and base64 of `partner_id=…&sig=…:` and a query, whose HMAC-SHA1 is `sig`."""
    if not isinstance(account.key, str):
        return None
    head, _, signed = b64decode(text.removeprefix(T1), validate=True).partition(b":")
    named = dict(parse_qsl(head.decode(), max_num_fields=10))
    signature = hmac.digest(account.key.encode(), signed, "sha1").hex()
    # As bytes, since text is compared in constant time only if it is ASCII.
    is_right = hmac.compare_digest(named.get("sig", "").encode(), signature.encode())
    if not is_right or named.get("partner_id") != account.project_id:
        return None
    fields = parse_qsl(signed.decode(), max_num_fields=20)
    claims: dict[str, Any] = dict(fields)
    # If a field occurs twice, it is unknown which one OpenTok uses.
    is_plain = len(claims) == len(fields)
    return claims if is_plain and int(claims.get("expire_time", 0)) > time.time() else None


def _client_token(claims: Mapping[str, Any], account: Account) -> ClientToken | None:
    role, data = claims.get("role", DEFAULT_ROLE), claims.get("connection_data", "")
    match claims.get("session_id"):
        case str(session_id) if ids.SESSION_ID.fullmatch(session_id):
            is_ours = ids.project_of(session_id) in {None, account.project_id}
        case _:
            return None
    if not is_ours or not (isinstance(role, str) and role in ROLES and isinstance(data, str)):
        return None
    return ClientToken(session_id=session_id, role=role, data=data)

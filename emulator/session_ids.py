"""Session ids: made in the real service's form, and recognised again without a memory.

An id is `1_` or `2_` and, in URL-safe base64 without padding, `1~{project}~{location}~{created
ms}~{random}~{flags}~` (decoded ids of the real service). Real sessions never expire, and clients
keep ids in their databases; so the random field carries a code of authenticity over the rest, and
an id made before a restart is still good after it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass

from emulator.auth import Keys

FORM = re.compile(r"[12]_[A-Za-z0-9_-]{16,253}")
FIELDS = re.compile(
    r"1~(?P<project>[0-9A-Za-z-]+)~(?P<location>[^~]*)~(?P<created>\d+)~(?P<random>[^~]+)~(?P<flags>[^~]*)~~?"
)
NONCE_BYTES = 6
CODE_BYTES = 12
# Vonage applications have no secret that we know of; their ids only have to be hard to mistake.
APPLICATION_KEY = b"session ids of a Vonage application"
AUTOMATIC_BIT, ENCRYPTED_BIT = 1, 2


@dataclass(frozen=True)
class SessionId:
    """What an id says. `is_known` is false for one that this emulator did not make; `is_encrypted`
    is true for a session whose clients may encrypt their media from end to end.
    """

    text: str
    project_id: str
    is_relayed: bool
    is_automatic: bool
    is_encrypted: bool
    is_known: bool


class SessionIds:
    """Makes and reads the ids of the configured projects."""

    def __init__(self, keys: Keys) -> None:
        self._keys = {
            project.id: APPLICATION_KEY if project.is_vonage else keys.secret.encode()
            for project in keys.projects()
        }

    def make(
        self,
        project_id: str,
        *,
        location: str,
        created_ms: int,
        relayed: bool,
        automatic: bool,
        encrypted: bool = False,
    ) -> str:
        """A new id. Whether the session is archived automatically, and whether it may be encrypted,
        are two bits of its random field.
        """
        nonce = bytearray(os.urandom(NONCE_BYTES))
        nonce[0] &= ~(AUTOMATIC_BIT | ENCRYPTED_BIT)
        nonce[0] |= AUTOMATIC_BIT * automatic | ENCRYPTED_BIT * encrypted
        # inference: decoded ids of relayed sessions have a P here, those of routed ones nothing.
        flags = "P" if relayed else ""
        code = self._code(project_id, location, str(created_ms), bytes(nonce), flags)
        random = base64.b64encode(bytes(nonce) + code).decode()
        # inference: what the real prefixes, 1_ and 2_, stand for is not known.
        return "1_" + encode(f"1~{project_id}~{location}~{created_ms}~{random}~{flags}~~")

    def read(self, text: str) -> SessionId:
        """Take an id apart. Raises ValueError when it has not got the form of one."""
        fields = FIELDS.fullmatch(decode(text))
        if fields is None:
            raise ValueError("not a session id")
        random = from_base64(fields["random"])
        nonce, code = random[:NONCE_BYTES], random[NONCE_BYTES:]
        is_known = (
            text.startswith("1_")
            and len(random) == NONCE_BYTES + CODE_BYTES
            and fields["project"] in self._keys
            and hmac.compare_digest(
                code,
                self._code(
                    fields["project"], fields["location"], fields["created"], nonce, fields["flags"]
                ),
            )
        )
        return SessionId(
            text=text,
            project_id=fields["project"],
            is_relayed="P" in fields["flags"],
            is_automatic=is_known and bool(nonce[0] & AUTOMATIC_BIT),
            is_encrypted=is_known and bool(nonce[0] & ENCRYPTED_BIT),
            is_known=is_known,
        )

    def _code(
        self, project_id: str, location: str, created: str, nonce: bytes, flags: str
    ) -> bytes:
        message = f"{project_id}~{location}~{created}~{nonce.hex()}~{flags}"
        key = b"opentok emulator: " + self._keys[project_id]
        return hmac.digest(key, message.encode(), hashlib.sha256)[:CODE_BYTES]


def encode(fields: str) -> str:
    return base64.urlsafe_b64encode(fields.encode()).rstrip(b"=").decode()


def decode(text: str) -> str:
    """The fields of an id. Raises ValueError, also for another spelling of the same bytes."""
    if FORM.fullmatch(text) is None:
        raise ValueError("not a session id")
    packed = text[2:]
    fields = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode("ascii")
    if encode(fields) != packed:
        raise ValueError("not a session id")
    return fields


def from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""

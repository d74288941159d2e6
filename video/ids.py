"""The shapes of OpenTok's ids. Nothing that does not match gets anywhere near a URL."""

import base64
import binascii
import re

from video.errors import ArchiveNotFound, SessionInvalid, StreamNotFound

ARCHIVE_ID = STREAM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
SESSION_ID = re.compile(r"[0-9]_[0-9A-Za-z_-]{1,253}", re.ASCII)


def check_archive_id(value: str) -> None:
    """Raise ArchiveNotFound for what is no archive's id, a lower-case UUID."""
    if not ARCHIVE_ID.fullmatch(value):
        raise ArchiveNotFound()


def check_stream_id(value: str) -> None:
    """Raise StreamNotFound for what is no stream's id, a lower-case UUID."""
    if not STREAM_ID.fullmatch(value):
        raise StreamNotFound()


def check_session_id(value: str) -> None:
    """Raise SessionInvalid for what does not have the shape of a session's id."""
    if not SESSION_ID.fullmatch(value):
        raise SessionInvalid()


def project_of(session: str) -> str | None:
    """The API key or application id that a session belongs to, or None if the id does not tell.

    A session id is a digit, `_`, and base64url of `1~{project}~{location}~{created}~{random}~…`.
    Source: ids handed out by the real service.
    """
    encoded = session[2:].encode()
    try:
        decoded = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        return decoded.split(b"~")[1].decode()
    except (binascii.Error, IndexError, UnicodeDecodeError):
        return None

"""The shapes of OpenTok's ids. Nothing that does not match gets anywhere near a URL."""

import base64
import binascii
import re

from video.errors import VideoError

ARCHIVE_ID = STREAM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
SESSION_ID = re.compile(r"[0-9]_[0-9A-Za-z_-]{1,253}", re.ASCII)


def archive_id(value: str) -> str:
    """`value` in lower case, as OpenTok writes it. `archive_not_found` for what is no UUID."""
    # Swift writes UUIDs in upper case.
    if not ARCHIVE_ID.fullmatch(value.lower()):
        raise VideoError("archive_not_found")
    return value.lower()


def stream_id(value: str) -> str:
    """`value` in lower case, as OpenTok writes it. `stream_not_found` for what is no UUID."""
    if not STREAM_ID.fullmatch(value.lower()):
        raise VideoError("stream_not_found")
    return value.lower()


def check_session_id(value: str) -> None:
    """Raise `session_invalid` for what does not have the shape of a session's id."""
    if not SESSION_ID.fullmatch(value):
        raise VideoError("session_invalid")


def project_of(session: str) -> str | None:
    """The API key or application id, in lower case, that a session belongs to, or None if the id
    does not tell.

    A session id is a digit, `_`, and base64url of `1~{project}~{location}~{created}~{random}~…`.
    Source: ids handed out by the real service.
    """
    encoded = session[2:].encode()
    try:
        decoded = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        return decoded.split(b"~")[1].decode().lower()
    except (binascii.Error, IndexError, UnicodeDecodeError):
        return None

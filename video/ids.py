"""Patterns of OpenTok's ids. An id is checked before it becomes a part of a URL."""

import base64
import binascii
import re
from functools import partial
from typing import Any

from video.errors import VideoError

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
SESSION_ID = re.compile(r"[0-9]_[0-9A-Za-z_-]{1,253}", re.ASCII)


def is_uuid(value: Any) -> bool:
    return isinstance(value, str) and UUID.fullmatch(value.lower()) is not None


def _checked(code: str, value: str) -> str:
    """`value` in lower case, as OpenTok writes it. `…_not_found` if it is not a UUID."""
    # Swift writes UUIDs in upper case.
    if not is_uuid(value):
        raise VideoError(code)
    return value.lower()


archive_id = partial(_checked, "archive_not_found")
audio_connector_id = partial(_checked, "audio_connector_not_found")
broadcast_id = partial(_checked, "broadcast_not_found")
captions_id = partial(_checked, "captions_not_found")
connection_id = partial(_checked, "connection_not_found")
render_id = partial(_checked, "render_not_found")
stream_id = partial(_checked, "stream_not_found")


def check_session_id(value: str) -> None:
    """Error: session_invalid."""
    if not SESSION_ID.fullmatch(value):
        raise VideoError("session_invalid")


def project_of(session: str) -> str | None:
    """The API key or application id of a session's project, in lower case; None if the id does not
    contain it.

    A session id is a digit, `_`, and base64url of `1~{project}~{location}~{created}~{random}~…`.
    Source: ids handed out by the real service.
    """
    encoded = session[2:].encode()
    try:
        decoded = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        return decoded.split(b"~")[1].decode().lower()
    except (binascii.Error, IndexError, UnicodeDecodeError):
        return None

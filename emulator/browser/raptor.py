"""The JSON in the frames ("Raptor"): a method, a URI and a content for what is done to what.

Messages and objects: OpenTok.js 2.2 (MIT); channels and reasons as browsers send and take them.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from typing import Any

from emulator.browser.framing import MESSAGE, STATUS, Frame, pack
from emulator.messages import BadInput

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CAPTIONS = "caption1"
MAX_CHANNELS = 8
MAX_NAME = 1_000
MAX_SIGNAL_TYPE = 128
MAX_SIGNAL_DATA = 8 * 1024 + 2  # with its quotes

PERMISSIONS = {
    "subscriber": ["subscribe"],
    "publisher": ["publish", "subscribe"],
    "publisheronly": ["publish"],
    "moderator": ["publish", "subscribe", "forceunpublish", "forcedisconnect", "forcemute"],
}
SIGNAL_TYPE = re.compile(r"[A-Za-z0-9._~-]*")
NUMBER = (int, float)
# What is told of a channel: the SDK stops reading an update at a name that it does not know.
CHANNEL: dict[str, tuple[type, ...]] = {
    "active": (bool,),
    "width": NUMBER,
    "height": NUMBER,
    "orientation": NUMBER,
    "frameRate": NUMBER,
    "source": (str,),
    "fitMode": (str,),
    "disableWarning": (bool,),
}
STREAM: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "publisherAudioFallbackEnabled": (bool,),
    "subscriberAudioFallbackEnabled": (bool,),
    "e2ee": (bool,),
    "customProperties": (dict,),
}


class Refused(Exception):
    """Not done: a status, and a reason that becomes the message of the SDK's error."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def session_path(project_id: str, session_id: str) -> str:
    return f"/v2/partner/{project_id}/session/{session_id}"


def message(
    path: str,
    method: str,
    content: Any,
    *,
    sender: str,
    reason: str | None = None,
) -> tuple[str, bytes]:
    """Its transaction, and the bytes to send. The sender of the server's own signals is empty."""
    transaction = str(uuid.uuid4())
    body = {"method": method, "uri": path, "content": content}
    if reason is not None:
        body["reason"] = reason
    headers = {
        "Content-Type": "application/x-raptor+v2",
        "TRANSACTION-ID": transaction,
        "X-TB-FROM-ADDRESS": sender,
    }
    return transaction, pack(Frame(MESSAGE, (path,), headers, json.dumps(body).encode()))


def status(asked: Frame, code: int, data: Any = None) -> bytes:
    """The answer to a message."""
    headers = {"TRANSACTION-ID": asked.transaction, "STATUS": str(code)}
    content = b"" if data is None else json.dumps(data).encode()
    return pack(Frame(STATUS, (asked.headers.get("X-TB-FROM-ADDRESS", ""),), headers, content))


def read(frame: Frame) -> tuple[str, str, dict[str, Any]]:
    """Method, path and content of a message. Raises BadInput."""
    try:
        body = json.loads(frame.data, parse_constant=finite, parse_float=finite)
        method, path, content = body["method"], body["uri"], body.get("content") or {}
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise BadInput("not a message") from None
    if not (isinstance(method, str) and isinstance(path, str) and isinstance(content, dict)):
        raise BadInput("not a message")
    if not frame.transaction:
        raise BadInput("a message without a transaction")
    return method, path, content


def finite(text: str) -> float:
    """Raises ValueError for what is no JSON for browsers, which others would have to read."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def read_id(text: object) -> str:
    """An id that a client made up. Raises BadInput for all but a UUID in lower case."""
    if not isinstance(text, str) or not UUID.fullmatch(text):
        raise BadInput("an id is a UUID")
    return text


def read_stream(content: dict[str, Any]) -> dict[str, Any]:
    """What a publisher says of its stream, as it may be told to others. Raises BadInput."""
    stream = known_fields(content, STREAM)
    channels = content.get("channel")
    if not isinstance(channels, list) or len(channels) > MAX_CHANNELS:
        raise BadInput("a stream has a few channels")
    if len(stream.setdefault("name", "")) > MAX_NAME:
        raise BadInput("the name is too long")
    initials = stream.pop("customProperties", {}).get("initials")
    stream["customProperties"] = {"initials": initials[:8]} if isinstance(initials, str) else {}
    return {**stream, "channel": [read_channel(channel) for channel in channels]}


def read_channel(channel: object) -> dict[str, Any]:
    """Raises BadInput."""
    if not isinstance(channel, dict):
        raise BadInput("a channel is an object")
    names = {name: channel.get(name) for name in ("id", "type")}
    if not all(isinstance(name, str) and 0 < len(name) <= 32 for name in names.values()):
        raise BadInput("a channel has an id and a type")
    return {**names, "active": True, **known_fields(channel, CHANNEL)}


def known_fields(content: dict[str, Any], types: dict[str, tuple[type, ...]]) -> dict[str, Any]:
    """Those that are to be told, without nulls. Raises BadInput for one of another type."""
    found = {name: content[name] for name in types if content.get(name) is not None}
    for name, value in found.items():
        is_flag = isinstance(value, bool)
        if not isinstance(value, types[name]) or (is_flag and bool not in types[name]):
            raise BadInput(f"{name} is of another type")
        if isinstance(value, str) and len(value) > MAX_NAME:
            raise BadInput(f"{name} is too long")
    return found


def summary(stream: dict[str, Any]) -> dict[str, Any]:
    """What all the world is told of a stream."""
    channels = {channel["type"]: channel for channel in reversed(stream["channel"])}
    video, audio = channels.get("video", {}), channels.get("audio", {})
    return {
        "name": stream["name"],
        "video_type": video.get("source", "camera") if video else "",
        "has_video": video.get("active", False),
        "has_audio": audio.get("active", False),
    }


def wants_captions(content: dict[str, Any]) -> bool:
    """Whether a new subscriber is to get the captions of its stream."""
    channels = content.get("channel")
    return isinstance(channels, list) and any(
        isinstance(channel, dict)
        and channel.get("id") == CAPTIONS
        and channel.get("active") is True
        for channel in channels
    )


def read_signal(content: dict[str, Any]) -> tuple[str, Any]:
    """Type and data of a signal; the data is any JSON. Raises BadInput, or Refused."""
    kind, data = content.get("type") or "", content.get("data", "")
    if not isinstance(kind, str) or not SIGNAL_TYPE.fullmatch(kind):
        raise BadInput("a type is letters, digits, hyphens, dots, underscores and tildes")
    if len(kind) > MAX_SIGNAL_TYPE or len(json.dumps(data, ensure_ascii=False)) > MAX_SIGNAL_DATA:
        raise Refused(413, "The signal is too long")
    return kind, data

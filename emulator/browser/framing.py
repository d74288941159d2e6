"""Frames of the messages in a WebSocket ("Rumor"): addresses, headers and data, length first."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SUBSCRIBE: Final = 0
UNSUBSCRIBE: Final = 1
MESSAGE: Final = 2
CONNECT: Final = 3
DISCONNECT: Final = 4
PING: Final = 7
PONG: Final = 8
STATUS: Final = 9
KINDS = {SUBSCRIBE, UNSUBSCRIBE, MESSAGE, CONNECT, DISCONNECT, PING, PONG, STATUS}

HEAD = struct.Struct(">IHB")
LENGTH = struct.Struct(">H")
LENGTH_OF_ALL = 4


class BadFrame(ValueError):
    """The bytes are not a frame."""


@dataclass(frozen=True)
class Frame:
    kind: int
    addresses: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""

    @property
    def transaction(self) -> str:
        return self.headers.get("TRANSACTION-ID", "")


def pack(frame: Frame) -> bytes:
    """Integers are big-endian, all text is UTF-8."""
    parts = [bytes([len(frame.addresses)])]
    parts += [sized(address) for address in frame.addresses]
    parts.append(bytes([len(frame.headers)]))
    parts += [sized(name) + sized(value) for name, value in frame.headers.items()]
    body = b"".join(parts) + frame.data
    return HEAD.pack(len(body) + HEAD.size - LENGTH_OF_ALL, 0, frame.kind) + body


def sized(text: str) -> bytes:
    content = text.encode()
    return LENGTH.pack(len(content)) + content


def unpack(content: bytes) -> Frame:
    """Raises BadFrame."""
    try:
        length, _, kind = HEAD.unpack_from(content)
        addresses, position = texts(content, HEAD.size, each=1)
        headers, position = texts(content, position, each=2)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise BadFrame("cut short, or not UTF-8") from None
    if length != len(content) - LENGTH_OF_ALL:
        raise BadFrame("another length than it says")
    if kind not in KINDS:
        raise BadFrame("an unknown type")
    names_and_values = dict(zip(headers[::2], headers[1::2], strict=True))
    return Frame(kind, tuple(addresses), names_and_values, content[position:])


def texts(content: bytes, position: int, *, each: int) -> tuple[list[str], int]:
    """The texts of a list, of whose members each has that many; and where the list ends."""
    found = []
    count = content[position] * each
    position += 1
    for _ in range(count):
        (length,) = LENGTH.unpack_from(content, position)
        position += LENGTH.size
        text = content[position : position + length]
        if len(text) < length:
            raise BadFrame("cut short")
        found.append(text.decode())
        position += length
    return found, position

"""Downloads of recordings in pieces, since a file can have gigabytes."""

import re
import time
from typing import NamedTuple

from requests import Response

from video import calls
from video.archives import web_address
from video.errors import VideoError
from video.transport import MAX_ANSWER_BYTES

PIECE_BYTES = MAX_ANSWER_BYTES
PIECE_SECONDS = 60
RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})")


class Piece(NamedTuple):
    """`total` is the size of the whole file in bytes."""

    content: bytes
    total: int


def read_piece(url: str, *, first: int) -> Piece:
    """PIECE_BYTES from the byte `first` on, fewer at the end of the file, none beyond it.

    `url` is a link that OpenTok has signed. VideoError for any other answer.
    """
    wanted = f"bytes={first}-{first + PIECE_BYTES - 1}"
    until = time.monotonic() + PIECE_SECONDS
    response = calls.TRANSPORT.carry_out(
        "GET", web_address(url), {"Range": wanted}, None, until=until
    )
    content = response.content
    if response.status_code == 200 and first == 0:
        return Piece(content, len(content))
    begin, total = _told(response)
    if response.status_code == 416 and first >= total:
        return Piece(b"", total)
    is_right = begin == first and len(content) == min(PIECE_BYTES, total - first)
    if response.status_code != 206 or not is_right:
        raise VideoError("opentok_failed", f"{response.status_code} for a piece of a file")
    return Piece(content, total)


def _told(response: Response) -> tuple[int | None, int]:
    """The number of the first byte, if there is one, and the size of the whole file."""
    match = RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None:
        raise VideoError("opentok_failed", f"{response.status_code} for a piece of a file")
    return None if match[1] is None else int(match[1]), int(match[3])

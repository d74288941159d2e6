"""The transcript of a recording, which OpenTok makes of an individual one that asked for it.

Source: developer.vonage.com/en/video/guides/transcription. It is a JSON file; Vonage's sample app
takes it for a ZIP of one. Inference: its form, of which the guide shows nothing that we know of.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from video import answers, calls, concurrency
from video.answers import Remote
from video.archives import web_address
from video.errors import VideoError
from video.transport import MAX_ANSWER_BYTES

ZIP = b"PK\x03\x04"
MAX_LINES = 10_000
UNREADABLE = (
    *(ValueError, RecursionError, RuntimeError, EOFError, OSError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
TEXTS, SPEAKERS = ("text", "sentence"), ("speaker", "participant", "name", "streamId", "channel")
# Milliseconds; a recording is over long before.
LATEST = 10**9
STARTS = ("start_ms", "startMs", "timestamp", "start")


@dataclass(frozen=True)
class Line:
    """What one speaker said. `start` is in milliseconds since the recording began, if known."""

    start: int | None
    speaker: str
    text: str


def about(remote: Remote) -> Remote | None:
    """OpenTok's object about the transcript; None for a recording that has none."""
    told = remote.get("transcription")
    return told if isinstance(told, dict) else None


def link_to(remote: Remote) -> str | None:
    """Where the file is, signed for ten minutes; None unless OpenTok has it."""
    told = about(remote) or {}
    if told.get("status") != "available" or not told.get("url"):
        return None
    return web_address(told["url"])


def is_expected(remote: Remote) -> bool:
    """Whether OpenTok has it, or may still make it."""
    told = about(remote)
    return told is not None and told.get("status") not in ("failed", "uploaded")


def download(url: str) -> list[Line]:
    """The first MAX_LINES, in the order of their times. Errors: those of any call, for what is no
    transcript as well.
    """
    return read(fetch(url))


def fetch(url: str) -> bytes:
    """Its JSON, of which some is a transcript. Errors: those of `download`."""
    with concurrency.waiting():
        until = calls.deadline()
        response = calls.TRANSPORT.carry_out("GET", url, {}, None, until=until)
    if response.status_code != 200:
        raise VideoError("opentok_failed", f"{response.status_code} for a transcript")
    try:
        return _unpacked(response.content)
    except UNREADABLE as error:
        raise _unreadable(error) from None


def read(content: bytes) -> list[Line]:
    """The first MAX_LINES, in the order of their times. `opentok_failed` for what is none."""
    try:
        told = answers.parse(content)
    except UNREADABLE as error:
        raise _unreadable(error) from None
    lines = sorted(_lines(told), key=lambda line: line.start or 0)
    if not lines:
        raise VideoError("opentok_failed", "a transcript without a line")
    return lines[:MAX_LINES]


def _unreadable(error: Exception) -> VideoError:
    return VideoError("opentok_failed", f"a transcript: {type(error).__name__}")


def _unpacked(content: bytes) -> bytes:
    """The JSON, also where it is in a ZIP. Few bytes of one can be many, so no more are read."""
    if not content.startswith(ZIP):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next((each for each in archive.namelist() if each.endswith(".json")), "")
        if not name:
            raise ValueError("no JSON in it")
        with archive.open(name) as file:
            unpacked = file.read(MAX_ANSWER_BYTES + 1)
    if len(unpacked) > MAX_ANSWER_BYTES:
        raise ValueError("too large")
    return unpacked


def _lines(told: Any) -> Iterator[Line]:
    """Each object with a text, wherever it stands."""
    if isinstance(told, list):
        for each in told:
            yield from _lines(each)
    elif isinstance(told, dict):
        if text := _first(told, TEXTS, str):
            speaker = _first(told, SPEAKERS, (str, int))
            yield Line(_start(told), "" if speaker is None else str(speaker), text)
        else:
            for each in told.values():
                yield from _lines(each)


def _start(told: Remote) -> int | None:
    start: int | None = _first(told, STARTS, int)
    return start if start is not None and 0 <= start <= LATEST else None


def _first(told: Remote, names: tuple[str, ...], kind: Any) -> Any:
    return next((told[name] for name in names if isinstance(told.get(name), kind)), None)

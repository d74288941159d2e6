"""The one recording that every archive turns out to be, and how it is served.

The answers to bad links and ranges are in the form of S3, where OpenTok's links lead.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from emulator.archives import Archive
from emulator.messages import Request, Response

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class StoreError(Exception):
    """A download that is refused: `code` is S3's name for why."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self) -> Response:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        )
        return Response(
            self.status, body.encode(), {"Content-Type": "application/xml", **self.headers}
        )


@dataclass(frozen=True)
class Recording:
    """A file as it is downloaded."""

    content: bytes
    media_type: str

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def sha256sum(self) -> str:
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def composed_recording() -> Recording:
    return Recording(Path(__file__).with_name("recording.mp4").read_bytes(), "video/mp4")


def individual_recording(stream: Recording) -> Recording:
    """A zip of the streams and their list. Inference: a real one holds WebM and says more."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # A fixed date, so that the same file comes out each time.
        archive.writestr(zipfile.ZipInfo("stream.mp4"), stream.content)
        listing = {"files": [{"filename": "stream.mp4", "size": stream.size}]}
        archive.writestr(zipfile.ZipInfo("archive.json"), json.dumps(listing))
    return Recording(packed.getvalue(), "application/zip")


COMPOSED = composed_recording()
INDIVIDUAL = individual_recording(COMPOSED)


def recording_of(archive: Archive) -> Recording:
    return COMPOSED if archive.options.is_composed else INDIVIDUAL


def serve(recording: Recording, request: Request) -> Response:
    """The file, or the one range of it that was asked for. Raises StoreError if there is none."""
    headers = {
        "Content-Type": recording.media_type,
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(recording.content).hexdigest()[:32]}"',
    }
    match = RANGE.fullmatch(str(request.headers.get("Range", "")).strip())
    if match is None or match[0] == "bytes=-":
        return Response(200, recording.content, headers)
    first, last = bounds(match[1], match[2], recording.size)
    if first > last:
        raise StoreError(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
            {"Content-Range": f"bytes */{recording.size}"},
        )
    headers["Content-Range"] = f"bytes {first}-{last}/{recording.size}"
    return Response(206, recording.content[first : last + 1], headers)


def bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte of a range in the words of the header, first > last when it is empty."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1

"""The project's own storage, in which recordings last: `ARCHIVE_STORAGE_URL`.

OpenTok uploads to it if the project says so there, and archives/copying.py copies to it if not,
under the same names. What speaks to it is imported only where the variable is set: it is large.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from video import accounts

if TYPE_CHECKING:
    from archives.storage.azure import Azure
    from archives.storage.s3 import S3
    from archives.stored import Stored
    from archives.stored_transcript import StoredTranscript

# As long as OpenTok's own links.
LINK_SECONDS = 600


class Part(NamedTuple):
    """Of an upload. `etag` is what S3 knows it by."""

    number: int
    size: int
    etag: str = ""


def is_set() -> bool:
    return bool(settings.ARCHIVE_STORAGE.name)


def current(*, is_patient: bool = False) -> S3 | Azure:
    """Raises a Problem whenever the storage does not do as it is asked: storage_failed.

    Clients of ours wait for an answer, and give up on it sooner than a copy, which `is_patient`.
    """
    return _opened(settings.ARCHIVE_STORAGE, is_patient=is_patient)


@cache
def _opened(place: Any, *, is_patient: bool) -> S3 | Azure:
    if place.kind == "azure":
        from archives.storage.azure import Azure

        return Azure(place, is_patient=is_patient)
    from archives.storage.s3 import S3

    return S3(place, is_patient=is_patient)


def key_of(archive: Stored) -> str:
    """The name of its file. Source: “Archive storage” in OpenTok's guide to archiving.

    OpenTok itself puts nothing before it.
    """
    return _key(archive, "archive.mp4" if archive.is_video else "archive.zip")


def transcript_key_of(archive: StoredTranscript) -> str:
    """Ours: what OpenTok calls its own there is documented nowhere."""
    return _key(archive, "transcription.json")


def _key(archive: StoredTranscript, file: str) -> str:
    name = f"{accounts.current().project_id}/{archive.pk}/{file}"
    prefix = settings.ARCHIVE_STORAGE.prefix
    return f"{prefix}/{name}" if prefix else name

"""The project's own storage of recordings: ARCHIVE_STORAGE_URL.

Either OpenTok uploads to it, if that is configured there, or archives/copying.py copies to it,
under the same names. The clients are large, and only imported if the variable is set.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from video import accounts, ids

if TYPE_CHECKING:
    from archives.storage.azure import Azure
    from archives.storage.s3 import S3
    from archives.stored import Stored
    from archives.stored_transcript import StoredTranscript

# As long as OpenTok's own links.
LINK_SECONDS = 600


class Part(NamedTuple):
    """A part of an upload. `etag` is S3's."""

    number: int
    size: int
    etag: str = ""


def is_set() -> bool:
    return bool(settings.ARCHIVE_STORAGE.name)


def current(*, is_patient: bool = False) -> S3 | Azure:
    """The client of the storage, whose methods raise storage_failed.

    `is_patient` is for copies: they have longer time-outs than requests, whose clients wait.
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
    """The key of its file, as OpenTok forms it, but without our prefix. Its project is that of the
    session, since the server's may have changed.

    Source: “Archive storage” in OpenTok's guide to archiving.
    """
    return _key(archive, f"archive.{archive.extension}")


def transcript_key_of(archive: StoredTranscript) -> str:
    """The key of its transcript. Ours, since OpenTok does not document its own."""
    return _key(archive, "transcription.json")


def _key(archive: StoredTranscript, file: str) -> str:
    project = ids.project_of(archive.session_id) or accounts.current().project_id
    name = f"{project}/{archive.pk}/{file}"
    prefix = settings.ARCHIVE_STORAGE.prefix
    return f"{prefix}/{name}" if prefix else name

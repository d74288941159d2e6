"""Copies recordings to the project's own storage before OpenTok deletes them.

A file is uploaded in parts, which the storage keeps: if a process ends in between, another one
resumes. Only one part is in memory.
"""

import logging
from time import monotonic

from archives import storage
from archives.entries import note_act
from archives.models import Archive
from archives.states import Status
from archives.stored import ClaimLostError
from audit.actors import SERVER, acting_as
from video import archives as door
from video import downloads, transcripts
from video.downloads import PIECE_BYTES, Piece
from video.errors import VideoError
from web.errors import Problem

# OpenTok's links last ten minutes.
LINK_SECONDS = 480
# Of one round, for which a worker that is stopping waits.
ROUND_SECONDS = 10
# Read at a time; other processes may claim some of them meanwhile.
CANDIDATES = 20

logger = logging.getLogger(__name__)


def copy_due(seconds: float = ROUND_SECONDS) -> None:
    """Copy recordings to the storage, the oldest first, and check OpenTok's uploads. It ends after
    about so many seconds, and the next call resumes.

    Several processes may call it: each recording is claimed by one of them.
    """
    if not storage.is_set():
        return
    until = monotonic() + seconds
    for archive in Archive.objects.due()[:CANDIDATES]:
        if archive.claim():
            with acting_as(SERVER):
                _bring(archive, until=until)
        if monotonic() > until:
            break
    for archive in Archive.objects.transcripts_due()[:CANDIDATES]:
        if archive.claim_transcript():
            _bring_transcript(archive)
        if monotonic() > until:
            return


def _bring(archive: Archive, *, until: float) -> None:
    try:
        _carry_on(archive, until=until)
    except ClaimLostError:
        logger.info("The recording %s is not to be copied by this process any more.", archive.pk)
        _delete_late_copy(archive)


def _carry_on(archive: Archive, *, until: float) -> None:
    try:
        Copy(archive, until=until).carry_on()
    except Problem as error:
        logger.warning("The recording %s is not stored: %s %s", archive.pk, error, error.reason)
        words = f"{error.title}: {error.reason}" if error.reason else str(error.detail)
        archive.note_storage_failure(words)


def _bring_transcript(archive: Archive) -> None:
    """Copy the transcript, unless OpenTok has not made it yet."""
    try:
        remote = Archive.objects.fetch(str(archive.pk))
        if link := transcripts.link_to(remote):
            if not archive.store_transcript(transcripts.fetch(link)):
                _delete_late_copy(archive)
        elif remote["status"] != Status.AVAILABLE or not transcripts.is_expected(remote):
            archive.expect_no_transcript()
    except Problem as error:
        logger.warning("The transcript of %s is not stored: %s %s", archive.pk, error, error.reason)


def _delete_late_copy(archive: Archive) -> None:
    try:
        archive.delete_late_copy()
    except Problem as error:
        logger.warning("The copy of %s is not deleted: %s %s", archive.pk, error, error.reason)


class Copy:
    """One recording on its way to the storage."""

    def __init__(self, archive: Archive, *, until: float) -> None:
        self.archive = archive
        self.until = until
        self.store = storage.current(is_patient=True)
        self.key = storage.key_of(archive)
        self.upload = archive.storage_upload or ""
        self._link, self._link_ends = "", 0.0

    def carry_on(self) -> None:
        """Errors: ClaimLostError, and a Problem of OpenTok or the storage."""
        found = self.store.size(self.key)
        if self.archive.status == Status.UPLOADED:
            self.archive.check_size(found, wanted=self.archive.size)
        if found and found >= self.archive.size:
            self.archive.note_stored(found)
        elif size := self._copy_parts():
            self._finish(size)
        else:
            self.archive.release()

    def _copy_parts(self) -> int | None:
        """The size of the file once all parts are there; None if the time is over."""
        number = self._resumed()
        while True:
            piece = self._piece(number * PIECE_BYTES)
            if piece.content:
                number += 1
                self.store.put(self.key, self.upload, number, piece.content)
            copied = min(number * PIECE_BYTES, piece.total)
            self.archive.keep_claim(stored_bytes=copied)
            if copied == piece.total:
                return piece.total
            if monotonic() > self.until:
                return None

    def _resumed(self) -> int:
        """How many whole parts the storage has. Begins an upload if there is none."""
        parts = self.store.parts(self.key, self.upload) if self.upload else None
        if parts is None:
            self.upload = self.store.begin(self.key, media_type=self.archive.media_type)
            self.archive.keep_claim(storage_upload=self.upload, stored_bytes=0)
            return 0
        whole = [part.number for part in parts if part.size == PIECE_BYTES]
        return next((at for at, number in enumerate(whole) if number != at + 1), len(whole))

    def _piece(self, first: int) -> Piece:
        if monotonic() > self._link_ends:
            remote = Archive.objects.fetch(str(self.archive.pk))
            self._link = door.download_url(remote) or ""
            self._link_ends = monotonic() + LINK_SECONDS
            if not self._link:
                raise VideoError(
                    "opentok_failed", f"a recording without a file: {remote['status']}"
                )
        piece = downloads.read_piece(self._link, first=first)
        if not piece.total:
            raise VideoError("opentok_failed", "an empty file")
        return piece

    def _finish(self, size: int) -> None:
        self.store.finish(self.key, self.upload, media_type=self.archive.media_type)
        self.archive.check_size(self.store.size(self.key), wanted=size)
        self.archive.note_stored(size)
        note_act("recording.copied", self.archive, bytes=size)

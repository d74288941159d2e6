"""What we tell somebody who wants to watch a recording that cannot be watched (yet)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from archives.errors import ArchiveDeleted
from archives.models import Archive
from archives.states import Status


@dataclass(frozen=True)
class Page:
    """A pending page reloads itself every `refresh` seconds; the others never do."""

    heading: str
    text: str
    advice: str
    status_code: int = 200
    refresh: int | None = None
    elapsed: str = ""

    @property
    def template(self) -> str:
        return "archives/pending.html" if self.refresh else "archives/ended.html"


ENDED: dict[str, Page] = {
    Status.UPLOADED: Page(
        "This recording is in your own storage",
        "It was uploaded to the storage that is set up for this service, and is not kept here.",
        "Ask whoever runs that storage for the file.",
    ),
    Status.EXPIRED: Page(
        "This recording has expired",
        "Recordings are kept for 72 hours. This one was not downloaded in time and is gone.",
        "To keep recordings for longer, have them uploaded to storage of your own.",
        status_code=410,
    ),
    Status.FAILED: Page(
        "This recording failed",
        "Something went wrong while it was being made, and there is no file.",
        "Please record again. If it happens often, tell whoever runs this service.",
        status_code=410,
    ),
    Status.DELETED: Page(
        ArchiveDeleted.title,
        ArchiveDeleted.default_detail,
        "Whoever keeps the recordings may have a copy.",
        status_code=410,
    ),
}


def page_for(archive: Archive, *, now: datetime) -> Page:
    """The page for an archive that has no download link."""
    if ended := ENDED.get(archive.status):
        return ended
    if archive.status in {Status.STARTED, Status.PAUSED}:
        return _recording(archive, now=now)
    waited = max(now - (archive.updated_at or archive.created_at), timedelta())
    return Page(
        "The recording is being prepared",
        "It has stopped, and its file is being made. That takes from seconds to some minutes.",
        "Leave this page open: it looks again by itself, and then opens the recording.",
        refresh=_refresh_seconds(waited),
        elapsed=f"Stopped {_in_words(waited)} ago",
    )


def _recording(archive: Archive, *, now: datetime) -> Page:
    recorded = max(now - archive.created_at, timedelta())
    paused = archive.status == Status.PAUSED
    return Page(
        "The recording is paused" if paused else "Still recording",
        "It goes on when somebody turns on a camera or a microphone again."
        if paused
        else "It can be watched once it has been stopped.",
        "Leave this page open: it looks again by itself, and opens the recording when it is ready.",
        refresh=10,
        elapsed=f"Started {_in_words(recorded)} ago",
    )


def _refresh_seconds(waited: timedelta) -> int:
    """Seconds until the next look: the longer it takes, the less often."""
    if waited < timedelta(seconds=30):
        return 3
    return 5 if waited < timedelta(minutes=5) else 30


def _in_words(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

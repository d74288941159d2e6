"""Pages and problems about recordings that cannot be watched, or not yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from rest_framework.exceptions import APIException

from archives.models import Archive
from archives.states import Status
from web.errors import CODES, Code


@dataclass(frozen=True)
class Page:
    """A pending page looks again every `refresh` seconds (static/pending.js), and no other does."""

    heading: str
    text: str
    advice: str
    status_code: int = 200
    refresh: int | None = None
    elapsed: str = ""

    @property
    def status_of_problem(self) -> int:
        """409 instead of 200, since it is not a success for a program."""
        return 409 if self.status_code == 200 else self.status_code

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
        "Whoever runs this service can have recordings kept for longer, in storage of their own.",
        status_code=410,
    ),
    Status.FAILED: Page(
        "This recording failed",
        "Something went wrong while it was being made, and there is no file.",
        "Please record again. If it happens often, tell whoever runs this service.",
        status_code=410,
    ),
    Status.DELETED: Page(
        CODES["archive_deleted"].meaning,
        CODES["archive_deleted"].advice,
        "Whoever keeps the recordings may have a copy.",
        status_code=410,
    ),
}


class ArchiveNotViewable(APIException):
    """The error for JSON clients, where browsers get a page about the recording's state."""

    title = "Nothing to view"

    def __init__(self, page: Page, *, status: str) -> None:
        # `page_for` takes an unknown state for a stopped one.
        known = status if status in Status.values else Status.STOPPED
        super().__init__(f"{page.heading}. {page.text}", code=f"archive_{known}")
        self.status_code = page.status_of_problem


def not_viewable() -> Iterator[Code]:
    """The error codes of recordings that cannot be watched, by their status."""
    for status in set(Status) - {Status.AVAILABLE}:
        page = page_for(Archive(status=status), now=timezone.now())
        advice = "Ask again in some seconds." if page.refresh else page.text
        yield Code(page.status_of_problem, f"archive_{status}", page.heading, advice)


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
    """Seconds until the next reload, which grow with the wait."""
    if waited < timedelta(seconds=30):
        return 3
    return 5 if waited < timedelta(minutes=5) else 30


def _in_words(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

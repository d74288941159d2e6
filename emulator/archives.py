"""One archive and how it changes in time.

There are no timers. An archive is told what happens (people come and go, a stop call) and is asked
to catch up with the clock, when it goes through the steps that were due since, in their order. So
the same events at the same times always give the same archive. Times are ms of virtual time.

States and limits: Vonage Video OpenAPI and the archiving guide.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from emulator.archive_options import ArchiveOptions
from emulator.auth import Project
from emulator.sessions import Presence

SECOND = 1000
HOUR = 3600 * SECOND
FIRST_STREAM_WAIT = 60 * SECOND
EMPTY_SESSION_WAIT = 60 * SECOND
MAX_IDLE = 60 * 60 * SECOND
MAX_RECORDED = 4 * HOUR
MAX_TOTAL = 12 * HOUR
KEPT = 72 * HOUR

USER_INITIATED = "user initiated"
SESSION_ENDED = "session ended"
IDLE = "maximum idle time exceeded"
MAX_DURATION = "maximum duration exceeded"
FAILURE = "failure"

LIVE = {"started", "paused"}
HAS_FILE = {"available", "uploaded", "expired", "deleted"}
DELETABLE = {"available", "uploaded", "deleted"}


@dataclass(frozen=True)
class UploadTarget:
    """The project's own storage, "s3" or "azure", or None when OpenTok keeps the file.

    When the upload `fails`, OpenTok keeps the file if there is a `fallback`.
    """

    kind: str | None = None
    fails: bool = False
    fallback: bool = False


@dataclass(frozen=True)
class Step:
    """What happens to an archive at a time if nothing happens before."""

    at: int
    status: str
    reason: str


@dataclass
class Archive:
    """`running_since` is set while something is recorded, `silent_since` while nobody publishes,
    `empty_since` while nobody is connected; `is_full` when the maximum duration ended it.
    `streams` are those added by hand; `tell` is called with each state that it gets into."""

    project: Project
    session_id: str
    options: ArchiveOptions
    created_at: int
    processing_ms: int
    is_automatic: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "started"
    reason: str = ""
    updated_at: int = 0
    recorded_ms: int = 0
    running_since: int | None = None
    silent_since: int | None = None
    empty_since: int | None = None
    stopped_at: int = 0
    is_full: bool = False
    target: UploadTarget = UploadTarget()
    streams: dict[str, dict[str, bool]] = field(default_factory=dict)
    next_step: Step | None = None
    tell: Callable[[Archive], None] = field(default=lambda archive: None, repr=False)

    def __post_init__(self) -> None:
        self.updated_at = self.created_at
        self.silent_since = self.created_at
        self.plan()

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def has_file(self) -> bool:
        return self.status in HAS_FILE

    @property
    def file_key(self) -> str:
        """The file's name in any store (archiving guide)."""
        ending = "mp4" if self.options.is_composed else "zip"
        return f"{self.project.id}/{self.id}/archive.{ending}"

    def plan(self) -> None:
        """Note what comes next, after any change: thousands of archives are then quick to ask."""
        self.next_step = min(self._steps(), key=lambda step: step.at, default=None)

    def _steps(self) -> Iterator[Step]:
        if self.is_live:
            # inference: the reason of this one is not documented.
            yield Step(self.created_at + MAX_TOTAL, "stopped", MAX_DURATION)
            if self.running_since is not None:
                left = MAX_RECORDED - self.recorded_ms
                yield Step(self.running_since + left, "stopped", MAX_DURATION)
            if self.silent_since is not None:
                yield Step(self.silent_since + self._patience(), "stopped", IDLE)
            if self.empty_since is not None:
                yield Step(self.empty_since + EMPTY_SESSION_WAIT, "stopped", SESSION_ENDED)
        elif self.status == "stopped":
            yield self._outcome()
        elif self.status == "available":
            yield Step(self.created_at + KEPT, "expired", self.reason)

    def _patience(self) -> int:
        """How long it waits for a stream: a minute for the first, an hour for the next."""
        is_waiting = self.status == "started" and not self.is_automatic
        # inference: that the short wait ends for the reason "idle" is not documented.
        return FIRST_STREAM_WAIT if is_waiting else MAX_IDLE

    def _outcome(self) -> Step:
        at = self.stopped_at + self.processing_ms
        if self.target.kind is not None and not self.target.fails:
            return Step(at, "uploaded", self.reason)
        if self.target.kind is not None and not self.target.fallback:
            # inference: an upload that fails without a fallback is not documented.
            return Step(at, "failed", FAILURE)
        return Step(at, "available", self.reason)

    def is_due(self, now: int) -> bool:
        return self.next_step is not None and self.next_step.at <= now

    def catch_up(self, now: int, target: UploadTarget) -> None:
        """Go through everything that was due by now; `target` is where a file would go."""
        while (step := self.next_step) is not None and step.at <= now:
            if step.status == "stopped":
                self.stop(step.at, reason=step.reason, target=target)
            else:
                self._become(step.status, step.reason, step.at)

    def people_changed(self, presence: Presence, now: int) -> None:
        """Clients came or went, streams began or ended: pause or resume accordingly."""
        if not self.is_live:
            return
        if presence.connected:
            self.empty_since = None
        elif self.empty_since is None:
            self.empty_since = now
        if presence.publishing and self.running_since is None:
            self.running_since, self.silent_since = now, None
            if self.status == "paused":
                self._become("started", self.reason, now)
        elif not presence.publishing and self.running_since is not None:
            self._end_stretch(now)
            self.silent_since = now
            self._become("paused", self.reason, now)
        self.plan()

    def stop(self, at: int, *, reason: str, target: UploadTarget) -> None:
        self._end_stretch(at)
        self.stopped_at = at
        self.is_full = reason == MAX_DURATION
        self.target = target
        self._become("stopped", reason, at)

    def fail(self, at: int) -> None:
        self._end_stretch(at)
        self._become("failed", FAILURE, at)

    def delete(self, at: int) -> None:
        # inference: only the beta's documentation of 2013 names it among those that callbacks tell.
        self._become("deleted", self.reason, at)

    def _end_stretch(self, at: int) -> None:
        if self.running_since is not None:
            self.recorded_ms += at - self.running_since
            self.running_since = None

    def _become(self, status: str, reason: str, at: int) -> None:
        self.status, self.reason = status, reason
        self.updated_at = max(self.updated_at, at)
        self.plan()
        self.tell(self)

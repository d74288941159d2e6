"""All that the emulator knows: sessions, archives and the time.

Whoever looks at the world holds its lock, and first lets it catch up with the clock: `now` is then
the time of everything that is done.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator.archive_options import ArchiveOptions
from emulator.archives import USER_INITIATED, Archive, UploadTarget
from emulator.auth import Keys, Project
from emulator.clock import VirtualClock
from emulator.keeping import Keeper
from emulator.messages import Request
from emulator.session_ids import SessionId, SessionIds
from emulator.sessions import MAX_SESSIONS, Presence, Session

MAX_ARCHIVES = 10_000


class World:
    """Sessions that nobody was ever in take no room: their ids say all there is to know of them."""

    def __init__(
        self,
        keys: Keys,
        clock: VirtualClock,
        *,
        tell: Callable[[Archive], None],
        processing_ms: int,
        auto_connect: bool,
        keeper: Keeper | None = None,
    ) -> None:
        """`tell` is called with each archive that has got into another state."""
        self.tell = tell
        self.keeper = keeper or Keeper()
        self.lock = threading.Lock()
        self.clock = clock
        self.session_ids = SessionIds(keys)
        self.projects = {project.id: project for project in keys.projects()}
        self.processing_ms = processing_ms
        self._first_auto_connect = auto_connect
        self.reset()

    @contextmanager
    def turn(self, request: Request) -> Iterator[None]:
        """Around what a request does: alone, at this moment, and kept for the next run."""
        with self.lock:
            self.catch_up()
            yield
            if request.method != "GET":
                self.keeper.save(self.archives.values())

    def reset(self) -> None:
        self.clock.reset()
        self.now = self.clock.now_ms()
        self.auto_connect = self._first_auto_connect
        self.upload_target = UploadTarget()
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self.archives: OrderedDict[str, Archive] = OrderedDict()

    def restore(self) -> None:
        """Take in the archives of an earlier run, which nobody is connected to any more."""
        self.now = self.clock.now_ms()
        for archive in self.keeper.load():
            if archive.project.id in self.projects:
                archive.tell = self.tell
                self.archives[archive.id] = archive
        self.catch_up()
        self._people_changed(*{archive.session_id for archive in self.archives.values()})

    def catch_up(self) -> int:
        """Let everything happen that was due by now. Returns the time."""
        self.now = now = self.clock.now_ms()
        due = [archive for archive in self.archives.values() if archive.is_due(now)]
        for archive in due:
            was_live = archive.is_live
            archive.catch_up(now, self.upload_target)
            if was_live and archive.is_full and archive.is_automatic:
                due.append(self._start_automatic(archive.session_id, at=archive.stopped_at))
        return now

    def presence(self, session_id: str) -> Presence:
        """Who is there, counting the client that auto-connect puts into every session."""
        if self.auto_connect:
            return Presence(connected=True, publishing=True)
        return self.sessions.get(session_id, Session()).presence()

    # Sessions

    def create_session(
        self, project: Project, *, location: str, relayed: bool, automatic: ArchiveOptions | None
    ) -> str:
        session_id = self.session_ids.make(
            project.id,
            location=location,
            created_ms=self.now,
            relayed=relayed,
            automatic=automatic is not None,
        )
        if automatic is not None:
            self._remembered(session_id).automatic = automatic
            self._people_changed(session_id)
        return session_id

    def connect(self, session_id: str) -> str:
        """Raises BadInput when the session is full."""
        connection_id = self._remembered(session_id).connect(self.now)
        self._people_changed(session_id)
        return connection_id

    def disconnect(self, session_id: str, connection_id: str) -> None:
        """Raises KeyError when no such client is connected."""
        self.session(session_id).disconnect(connection_id)
        self._people_changed(session_id)

    def publish(self, session_id: str, connection_id: str) -> str:
        """Raises KeyError when no such client is connected, BadInput when there are too many."""
        stream_id = self.session(session_id).publish(connection_id, self.now)
        self._people_changed(session_id)
        return stream_id

    def unpublish(self, session_id: str, stream_id: str) -> None:
        """Raises KeyError when there is no such stream."""
        del self.session(session_id).streams[stream_id]
        self._people_changed(session_id)

    def session(self, session_id: str) -> Session:
        """What there is to know, to look at."""
        return self.sessions.get(session_id, Session())

    def set_auto_connect(self, *, enabled: bool) -> None:
        self.auto_connect = enabled
        recorded = {archive.session_id for archive in self.archives.values()}
        self._people_changed(*self.sessions, *recorded)

    def _remembered(self, session_id: str) -> Session:
        """The session, to change. The oldest one is forgotten when there are too many."""
        if session_id not in self.sessions and len(self.sessions) >= MAX_SESSIONS:
            forgotten, _ = self.sessions.popitem(last=False)
            self._people_changed(forgotten)
        return self.sessions.setdefault(session_id, Session())

    # Archives

    def start(self, project: Project, session: SessionId, options: ArchiveOptions) -> Archive:
        return self._add(project, session.text, options, at=self.now, automatic=False)

    def stop(self, archive: Archive) -> None:
        archive.stop(self.now, reason=USER_INITIATED, target=self.upload_target)

    def live_archives(self, session_id: str) -> list[Archive]:
        return [
            archive
            for archive in self.archives.values()
            if archive.session_id == session_id and archive.is_live
        ]

    def set_upload_target(self, target: UploadTarget) -> None:
        """For archives that stop from now on."""
        self.upload_target = target

    def _people_changed(self, *session_ids: str) -> None:
        """Tell the archives of these sessions, and begin those that begin by themselves."""
        changed, recorded = set(session_ids), set()
        for archive in self.archives.values():
            if archive.session_id in changed:
                archive.people_changed(self.presence(archive.session_id), self.now)
                if archive.is_live and archive.is_automatic:
                    recorded.add(archive.session_id)
        # inference: after an automatic archive ended, the next change in the session that finds
        # somebody there begins another one; only the change at the maximum is documented.
        for session_id in changed - recorded:
            connected = self.presence(session_id).connected
            if connected and self.session_ids.read(session_id).is_automatic:
                self._start_automatic(session_id, at=self.now)

    def _start_automatic(self, session_id: str, *, at: int) -> Archive:
        project = self.projects[self.session_ids.read(session_id).project_id]
        options = self.session(session_id).automatic or ArchiveOptions()
        return self._add(project, session_id, options, at=at, automatic=True)

    def _add(
        self,
        project: Project,
        session_id: str,
        options: ArchiveOptions,
        *,
        at: int,
        automatic: bool,
    ) -> Archive:
        archive = Archive(
            project, session_id, options, at, self.processing_ms, is_automatic=automatic,
            tell=self.tell,
        )  # fmt: skip
        archive.people_changed(self.presence(session_id), at)
        self.tell(archive)
        self.archives[archive.id] = archive
        if len(self.archives) > MAX_ARCHIVES:
            self.archives.popitem(last=False)
        return archive

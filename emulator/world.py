"""All that the emulator knows: sessions, archives, what else runs in a session, and the time.

A caller holds the world's lock, and first lets it catch up with the clock: `now` is then the time
of everything that is done. What is done in a session goes through here, wherever it comes from: the
REST API, the control API, a browser. Observers are told of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from emulator.archive_file import ArchiveFile
from emulator.archive_options import ArchiveOptions
from emulator.archives import USER_INITIATED, Archive, UploadTarget
from emulator.auth import Keys, Project
from emulator.clock import VirtualClock
from emulator.messages import Request
from emulator.runs import STOPPED_BY_CALL, Run
from emulator.session_ids import SessionId, SessionIds
from emulator.sessions import (
    MAX_SESSIONS,
    Connection,
    Presence,
    Session,
    Stream,
    client_of_auto_connect,
)

MAX_ARCHIVES = 10_000
MAX_RUNS = 10_000


class Observer:
    """What happens, told under the world's lock: an observer may not wait.

    `signalled` has the ids of the connections that sent it, None for a server, and that it is for,
    None for all. `muted` has the streams whose publishers are to mute themselves.
    """

    def connection_created(self, session_id: str, connection: Connection) -> None: ...

    def connection_destroyed(
        self, session_id: str, connection: Connection, reason: str
    ) -> None: ...

    def stream_created(self, session_id: str, stream: Stream) -> None: ...

    def stream_updated(self, session_id: str, stream: Stream) -> None: ...

    def stream_destroyed(self, session_id: str, stream: Stream, reason: str) -> None: ...

    def signalled(
        self,
        session_id: str,
        *,
        type: str,  # noqa: A002
        data: str,
        sender: str | None,
        to: str | None,
    ) -> None: ...

    def muted(
        self, session_id: str, streams: Collection[Stream], *, active: bool, is_session: bool
    ) -> None: ...

    def captioned(self, session_id: str, stream: Stream, text: str, *, is_final: bool) -> None: ...

    def archive_changed(self, archive: Archive) -> None: ...

    def run_changed(self, run: Run) -> None: ...

    def forgotten(self) -> None:
        """Everything is: the world begins anew."""


class World:
    """Sessions that never had a client take no memory: their ids say all there is to know."""

    def __init__(
        self,
        keys: Keys,
        clock: VirtualClock,
        *,
        processing_ms: int,
        auto_connect: bool,
        archive_file: ArchiveFile | None = None,
    ) -> None:
        self._observers: list[Observer] = []
        self.archive_file = archive_file or ArchiveFile()
        self.lock = threading.Lock()
        self.clock = clock
        self.session_ids = SessionIds(keys)
        self.projects = {project.id: project for project in keys.projects()}
        self.processing_ms = processing_ms
        self._first_auto_connect = auto_connect
        self.reset()

    def observe(self, observer: Observer) -> None:
        self._observers.append(observer)

    def notify(self, what: str, *about: Any, **more: Any) -> None:
        for observer in self._observers:
            getattr(observer, what)(*about, **more)

    def tell(self, archive: Archive) -> None:
        """The archive has got into another state."""
        self.notify("archive_changed", archive)

    @contextmanager
    def turn(self, request: Request | None = None) -> Iterator[None]:
        """Around what a request does: alone, at this moment, and kept for the next run."""
        with self.lock:
            self.catch_up()
            yield
            if request is None or request.method != "GET":
                self.archive_file.save(self.archives.values())

    def reset(self) -> None:
        self.clock.reset()
        self.now = self.clock.now_ms()
        self.auto_connect = self._first_auto_connect
        self.upload_target = UploadTarget()  # of archives that stop from now on
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self.archives: OrderedDict[str, Archive] = OrderedDict()
        self.runs: OrderedDict[str, Run] = OrderedDict()
        self.notify("forgotten")

    def restore(self) -> None:
        """Take in the archives of an earlier run, whose sessions have no clients any more."""
        self.now = self.clock.now_ms()
        for archive in self.archive_file.load():
            if archive.project.id in self.projects:
                archive.tell = self.tell
                self.archives[archive.id] = archive
        self.catch_up()
        self._people_changed(*{archive.session_id for archive in self.archives.values()})

    def catch_up(self) -> int:
        """Let everything happen that was due by now, in its order. Returns the time."""
        until = self.clock.now_ms()
        while run := self._next_run(until):
            # A run that comes or goes may change what is recorded.
            self._catch_up_archives(run.due_at)
            run.catch_up(self)
        self._catch_up_archives(until)
        return until

    def _next_run(self, until: int) -> Run | None:
        due = [run for run in self.runs.values() if run.is_due(until)]
        return min(due, key=lambda run: run.due_at, default=None)

    def _catch_up_archives(self, now: int) -> None:
        self.now = now
        due = [archive for archive in self.archives.values() if archive.is_due(now)]
        for archive in due:
            was_live = archive.is_live
            archive.catch_up(now, self.upload_target)
            if was_live and archive.is_full and archive.is_automatic:
                due.append(self._start_automatic(archive.session_id, at=archive.stopped_at))

    def presence(self, session_id: str) -> Presence:
        """Who is there, counting the client of auto-connect."""
        return self.people(session_id).presence()

    # Sessions

    def create_session(
        self,
        project: Project,
        *,
        location: str,
        relayed: bool,
        automatic: ArchiveOptions | None,
        encrypted: bool = False,
    ) -> str:
        session_id = self.session_ids.make(
            project.id,
            location=location,
            created_ms=self.now,
            relayed=relayed,
            automatic=automatic is not None,
            encrypted=encrypted,
        )
        if automatic is not None:
            self._remembered(session_id).automatic = automatic
            self._people_changed(session_id)
        return session_id

    def connect(self, session_id: str, **about: Any) -> Connection:
        """See Session.connect. Raises BadInput when the session is full."""
        connection = self._remembered(session_id).connect(self.now, **about)
        self._people_changed(session_id)
        self.notify("connection_created", session_id, connection)
        return connection

    def disconnect(
        self, session_id: str, connection_id: str, *, reason: str = "clientDisconnected"
    ) -> None:
        """Its streams end with it. Raises KeyError when no such client is connected."""
        session = self.session(session_id)
        connection = session.connections[connection_id]
        for stream in session.streams_of(connection_id):
            del session.streams[stream.id]
            self.notify("stream_destroyed", session_id, stream, reason)
        del session.connections[connection_id]
        self._people_changed(session_id)
        self.notify("connection_destroyed", session_id, connection, reason)
        for run in self.runs.values():
            if run.connection_id == connection_id:
                run.end(self, self.now, reason=STOPPED_BY_CALL)

    def publish(self, session_id: str, connection_id: str, **about: Any) -> Stream:
        """See Session.publish, also for the errors."""
        stream = self.session(session_id).publish(connection_id, self.now, **about)
        self._people_changed(session_id)
        self.notify("stream_created", session_id, stream)
        return stream

    def update_stream(self, session_id: str, stream_id: str, **changes: Any) -> None:
        """Change fields of a stream. Raises KeyError when there is no such stream."""
        stream = self.session(session_id).streams[stream_id]
        for name, value in changes.items():
            setattr(stream, name, value)
        self.notify("stream_updated", session_id, stream)

    def unpublish(
        self, session_id: str, stream_id: str, *, reason: str = "clientDisconnected"
    ) -> None:
        """Raises KeyError when there is no such stream."""
        stream = self.session(session_id).streams.pop(stream_id)
        self._people_changed(session_id)
        self.notify("stream_destroyed", session_id, stream, reason)

    def signal(
        self,
        session_id: str,
        *,
        type: str,  # noqa: A002
        data: str,
        sender: str | None = None,
        to: str | None = None,
    ) -> None:
        """Raises KeyError when the connection that it goes `to` is not there."""
        if to is not None:
            self.people(session_id).connections[to]
        self.notify("signalled", session_id, type=type, data=data, sender=sender, to=to)

    def mute_stream(self, session_id: str, stream_id: str) -> None:
        """Raises KeyError when there is no such stream."""
        stream = self.people(session_id).streams[stream_id]
        self._mute(session_id, [stream], is_session=False)

    def mute_all(self, session_id: str, *, active: bool, excluded: Collection[str] = ()) -> None:
        """With `active` all streams but the excluded, and those that come later; else no more."""
        session = self._remembered(session_id)
        session.is_muted = active
        streams = [each for each in session.streams.values() if each.id not in excluded]
        self._mute(session_id, streams if active else [], is_session=True, active=active)

    def _mute(
        self, session_id: str, streams: list[Stream], *, is_session: bool, active: bool = True
    ) -> None:
        self.notify("muted", session_id, streams, active=active, is_session=is_session)
        for stream in streams:
            stream.has_audio = False
            self.notify("stream_updated", session_id, stream)

    def caption(self, session_id: str, stream_id: str, text: str, *, is_final: bool) -> None:
        """What was said in a stream, for its captions. Raises KeyError for an unknown stream."""
        stream = self.session(session_id).streams[stream_id]
        self.notify("captioned", session_id, stream, text, is_final=is_final)

    def people(self, session_id: str) -> Session:
        """The session, with the client of auto-connect."""
        if self._is_played(session_id):
            return client_of_auto_connect(session_id, self.now)
        return self.session(session_id)

    def _is_played(self, session_id: str) -> bool:
        """Auto-connect is for sessions that no client ever comes into."""
        return self.auto_connect and not self.session(session_id).was_visited

    def session(self, session_id: str) -> Session:
        """What there is to know, to look at."""
        return self.sessions.get(session_id, Session())

    def set_auto_connect(self, *, enabled: bool) -> None:
        self.auto_connect = enabled
        recorded = {archive.session_id for archive in self.archives.values()}
        self._people_changed(*self.sessions, *recorded)

    def _remembered(self, session_id: str) -> Session:
        """The session, to change. Of too many the oldest without clients is forgotten."""
        if session_id not in self.sessions and len(self.sessions) >= MAX_SESSIONS:
            empty = (key for key, session in self.sessions.items() if not session.connections)
            forgotten = next(empty, next(iter(self.sessions)))
            del self.sessions[forgotten]
            self._people_changed(forgotten)
        return self.sessions.setdefault(session_id, Session())

    # What runs in a session

    def begin(self, run: Run) -> None:
        """A run has begun; one that is `starting` says so later."""
        self.runs[run.id] = run
        run.people_changed(self.presence(run.session_id), self.now)
        if len(self.runs) > MAX_RUNS:
            self.runs.popitem(last=False)
        if run.status != "starting":
            self.notify("run_changed", run)

    def running(self, session_id: str, kind: str) -> list[Any]:
        return [
            run
            for run in self.runs.values()
            if run.session_id == session_id and run.kind == kind and not run.is_over
        ]

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

    def _people_changed(self, *session_ids: str) -> None:
        """Tell the archives of these sessions, and begin those that begin by themselves."""
        changed, recorded = set(session_ids), set()
        for run in self.runs.values():
            if run.session_id in changed:
                run.people_changed(self.presence(run.session_id), self.now)
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

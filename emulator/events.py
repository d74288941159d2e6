"""What callbacks tell: archives and runs get into other states; clients and streams come and go.

Bodies: guides to archiving, session monitoring and SIP, recorded callbacks of renders. Inference:
the bodies of sessionCreated and sessionDestroyed, and of captions and broadcasts, beyond what their
answers have.
"""

from __future__ import annotations

from typing import Any

from emulator.answers import archive_object, broadcast_object, captions_object, named_owner
from emulator.archives import Archive
from emulator.auth import Project
from emulator.callbacks import Callbacks
from emulator.downloads import Links
from emulator.runs import MAX_DURATION, Broadcast, Captions, Render, Run, SipCall
from emulator.sessions import Connection, Stream
from emulator.world import Observer, World

NORMAL, TOO_LONG = ("700", "Normal"), ("705", "Max duration exceeded")


class Events(Observer):
    """`base_url` is that of the links in them."""

    def __init__(self, world: World, callbacks: Callbacks, links: Links, base_url: str) -> None:
        self._world = world
        self._callbacks = callbacks
        self._links = links
        self._base_url = base_url

    def archive_changed(self, archive: Archive) -> None:
        at = archive.updated_at
        body = archive_object(archive, **self._links.of_archive(archive, self._base_url, at))
        self._callbacks.tell(archive.project, "archive", body, at, event="archive status")

    def connection_created(self, session_id: str, connection: Connection) -> None:
        if len(self._world.session(session_id).connections) == 1:
            self._tell(session_id, "sessionCreated", "session created")
        self._tell(
            session_id, "connectionCreated", "connection created", connection=about(connection)
        )

    def connection_destroyed(self, session_id: str, connection: Connection, reason: str) -> None:
        self._tell(
            session_id,
            "connectionDestroyed",
            "connection destroyed",
            reason=reason,
            connection=about(connection),
        )
        if not self._world.session(session_id).connections:
            self._tell(session_id, "sessionDestroyed", "session destroyed")

    def stream_created(self, session_id: str, stream: Stream) -> None:
        told = self._stream(session_id, stream)
        self._tell(session_id, "streamCreated", "stream created", stream=told)

    def stream_destroyed(self, session_id: str, stream: Stream, reason: str) -> None:
        told = self._stream(session_id, stream)
        self._tell(session_id, "streamDestroyed", "stream destroyed", reason=reason, stream=told)

    def run_changed(self, run: Run) -> None:
        at = run.updated_at
        match run:
            case Broadcast():
                body = broadcast_object(run, base_url=self._base_url, now=at)
                self._callbacks.tell(run.project, "broadcast", body, at, event="broadcast status")
            case Captions():
                body = captions_object(run, at)
                self._callbacks.tell(run.project, "captions", body, at, url=run.status_url)
            case Render():
                self._callbacks.tell(run.project, "render", render_status(run), at)
            case SipCall():
                for event, more in call_events(run):
                    about_call = {
                        "id": run.id,
                        "connectionId": run.connection_id,
                        "createdAt": run.created_at,
                    }
                    body = {
                        "sessionId": run.session_id,
                        **named_owner(run.project),
                        "event": event,
                        "timestamp": at,
                        "call": about_call,
                        **more,
                    }
                    self._callbacks.tell(run.project, "call", body, at)

    def _tell(self, session_id: str, name: str, event: str, **more: Any) -> None:
        project = self._project(session_id)
        body = {
            "sessionId": session_id,
            **named_owner(project),
            "event": name,
            "timestamp": self._world.now,
            **more,
        }
        self._callbacks.tell(project, "session", body, self._world.now, event=event)

    def _project(self, session_id: str) -> Project:
        return self._world.projects[self._world.session_ids.read(session_id).project_id]

    def _stream(self, session_id: str, stream: Stream) -> dict[str, Any]:
        connection = self._world.session(session_id).connections[stream.connection_id]
        return {
            "id": stream.id,
            "connection": about(connection),
            "createdAt": stream.created_at,
            "name": stream.name,
            # Documented: absent for a stream of sound alone.
            **({"videoType": stream.video_type} if stream.video_type else {}),
        }


def about(connection: Connection) -> dict[str, Any]:
    return {"id": connection.id, "createdAt": connection.created_at, "data": connection.data}


def render_status(render: Render) -> dict[str, Any]:
    return {
        "id": render.id,
        "sessionId": render.session_id,
        "status": render.status,
        **({"streamId": render.stream_id} if render.stream_id else {}),
        **({"reason": render.reason} if render.reason else {}),
    }


def call_events(call: SipCall) -> list[tuple[str, dict[str, str]]]:
    """inference: that a call is answered at once, and rings before that."""
    if not call.is_over:
        states = [("callUpdated", {"state": state}) for state in ("RINGING", "ACTIVE")]
        return [("callCreated", {}), *states]
    code, message = TOO_LONG if call.reason == MAX_DURATION else NORMAL
    return [("callDestroyed", {"reason_code": code, "reason_message": message})]

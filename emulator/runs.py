"""What runs in a session besides archives: broadcasts, captions, renders, calls, audio connectors.

There are no timers: like an archive, each is told what happens in its session and is asked to catch
up with the clock. Times are ms of virtual time.

Limits and states: Vonage Video OpenAPI, the SIP and the Experience Composer guides.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from emulator.auth import Project
from emulator.sessions import Presence

if TYPE_CHECKING:
    from emulator.world import World

SECOND = 1000
EMPTY_SESSION_WAIT = 60 * SECOND
# inference: HLS addresses are said to be usable after 15 to 20 seconds.
HLS_WAIT = 15 * SECOND
# inference: how long it takes a page to load is not documented.
RENDER_WAIT = 2 * SECOND
MAX_CALL_SECONDS = 6 * 3600

MAX_DURATION = "Max duration exceeded"
STOPPED_BY_CALL = "Stop requested"
SESSION_ENDED = "Session ended"
NOT_LOADED = "Could not load URL"


@dataclass
class Run:
    """`connection_id` and `stream_id` are those that it has in the session, if it has any."""

    project: Project
    session_id: str
    created_at: int
    max_seconds: int
    status: str = "started"
    reason: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    updated_at: int = 0
    connection_id: str = ""
    stream_id: str = ""
    empty_since: int | None = None

    kind: ClassVar[str] = ""
    # Whether it ends when all clients are gone.
    needs_people: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.updated_at = self.created_at

    @property
    def is_over(self) -> bool:
        return self.status in {"stopped", "failed"}

    def people_changed(self, presence: Presence, now: int) -> None:
        if not presence.connected and self.empty_since is None:
            self.empty_since = now
        elif presence.connected:
            self.empty_since = None

    def _end(self) -> tuple[int, str]:
        """When it ends by itself if nothing happens before, and why."""
        end = self.created_at + self.max_seconds * SECOND, MAX_DURATION
        if self.needs_people and self.empty_since is not None:
            end = min(end, (self.empty_since + EMPTY_SESSION_WAIT, SESSION_ENDED))
        return end

    @property
    def due_at(self) -> int:
        """When the next thing happens to it by itself."""
        return self._end()[0]

    def is_due(self, now: int) -> bool:
        return not self.is_over and self.due_at <= now

    def catch_up(self, world: World) -> None:
        at, reason = self._end()
        self.end(world, at, reason=reason)

    def end(self, world: World, at: int, *, reason: str, status: str = "stopped") -> None:
        """Does nothing the second time."""
        if self.is_over:
            return
        self.become(world, status, at, reason=reason)
        if self.connection_id in world.session(self.session_id).connections:
            world.disconnect(self.session_id, self.connection_id)

    def become(self, world: World, status: str, at: int, *, reason: str = "") -> None:
        self.status, self.reason, self.updated_at = status, reason, at
        world.notify("run_changed", self)

    def join(self, world: World, *, name: str, publishes: bool = True, data: str = "") -> None:
        """Come into the session as a connection and, if it publishes, as a stream."""
        connection = world.connect(self.session_id, kind=self.kind, data=data)
        self.connection_id = connection.id
        if publishes:
            video_type = "custom" if self.kind == "render" else ""
            stream = world.publish(
                self.session_id,
                connection.id,
                name=name,
                video_type=video_type,
                has_video=bool(video_type),
            )
            self.stream_id = stream.id


@dataclass
class Broadcast(Run):
    """`rtmp` are its RTMP targets as they were asked for; `hls` its settings, None without HLS."""

    rtmp: list[dict[str, str]] = field(default_factory=list)
    hls: dict[str, bool] | None = None
    tag: str = ""
    resolution: str = ""
    max_bitrate: int | None = None
    is_manual: bool = False
    has_audio: bool = True
    has_video: bool = True
    streams: dict[str, dict[str, bool]] = field(default_factory=dict)

    kind = "broadcast"
    needs_people = True

    def hls_status(self, now: int) -> str:
        if self.is_over:
            return "ended"
        return "live" if now >= self.created_at + HLS_WAIT else "connecting"

    def rtmp_status(self, now: int) -> str:
        return "offline" if self.is_over else self.hls_status(now)


@dataclass
class Captions(Run):
    """`status_url` is told of its states in addition to the project's addresses."""

    language: str = "en-US"
    status_url: str | None = None

    kind = "captions"
    needs_people = True


@dataclass
class Render(Run):
    """A page that a browser at OpenTok opens, and publishes."""

    url: str = ""
    name: str | None = None
    resolution: str = ""
    data: str = ""
    status: str = "starting"

    kind = "render"

    @property
    def due_at(self) -> int:
        if self.status == "starting":
            return self.created_at + RENDER_WAIT
        return super().due_at

    def catch_up(self, world: World) -> None:
        if self.status != "starting":
            super().catch_up(world)
            return
        at = self.due_at
        # A name that can be no host's (RFC 2606) plays a page that cannot be loaded.
        if str(urlsplit(self.url).hostname).endswith(".invalid"):
            self.end(world, at, reason=NOT_LOADED, status="failed")
            return
        self.join(world, name=self.name or "", data=self.data)
        self.become(world, "started", at)


@dataclass
class SipCall(Run):
    digits: list[str] = field(default_factory=list)

    kind = "call"


@dataclass
class AudioConnector(Run):
    kind = "audio_connector"


def run_view(run: Run) -> dict[str, Any]:
    """The control API's picture of it."""
    return {
        "id": run.id,
        "kind": run.kind,
        "sessionId": run.session_id,
        "status": run.status,
        "reason": run.reason,
        "connectionId": run.connection_id or None,
        "streamId": run.stream_id or None,
        **({"digits": run.digits} if isinstance(run, SipCall) else {}),
    }

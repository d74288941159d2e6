"""Who is in which session: connected clients and the streams that they publish."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from emulator.archive_options import ArchiveOptions
from emulator.messages import BadInput

MAX_SESSIONS = 10_000
MAX_CONNECTIONS = 1_000


@dataclass(frozen=True)
class Presence:
    """What an archive depends on: whether clients are connected, and whether one publishes."""

    connected: bool
    publishing: bool


@dataclass(frozen=True)
class Connection:
    """One client. `data` is what its token says of it, `role` what the token allows.

    `kind` is how it came: "client", or as one of runs.py, "render", "call" or "audio_connector".
    """

    id: str
    created_at: int
    data: str = ""
    role: str = "publisher"
    kind: str = "client"


@dataclass
class Stream:
    """`video_type` is "camera", "screen" or "custom", and empty for a stream of sound alone."""

    id: str
    connection_id: str
    created_at: int
    name: str = ""
    video_type: str = "camera"
    has_audio: bool = True
    has_video: bool = True
    layout_classes: list[str] = field(default_factory=list)


@dataclass
class Session:
    """What has to be remembered of a session; most have nothing. Times are ms of virtual time.

    `is_muted` holds for those who begin to publish, until a moderator ends it.
    """

    connections: dict[str, Connection] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    is_muted: bool = False
    was_visited: bool = False
    automatic: ArchiveOptions | None = None

    def presence(self) -> Presence:
        return Presence(connected=bool(self.connections), publishing=bool(self.streams))

    def connect(self, now: int, *, connection_id: str | None = None, **about: str) -> Connection:
        """`about` are the other fields of a Connection. Raises BadInput when it is full."""
        if len(self.connections) >= MAX_CONNECTIONS:
            raise BadInput(f"A session holds at most {MAX_CONNECTIONS} connections here.")
        connection = Connection(connection_id or str(uuid.uuid4()), now, **about)
        self.connections[connection.id] = connection
        self.was_visited = True
        return connection

    def publish(
        self, connection_id: str, now: int, *, stream_id: str | None = None, **about: Any
    ) -> Stream:
        """Raises KeyError when no such client is connected, BadInput when there are too many."""
        if connection_id not in self.connections:
            raise KeyError(connection_id)
        if len(self.streams) >= MAX_CONNECTIONS:
            raise BadInput(f"A session holds at most {MAX_CONNECTIONS} streams here.")
        stream = Stream(stream_id or str(uuid.uuid4()), connection_id, now, **about)
        self.streams[stream.id] = stream
        return stream

    def streams_of(self, connection_id: str) -> list[Stream]:
        return [each for each in self.streams.values() if each.connection_id == connection_id]

    def view(self) -> dict[str, Any]:
        """The control API's picture of it."""
        return {
            "connections": [
                {
                    "connectionId": connection.id,
                    "createdAt": connection.created_at,
                    "data": connection.data,
                    "role": connection.role,
                    "kind": connection.kind,
                }
                for connection in self.connections.values()
            ],
            "streams": [
                {
                    "streamId": stream.id,
                    "connectionId": stream.connection_id,
                    "createdAt": stream.created_at,
                    "name": stream.name,
                    "videoType": stream.video_type,
                    "hasAudio": stream.has_audio,
                    "hasVideo": stream.has_video,
                    "layoutClassList": stream.layout_classes,
                }
                for stream in self.streams.values()
            ],
        }


def client_of_auto_connect(session_id: str, now: int) -> Session:
    """The session as auto-connect has it: one client who publishes, the same at each look."""
    connection_id, stream_id = (
        str(uuid.uuid5(uuid.NAMESPACE_URL, f"{what} {session_id}"))
        for what in ("connection", "stream")
    )
    connection = Connection(connection_id, now, data="auto-connect")
    stream = Stream(stream_id, connection_id, now, name="auto-connect")
    return Session({connection_id: connection}, {stream_id: stream})

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
    """All that matters to an archive: is anybody there, and is anybody publishing."""

    connected: bool
    publishing: bool


@dataclass(frozen=True)
class Stream:
    connection_id: str
    created_at: int


@dataclass
class Session:
    """What has to be remembered of a session; most have nothing. Times are ms of virtual time."""

    connections: dict[str, int] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    automatic: ArchiveOptions | None = None

    def presence(self) -> Presence:
        return Presence(connected=bool(self.connections), publishing=bool(self.streams))

    def connect(self, now: int) -> str:
        """Raises BadInput when it is full."""
        if len(self.connections) >= MAX_CONNECTIONS:
            raise BadInput(f"A session holds at most {MAX_CONNECTIONS} connections here.")
        connection_id = str(uuid.uuid4())
        self.connections[connection_id] = now
        return connection_id

    def disconnect(self, connection_id: str) -> None:
        """Raises KeyError when no such client is connected."""
        del self.connections[connection_id]
        for stream_id, stream in list(self.streams.items()):
            if stream.connection_id == connection_id:
                del self.streams[stream_id]

    def publish(self, connection_id: str, now: int) -> str:
        """Raises KeyError when no such client is connected, BadInput when there are too many."""
        if connection_id not in self.connections:
            raise KeyError(connection_id)
        if len(self.streams) >= MAX_CONNECTIONS:
            raise BadInput(f"A session holds at most {MAX_CONNECTIONS} streams here.")
        stream_id = str(uuid.uuid4())
        self.streams[stream_id] = Stream(connection_id, now)
        return stream_id

    def view(self) -> dict[str, Any]:
        """The control API's picture of it."""
        return {
            "connections": [
                {"connectionId": connection_id, "createdAt": created_at}
                for connection_id, created_at in self.connections.items()
            ],
            "streams": [
                {
                    "streamId": stream_id,
                    "connectionId": stream.connection_id,
                    "createdAt": stream.created_at,
                }
                for stream_id, stream in self.streams.items()
            ],
        }

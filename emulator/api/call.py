"""One request of the OpenTok side, with what its handler needs to answer it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from emulator.auth import Keys, Project
from emulator.callbacks import Callbacks
from emulator.client_tokens import ClientToken, Expired, read_client_token
from emulator.downloads import Links
from emulator.messages import ApiError, BadInput, Request, Response, invalid, not_found
from emulator.runs import Run
from emulator.session_ids import SessionId
from emulator.sessions import Session
from emulator.world import World

NO_CLIENTS = "Not found. No clients are actively connected to the OpenTok session."

SomeRun = TypeVar("SomeRun", bound=Run)


@dataclass(frozen=True)
class Call:
    """`ids` are those in the path. Handlers run one at a time, under the world's lock."""

    request: Request
    project: Project
    ids: dict[str, str]
    keys: Keys
    world: World
    links: Links
    callbacks: Callbacks

    def session(self, text: str) -> SessionId:
        """Raises ApiError unless it is a session of this project."""
        try:
            session = self.world.session_ids.read(text)
        except ValueError:
            raise invalid("Invalid session ID") from None
        if session.project_id != self.project.id:
            # inference: what is said of another project's session is not documented.
            raise invalid("Invalid session ID")
        if not session.is_known:
            raise not_found("Not found. The session does not exist.")
        return session

    def session_of_path(self) -> SessionId:
        return self.session(self.ids["session"])

    def people(self) -> Session:
        """The clients and streams of the session in the path. Raises ApiError if it has none."""
        session = self.world.people(self.session_of_path().text)
        if not session.connections:
            raise not_found(NO_CLIENTS)
        return session

    def client_token(self, text: str, session_id: str) -> ClientToken:
        """Raises ApiError unless it is a good one of this session."""
        try:
            token = read_client_token(self.keys, text)
        # Documented for renders. Inference: that the others refuse it likewise.
        except Expired:
            raise ApiError(403, 10012, "Expired token") from None
        except BadInput:
            raise ApiError(403, 10001, "Invalid token format or signature") from None
        if token.session_id != session_id:
            raise ApiError(403, 10007, "The token does not match the session ID")
        return token

    def run(self, kind: type[SomeRun]) -> SomeRun:
        """The run of the path. Raises ApiError unless this project has it."""
        run = self.world.runs.get(self.ids["run"].lower())
        if not isinstance(run, kind) or run.project != self.project:
            raise not_found(f"Not found. There is no such {kind.kind}.")
        return run

    def running(self, kind: type[SomeRun]) -> SomeRun:
        """The same, 404 as well once it is over."""
        run = self.run(kind)
        if run.is_over:
            raise not_found(f"Not found. The {kind.kind} has stopped already.")
        return run

    def runs(self, kind: type[SomeRun], session_id: str | None) -> list[SomeRun]:
        """Those of this project, the newest first."""
        found: Iterable[Any] = reversed(self.world.runs.values())
        return [
            run
            for run in found
            if isinstance(run, kind)
            and run.project == self.project
            and session_id in (None, run.session_id)
        ]


Handler = Callable[[Call], Response]


def page(items: list[Any], offset: int, count: int, view: Callable[[Any], Any]) -> dict[str, Any]:
    """A list as all resources have it."""
    return {"count": len(items), "items": [view(item) for item in items[offset : offset + count]]}

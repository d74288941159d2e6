"""A page that is in a session."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.browser.hub import Hub
from emulator.browser.token_bucket import TokenBucket
from emulator.client_tokens import ClientToken
from emulator.sessions import Session
from emulator.world import World

SIGNAL_BURST = 200
SIGNALS_A_SECOND = 100


@dataclass(frozen=True)
class Member:
    """`id` is its connection's."""

    world: World
    hub: Hub
    id: str
    token: ClientToken
    signals: TokenBucket = field(
        default_factory=lambda: TokenBucket(SIGNAL_BURST, SIGNALS_A_SECOND)
    )

    @property
    def role(self) -> str:
        return self.token.role

    @property
    def is_there(self) -> bool:
        """Whether it still is: it may have been sent away."""
        return self.id in self.session.connections

    @property
    def session_id(self) -> str:
        return self.hub.session_id

    @property
    def session(self) -> Session:
        return self.world.session(self.session_id)

"""Guesses of access codes and passwords, which cost more the longer they go on.

At first each address has a limit, and all addresses together have one. Once there were as many
wrong guesses at one room or user name as `wrong` admits, it counts as under attack. From then on

- addresses that have guessed wrong there (`typos`) share one slow limit: `slow`;
- the others have the limit for all addresses to themselves. So an attacker who has no new addresses
  keeps nobody else out.

A right guess takes back what its address has guessed wrong before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from access.limits import (
    RateLimited,
    consume,
    consume_if_left,
    give_back,
    left,
    refuse_if_used_up,
    used,
)

Answer = TypeVar("Answer")
# The name of a limit, and what it counts for, such as ("code", "<room>", "<address>").
Limit = tuple[str, ...]


@dataclass(frozen=True)
class Guesses:
    """The guesses of one client at one secret.

    `own` is the limit of the client, `everybody` that of all clients at this secret, `client` an
    address or an API key, as access.limits.client_ident names it.
    """

    own: Limit
    everybody: Limit
    client: str

    def check(self, is_right: Callable[[], Answer]) -> Answer:
        """What `is_right` answers. If it is false or raises, the guess counts as wrong.

        RateLimited before it is called if too many were wrong already. A guess is counted before,
        and given back if it is right, so that no more than that are looked at when many come at the
        same time. Where one limit is used up, none is consumed: what is left of the others would
        tell who was right.
        """
        attacked = self._is_attacked()
        counted = self._count(attacked=attacked)
        right = False
        try:
            answer = is_right()
            right = bool(answer)
        finally:
            if right:
                give_back(*counted)
                self._forgive()
            elif not attacked:
                consume_if_left(*self._wrong)
                consume_if_left(*self._typos)
        return answer

    def refuse_right(self) -> None:
        """For a guess that is known to be right: RateLimited if `check` would raise it."""
        attacked = self._is_attacked()
        innocent = attacked and left(*self._typos) > 0
        refuse_if_used_up(*self._limits(attacked=attacked, innocent=innocent))
        self._forgive()

    def _count(self, *, attacked: bool) -> list[Limit]:
        """What the guess was counted for."""
        # At once, or each of many guesses at the same time would be the address's first.
        innocent = attacked and consume_if_left(*self._typos)
        counted = [self._typos] if innocent else []
        limits = self._limits(attacked=attacked, innocent=innocent)
        try:
            refuse_if_used_up(*limits)
            for limit in limits:
                consume(*limit)
        except RateLimited:
            give_back(*counted)
            raise
        return [*counted, *limits]

    @property
    def _wrong(self) -> Limit:
        return "wrong", *self.everybody

    @property
    def _typos(self) -> Limit:
        return "typos", *self.everybody, self.client

    def _is_attacked(self) -> bool:
        return left(*self._wrong) < 1

    def _limits(self, *, attacked: bool, innocent: bool) -> tuple[Limit, Limit]:
        if not attacked:
            return self.own, self.everybody
        # A window of their own: what was used up before the attack was noticed is no matter.
        shared = (*self.everybody, "innocent") if innocent else ("slow", *self.everybody)
        return self.own, shared

    def _forgive(self) -> None:
        if forgiven := used(*self._typos):
            give_back(self._wrong, self._typos, times=forgiven)

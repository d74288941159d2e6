"""Guesses of access codes and passwords, which cost more the longer they go on.

At first each address has a limit, and all addresses together have one. Once there were as many
wrong guesses at one room or user name as `wrong` admits, it counts as under attack. From then on

- addresses that have guessed wrong there (`typos`) share one slow limit: `slow`;
- the others have the limit for all addresses to themselves. So an attacker who has no new addresses
  keeps no other client out.

A right guess takes back what its address has guessed wrong before. Without the database, which
counts, no guess is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction

from access.guess_windows import Counted, GuessWindow, Limit

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Guesses:
    """The guesses of one client at one secret.

    `own` is the limit of the client, `all_clients` that of all clients at this secret, `client` an
    address or an API key, as access.limits.client_ident names it, `slow_limit` the name of the
    limit that guilty addresses share under attack.
    """

    own: Limit
    all_clients: Limit
    client: str
    slow_limit: str = "slow"

    def check(self, is_right: Callable[[], Answer]) -> Answer:
        """What `is_right` answers. If it is false or raises, the guess counts as wrong.

        RateLimited before it is called if too many were wrong already. A guess is counted before,
        and given back if it is right, so that no more than that are looked at when many come at the
        same time. Where one limit is used up, none is consumed: what is left of the others would
        tell who was right.
        """
        attacked = self._refuse_if_used_up(self._look())
        counted = self._count(attacked=attacked)
        right = False
        try:
            answer = is_right()
            right = bool(answer)
        finally:
            if right:
                GuessWindow.objects.give_back(*counted)
                self._forgive(self._look())
            elif not attacked:
                GuessWindow.objects.consume_if_left(self._wrong)
                GuessWindow.objects.consume_if_left(self._typos)
        return answer

    def refuse_right(self) -> None:
        """For a guess that is known to be right: RateLimited if `check` would raise it."""
        found = self._look()
        self._refuse_if_used_up(found)
        self._forgive(found)

    def _look(self) -> Counted:
        return GuessWindow.objects.look(
            self._wrong, self._typos, self.own, self.all_clients, self._newcomers, self._slow
        )

    def _refuse_if_used_up(self, found: Counted) -> bool:
        """Whether the secret is under attack; RateLimited if another guess would be refused."""
        attacked = found.left(self._wrong) < 1
        innocent = attacked and found.left(self._typos) > 0
        found.refuse_if_used_up(*self._limits(attacked=attacked, innocent=innocent))
        return attacked

    def _count(self, *, attacked: bool) -> list[Limit]:
        """What the guess was counted for."""
        GuessWindow.objects.forget_ended()
        with transaction.atomic():
            # At once, or each of many guesses at the same time would be the address's first.
            innocent = attacked and GuessWindow.objects.consume_if_left(self._typos)
            limits = self._limits(attacked=attacked, innocent=innocent)
            GuessWindow.objects.consume(*limits)
        return [self._typos, *limits] if innocent else [*limits]

    @property
    def _wrong(self) -> Limit:
        return "wrong", *self.all_clients

    @property
    def _typos(self) -> Limit:
        return "typos", *self.all_clients, self.client

    @property
    def _newcomers(self) -> Limit:
        # A window of their own: what was used up before the attack was noticed is no matter.
        return *self.all_clients, "innocent"

    @property
    def _slow(self) -> Limit:
        return self.slow_limit, *self.all_clients

    def _limits(self, *, attacked: bool, innocent: bool) -> tuple[Limit, Limit]:
        if not attacked:
            return self.own, self.all_clients
        return self.own, self._newcomers if innocent else self._slow

    def _forgive(self, found: Counted) -> None:
        if forgiven := found.used(self._typos):
            GuessWindow.objects.give_back(self._wrong, self._typos, times=forgiven)

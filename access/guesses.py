"""Limits on guesses of access codes and passwords, which slow down the longer an attack lasts.

At first there is a limit for each address, and one for all addresses together. Once a room or a
user name has had as many wrong guesses as `wrong` admits, it is under attack. From then on

- addresses with wrong guesses there (`typos`) share one slow limit, `slow`;
- the other addresses share the limit for all. So an attacker without new addresses locks nobody
  out.

A right guess cancels the earlier wrong ones of its address. Counts are in the database: without
it, no guess is checked.
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
        """The result of `is_right`. If it is false or raises, the guess counts as wrong.

        RateLimited, before the call, after too many wrong guesses. Each guess is counted before the
        call, and given back if it is right, so that concurrent guesses do not exceed the limit. If
        one limit is used up, none is consumed: the rest of the others would tell who was right.
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
        """For a guess that is right for certain: RateLimited if `check` would raise it."""
        found = self._look()
        self._refuse_if_used_up(found)
        self._forgive(found)

    def _look(self) -> Counted:
        return GuessWindow.objects.look(
            self._wrong, self._typos, self.own, self.all_clients, self._newcomers, self._slow
        )

    def _refuse_if_used_up(self, found: Counted) -> bool:
        """Whether the secret is under attack. RateLimited if a limit is used up."""
        attacked = found.left(self._wrong) < 1
        innocent = attacked and found.left(self._typos) > 0
        found.refuse_if_used_up(*self._limits(attacked=attacked, innocent=innocent))
        return attacked

    def _count(self, *, attacked: bool) -> list[Limit]:
        """Count the guess, and return the limits in which it counts."""
        GuessWindow.objects.forget_ended()
        with transaction.atomic():
            # In one step, or each of several concurrent guesses would be its address's first.
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
        # A window of its own, which begins with the attack.
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

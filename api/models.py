from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any, NamedTuple

from cryptography.fernet import MultiFernet
from django.db import models
from django.utils import timezone

from access.models import ApiKey
from access.notes import best_effort
from web.encryption import cipher, marks
from web.errors import Problem
from web.rows import delete_some

KEPT_FOR = timedelta(hours=24)
# A request that takes longer was in a process that has died. Servers' clocks differ by less.
ABANDONED_AFTER = timedelta(minutes=1)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


class IdempotentRequestManager(models.Manager["IdempotentRequest"]):
    def get_or_claim(self, *, fingerprints: list[str], **which: Any) -> IdempotentRequest | None:
        """The row of a request; `is_mine` if it is new, and so claimed by the caller.

        None if it was deleted just now. Error: idempotency_key_reused, if it is another request's.
        """
        row = self.filter(**which).first()
        if row and row.has_lapsed:
            self.filter(pk=row.pk).delete()
            row = None
        if row is None:
            # First, so that nothing fails after the row is inserted.
            self._forget_old()
            mine = self.model(fingerprint=fingerprints[0], **which)
            self.bulk_create([mine], ignore_conflicts=True)
            if row := self.filter(**which).first():
                row.is_mine = row.pk == mine.pk
        if row and row.fingerprint not in fingerprints:
            raise Problem("idempotency_key_reused")
        return row

    def _forget_old(self) -> None:
        """Delete some old rows whenever one is inserted."""
        now = timezone.now()
        # Not `exclude(…__range=…)`, for which no database would use the index.
        past = models.Q(started_at__lt=now - KEPT_FOR)
        delete_some(self.filter(past | models.Q(started_at__gt=now + KEPT_FOR)), 100)


class IdempotentRequest(models.Model):
    """A request with an `Idempotency-Key`, and its answer."""

    # Made by the process that inserts the row, which recognizes it by that.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    # Encrypted, because it may hold a token. Empty while the request is under way.
    answer = models.TextField(blank=True)

    is_mine = False

    objects = IdempotentRequestManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "key"], name="idempotent_request_key")
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_under_way(self) -> bool:
        """Whether another request is executing it."""
        return not (self.is_mine or self.answer)

    @property
    def has_lapsed(self) -> bool:
        """Whether it began too long ago, or in the future, while a clock was ahead."""
        age = abs(timezone.now() - self.started_at)
        return age > (KEPT_FOR if self.answer else ABANDONED_AFTER)

    def settle(self, answer: Answer) -> None:
        """Keep the answer for repeated requests."""
        text = _cipher().encrypt(json.dumps(answer).encode()).decode()
        # The request is done, and has to be answered. Without the answer it would be done again, so
        # that this waits for locks.
        with best_effort("keep the answer for an Idempotency-Key", lock_seconds=0):
            IdempotentRequest.objects.filter(pk=self.pk).update(answer=text)

    def stored_answer(self) -> Answer:
        return Answer(*json.loads(_cipher().decrypt(self.answer)))

    def forget(self) -> None:
        """Let the next request with this key execute it."""
        # If that fails, the row counts as abandoned after a minute. The original error is answered.
        with best_effort("let a request with an Idempotency-Key be sent again at once"):
            IdempotentRequest.objects.filter(pk=self.pk).delete()


def fingerprints_of(path: str, body: bytes, *, rooms: str) -> list[str]:
    """Keyed hashes, because a body may be short enough to be guessed: with SECRET_KEY first, then
    with old keys.

    If its key is gone, an answer cannot be decrypted and its fingerprint differs, so that the
    Idempotency-Key counts as reused. The same goes for an API key whose room prefix has changed.
    """
    return marks(f"{path}\n{rooms}", body)


def _cipher() -> MultiFernet:
    return cipher(f"{__name__}.answer")

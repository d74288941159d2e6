from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from access.guess_windows import GuessWindow as GuessWindow  # a model of this app
from access.usage import NotesUse
from audit.models import Entry
from web.errors import Problem

# The prefix identifies the key, and the 160 bits after it are the secret.
TEXT = re.compile(r"otr_(?P<prefix>[0-9a-f]{10})_(?P<secret>[0-9a-f]{40})", re.ASCII)


class ApiKeyManager(models.Manager["ApiKey"]):
    def find(self, text: str) -> ApiKey:
        """The key with this text, which may be expired or revoked. Error: key_invalid."""
        if shape := TEXT.fullmatch(text):
            # By hand, because Django takes longer to compose this than the database to run it.
            found = self.raw("SELECT * FROM access_apikey WHERE prefix = %s", [shape["prefix"]])
            for key in found:
                if hmac.compare_digest(key.secret_hash, _hash(shape["secret"])):
                    return key
        raise Problem("key_invalid")


class ApiKey(NotesUse, models.Model):
    """Lets a program do more than ANONYMOUS_ACCESS. The key is shown once and stored as a hash."""

    name = models.CharField(max_length=100, help_text="Who or what uses it.")
    prefix = models.CharField(max_length=10, unique=True, editable=False)
    # The secret is random, so that a fast hash is enough.
    secret_hash = models.CharField(max_length=64, editable=False)
    capabilities = models.JSONField(default=list)
    room_prefix = models.CharField(
        "only rooms that start with",
        max_length=200,
        blank=True,
        help_text="Empty: all rooms.",
    )
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)

    # The whole key, in an object that has just been issued.
    text = ""

    objects = ApiKeyManager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        # Composed as names of rooms are (rooms/names.py), which can make it longer.
        self.room_prefix = unicodedata.normalize("NFC", self.room_prefix)
        ApiKey._meta.get_field("room_prefix").run_validators(self.room_prefix)

    def issue(self) -> None:
        """Save a new key. Only this object has its `text`."""
        secret = secrets.token_hex(20)
        self.prefix, self.secret_hash = secrets.token_hex(5), _hash(secret)
        with transaction.atomic():
            self.save(force_insert=True)
            self._record("key.made")
        self.text = f"otr_{self.prefix}_{secret}"

    def revoke(self) -> None:
        """Revoke it, which cannot be undone."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            with transaction.atomic():
                self.save(update_fields=["revoked_at"])
                Entry.objects.record("key.revoked", self, prefix=self.prefix)

    def save_changes(self, columns: Iterable[str]) -> None:
        changed = set(columns)
        with transaction.atomic():
            was = ApiKey.objects.get(pk=self.pk)
            self.save(update_fields=changed)
            self._record("key.changed", before={name: getattr(was, name) for name in changed})

    def _record(self, what: str, **more: Any) -> None:
        Entry.objects.record(
            what,
            self,
            prefix=self.prefix,
            capabilities=self.capabilities,
            rooms=self.room_prefix,
            expires_at=self.expires_at,
            **more,
        )

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "active"

    def refuse_if_ended(self) -> None:
        if self.state == "revoked":
            raise Problem("key_revoked")
        if self.state == "expired":
            raise Problem("key_expired")

    def may(self, capability: str) -> bool:
        return capability in self.capabilities

    def refuse_other_rooms(self, name: str | None) -> None:
        """Error: room_not_covered, unless the key is for this room, or None for all rooms."""
        if self.room_prefix and not (name or "").startswith(self.room_prefix):
            raise Problem("room_not_covered", prefix=self.room_prefix)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

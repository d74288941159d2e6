from __future__ import annotations

import secrets
import time
from base64 import b64encode
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken, MultiFernet
from django.conf import settings
from django.core.mail import send_mail
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Cast, StrIndex
from django.utils import timezone
from django_tasks import task

from access.capabilities import Capability
from access.models import ApiKey
from audit.models import Entry
from web.encryption import Rows, cipher, encrypt_again
from web.rows import delete_in_parts

MAX_URL = 2000
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 24

# Seconds for which a process caches the endpoints.
KEPT_FOR = 1.0

_active: tuple[float, list[Endpoint]] = (0.0, [])


def active_endpoints() -> list[Endpoint]:
    """The active endpoints, cached for a second."""
    global _active
    until, endpoints = _active
    if until < time.monotonic():
        endpoints = list(Endpoint.objects.active())
        _active = (time.monotonic() + KEPT_FOR, endpoints)
    return endpoints


def forget_endpoints() -> None:
    """Clear the cache, after a change in this process."""
    global _active
    _active = (0.0, [])


class EndpointManager(models.Manager["Endpoint"]):
    def active(self) -> models.QuerySet[Endpoint]:
        """Without those whose API key could not make them any more."""
        lasts = Q(api_key__expires_at=None) | Q(api_key__expires_at__gt=timezone.now())
        found = self.filter(lasts, is_active=True, api_key__revoked_at=None).alias(
            # As text, since SQLite does not look for what a list contains.
            capabilities=Cast("api_key__capabilities", models.TextField()),
            # Not startswith, which ignores case on SQLite.
            covered_at=StrIndex("room_prefix", "api_key__room_prefix"),
        )
        may_manage = Q(capabilities__contains=f'"{Capability.MANAGE}"')
        if Capability.MANAGE in settings.ANONYMOUS_ACCESS:
            may_manage = Q()
        return found.filter(Q(api_key=None) | Q(may_manage, covered_at=1))

    def ready(self) -> models.QuerySet[Endpoint]:
        """Active endpoints that are not resting."""
        rested = Q(resting_until=None) | Q(resting_until__lt=timezone.now())
        return self.active().filter(rested)

    def switched_off(self) -> models.QuerySet[Endpoint]:
        """Those that the server has switched off, and nobody has made active again."""
        return self.filter(is_active=False, switched_off_at__isnull=False)

    def encrypt_again(self) -> Rows:
        return encrypt_again(self.all(), "encrypted", _cipher())


class Endpoint(models.Model):
    """A webhook: the URL to which events are sent, and which ones."""

    url = models.CharField("URL", max_length=MAX_URL, help_text="Such as https://example.com/hook")
    # Names of events, in which * stands for anything.
    events = models.JSONField(default=list)
    room_prefix = models.CharField(
        "beginning of room names",
        max_length=200,
        blank=True,
        help_text="Only events of rooms whose names begin so; empty for those of all rooms.",
    )
    encrypted = models.CharField(max_length=255, editable=False)
    is_active = models.BooleanField("active", default=True)
    # The user who made it, and gets a mail if it is switched off.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    api_key = models.ForeignKey(
        ApiKey, verbose_name="API key", null=True, editable=False, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    # Since when no delivery has succeeded, and until when none is tried.
    failing_since = models.DateTimeField(null=True, editable=False)
    resting_until = models.DateTimeField(null=True, editable=False)
    # The end of the turn of the worker that sends to it now, or of the last one.
    taken_until = models.DateTimeField(null=True, editable=False)
    # When the server switched it off, until somebody makes it active again.
    switched_off_at = models.DateTimeField("switched off", null=True, editable=False)

    objects = EndpointManager()

    # The secret, in the one answer that shows it.
    shown_secret = ""

    class Meta:
        verbose_name = "webhook"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        """The host only, since the rest of the URL can be a secret."""
        return urlsplit(self.url).hostname or "webhook"

    def add(self) -> str:
        """Save it. Returns its secret, which is shown once."""
        secret = self.new_secret()
        with transaction.atomic():
            self.save()
            Entry.objects.record("webhook.made", self, **self._told())
        return secret

    def change(self, **chosen: Any) -> None:
        """Change it. It is tried at once, and waiting events have their full day again."""
        self.failing_since = self.resting_until = None
        if "is_active" in chosen:
            chosen["switched_off_at"] = None
        for name, value in chosen.items():
            setattr(self, name, value)
        with transaction.atomic():
            self.save(update_fields=[*chosen, "failing_since", "resting_until"])
            tried = self.deliveries.waiting().exclude(first_tried_at=None)
            tried.update(first_tried_at=None, next_try_at=None)
            Entry.objects.record("webhook.changed", self, **self._told())

    def renew_secret(self) -> str:
        secret = self.new_secret()
        with transaction.atomic():
            self.save(update_fields=["encrypted"])
            Entry.objects.record("webhook.secret_renewed", self)
        return secret

    def remove(self) -> None:
        """Delete it. A job deletes its deliveries, of which there may be very many."""
        with transaction.atomic():
            Entry.objects.record("webhook.deleted", self)
            # Django would first read all deliveries.
            Endpoint.objects.filter(pk=self.pk)._raw_delete(self._state.db)
            forget_deliveries.enqueue(self.pk)
        forget_endpoints()

    def _told(self) -> dict[str, Any]:
        return {"events": self.events, "rooms": self.room_prefix, "active": self.is_active}

    def new_secret(self) -> str:
        """Replace the secret, without saving."""
        secret = SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        self.encrypted = _cipher().encrypt(secret.encode()).decode()
        return secret

    @property
    def secret(self) -> str:
        """Empty if no key can decrypt it."""
        try:
            return _cipher().decrypt(self.encrypted).decode()
        except InvalidToken:
            return ""

    def wants(self, event: str, room_name: str) -> bool:
        of_room = room_name.startswith(self.room_prefix)
        return of_room and any(fnmatchcase(event, pattern) for pattern in self.events)

    def switch_off(self, why: str) -> None:
        """Deactivate it, and mail its owner. What waits is sent once it is active again."""
        self.is_active, self.switched_off_at = False, timezone.now()
        self.save(update_fields=["is_active", "switched_off_at"])
        Entry.objects.record("webhook.switched_off", self, why=why)
        if settings.EMAIL_HOST and self.owner and self.owner.email:
            tell_owner.enqueue(self.owner.email, self.url, why)

    def save(self, *given: Any, **named: Any) -> None:
        super().save(*given, **named)
        forget_endpoints()


@task()
def forget_deliveries(endpoint_id: int) -> None:
    from webhooks.deliveries import Delivery

    delete_in_parts(Delivery.objects.filter(endpoint_id=endpoint_id))


@task()
def tell_owner(address: str, url: str, why: str) -> None:
    text = (
        f"{url}\n\n{why} What waited for it is kept for a while; nothing new is recorded for it "
        "until it is active again: in the admin, under “Webhooks”."
    )
    send_mail("A webhook was switched off", text, None, [address])


def _cipher() -> MultiFernet:
    return cipher("webhooks.endpoint")

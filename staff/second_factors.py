"""Codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

django-allauth, which single sign-on uses, remembers used codes in Django's cache, which each
process has for itself, and its app needs tables and middleware of accounts. HOTP is cryptography's,
which PyJWT brings.
"""

from __future__ import annotations

import secrets
import time
from base64 import b32decode, b32encode
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.fernet import InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string

from audit.models import Entry
from web.encryption import Rows, cipher, encrypt_again, marks

ISSUER = "OpenTok Rooms"
DIGITS = 6
SECONDS = 30
RECOVERY_CODES = 10
# Without characters that look alike; 50 bits.
ALPHABET, LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 10


def new_secret() -> str:
    """A random secret in base32, which people can type into an app."""
    return b32encode(secrets.token_bytes(20)).decode()


def address_of(secret: str, name: str) -> str:
    """The URI that an app reads from a QR code.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    parameters = urlencode({"secret": secret, "issuer": ISSUER}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{ISSUER}:{name}')}?{parameters}"


def code_at(secret: str, step: int) -> str:
    # SHA-1, because many apps know no other.
    return HOTP(b32decode(secret), DIGITS, SHA1()).generate(step).decode()  # noqa: S303


def step_of(secret: str, code: str) -> int | None:
    """The time step of a code: the current one, the one before or after, or None."""
    now = int(time.time()) // SECONDS
    steps = [now, now - 1, now + 1]
    return next(
        (step for step in steps if constant_time_compare(code_at(secret, step), code)), None
    )


def encrypt(text: str) -> str:
    return _cipher().encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Empty if no key can decrypt it."""
    try:
        return _cipher().decrypt(text).decode()
    except InvalidToken:
        return ""


def _cipher() -> MultiFernet:
    return cipher("staff.second_factors", "secret")


def typed(code: str) -> str:
    """A code as it was typed, without spaces and dashes."""
    return "".join(code.split()).replace("-", "").upper()


class SecondFactorManager(models.Manager["SecondFactor"]):
    def of(self, user: Any) -> SecondFactor | None:
        return self.filter(user=user).first()

    def switch_on(self, user: Any, secret: str, step: int) -> tuple[SecondFactor, bool]:
        """The user's factor, and whether it is new. `step` is that of the code that proved it."""
        new = {"secret": encrypt(secret), "last_step": step}
        return self.get_or_create(user=user, defaults=new)

    def encrypt_again(self) -> Rows:
        return encrypt_again(self.all(), "secret", _cipher())


class SecondFactor(models.Model):
    """A user's authenticator app. Its codes are asked for after the password."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    secret = models.CharField(max_length=255)  # encrypted
    last_step = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = SecondFactorManager()

    class Meta:
        default_permissions = ("delete",)

    def __str__(self) -> str:
        return "second factor"

    def remove(self) -> None:
        """Remove it, by an administrator, for a user who has lost it."""
        with transaction.atomic():
            Entry.objects.record("second_factor.removed", self.user)
            self.delete()

    def take_code(self, code: str) -> bool:
        """Whether a code is right. It and earlier codes are not valid again."""
        secret = decrypt(self.secret)
        step = step_of(secret, typed(code)) if secret else None
        if step is None:
            return False
        # One statement, so that one of two requests with the same code fails.
        unused = SecondFactor.objects.filter(pk=self.pk, last_step__lt=step)
        return bool(unused.update(last_step=step))

    def take_recovery_code(self, code: str) -> bool:
        """Whether it is an unused recovery code, which is deleted."""
        return bool(self.codes.filter(hash__in=_hashes(self, typed(code))).delete()[0])

    def new_recovery_codes(self) -> list[str]:
        """Replaces the earlier ones. They are stored as hashes, and cannot be shown again."""
        codes = [get_random_string(LENGTH, ALPHABET) for _ in range(RECOVERY_CODES)]
        with transaction.atomic():
            self.codes.all().delete()
            RecoveryCode.objects.bulk_create(
                RecoveryCode(factor=self, hash=_hashes(self, code)[0]) for code in codes
            )
        return [f"{code[:5]}-{code[5:]}" for code in codes]


class RecoveryCode(models.Model):
    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="codes")
    hash = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "recovery code"


def _hashes(factor: SecondFactor, code: str) -> list[str]:
    """Recovery codes are random, so that a fast hash is enough."""
    return marks("staff.recovery_codes", f"{factor.pk} {code}")

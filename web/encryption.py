"""Encryption and hashes with SECRET_KEY. Old keys in SECRET_KEY_FALLBACKS stay valid, as they do
for Django's sessions and signatures.
"""

from base64 import urlsafe_b64encode
from typing import Any, NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac


def cipher(salt: str, value: str = "") -> MultiFernet:
    """Encrypts with SECRET_KEY and decrypts with any key. `salt` and `value` are the purpose: each
    has a key of its own.
    """
    digests = [salted_hmac(salt, value, key, algorithm="sha256").digest() for key in _keys()]
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


class Rows(NamedTuple):
    """How many rows were encrypted again, and how many none of the keys can decrypt."""

    done: int
    unreadable: int


def encrypt_again(rows: QuerySet[Any], column: str, cipher: MultiFernet) -> Rows:
    """Encrypt a column with SECRET_KEY, in the rows that can be decrypted."""
    done = unreadable = 0
    for pk, held in rows.values_list("pk", column):
        try:
            new = cipher.rotate(held.encode()).decode()
        except InvalidToken:
            unreadable += 1
        else:
            done += rows.filter(pk=pk, **{column: held}).update(**{column: new})
    return Rows(done, unreadable)


def marks(salt: str, value: str | bytes) -> list[str]:
    """Keyed hashes of a text that could be guessed: with SECRET_KEY first, then with old keys."""
    return [salted_hmac(salt, value, key, algorithm="sha256").hexdigest() for key in _keys()]


def _keys() -> list[str | bytes]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]

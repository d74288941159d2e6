"""What is made with SECRET_KEY, and stays good for a while after that has changed.

Old keys are in SECRET_KEY_FALLBACKS, which Django itself reads for sessions and signatures.
"""

from base64 import urlsafe_b64encode
from typing import Any, NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac


def cipher(salt: str, value: str = "") -> MultiFernet:
    """Encrypts with SECRET_KEY, and reads what was encrypted with an old one as well.

    `salt` and `value` name what is encrypted: each has a key of its own.
    """
    digests = [salted_hmac(salt, value, key, algorithm="sha256").digest() for key in _keys()]
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


class Rows(NamedTuple):
    """How many were encrypted again, and how many could not be read with any of the keys."""

    done: int
    unreadable: int


def encrypt_again(rows: QuerySet[Any], column: str, cipher: MultiFernet) -> Rows:
    """With SECRET_KEY, what can be read."""
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
    """Hashes of a text that could be guessed: the one of SECRET_KEY, and then those of old ones."""
    return [salted_hmac(salt, value, key, algorithm="sha256").hexdigest() for key in _keys()]


def _keys() -> list[str | bytes]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]

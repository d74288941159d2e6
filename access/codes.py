"""Access codes of rooms.

They are short, since people say them, and so their hash is slow. A code that was right is cached,
so that a class that joins waits for one hash.
"""

import secrets
import threading
import unicodedata
from functools import partial

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.crypto import salted_hmac

from access.guesses import Guesses

MAX_LENGTH = 128
# Of a code that is not composed: composing changes the length by a factor of four at most.
LONGEST = 4 * MAX_LENGTH
MAX_KNOWN = 10_000


class CodeHasher(PBKDF2PasswordHasher):
    """Takes some 20 ms, and not 300 as for passwords: a wrong code must cost the server little."""

    iterations = 60_000


# Hashes of codes that were right.
_known: set[bytes] = set()
# Clients that send the same code at the same time share a lock, and so one run of the hash.
_locks = [threading.Lock() for _ in range(64)]


def suggested() -> str:
    """A new code that people can say and that cannot be guessed for years: see docs/access.md."""
    return f"{secrets.randbelow(10**8):08}"


def hashed(code: str) -> str:
    hasher = CodeHasher()
    return hasher.encode(_clean(code), hasher.salt())


def matches(code: str, stored: str, guesses: Guesses | None = None) -> bool:
    """Whether `stored` is the hash of this code. A wrong code counts as one of the `guesses`.

    RateLimited after too many wrong ones, also for the right code: another answer would confirm it
    to an attacker.
    """
    if len(code) > LONGEST:
        return False  # the time to compose it is quadratic in the number of accents
    code = _clean(code)
    verify = partial(CodeHasher().verify, code, stored)
    mark = salted_hmac("access.codes", stored + code, algorithm="sha256").digest()
    if mark in _known:
        if guesses:
            guesses.refuse_right()
        return True
    with _locks[mark[0] % len(_locks)]:
        # Counted under the lock, so that of a class only the first client's guess is counted.
        if mark in _known:
            return True
        if not (guesses.check(verify) if guesses else verify()):
            return False
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known.add(mark)
        return True


def _clean(code: str) -> str:
    """The code in Unicode NFC, without white space around it."""
    return unicodedata.normalize("NFC", code).strip()

"""Access codes: short, told to people, and so hashed slowly, but not slowly for each of a class."""

import secrets
import threading
import unicodedata
from functools import partial

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.crypto import salted_hmac

from access.guesses import Guesses

MAX_LENGTH = 128
# However it is composed: of one character composing makes at most four pieces, or the other way.
LONGEST = 4 * MAX_LENGTH
MAX_KNOWN = 10_000


class CodeHasher(PBKDF2PasswordHasher):
    """Some 20 ms, where a password's takes 300: a wrong code must cost the server little."""

    iterations = 60_000


# Marks of codes that were right, so that only the first of a class waits for the hash.
_known: set[bytes] = set()
# Those who send the same code at once share a lock, and so one run of the hash.
_locks = [threading.Lock() for _ in range(64)]


def suggested() -> str:
    """A new code that people can say, and that lasts for years: see docs/access.md."""
    return f"{secrets.randbelow(10**8):08}"


def hashed(code: str) -> str:
    hasher = CodeHasher()
    return hasher.encode(_clean(code), hasher.salt())


def matches(code: str, stored: str, guesses: Guesses | None = None) -> bool:
    """Whether `stored` is the hash of this code. A wrong one counts as one of the `guesses`.

    RateLimited once there were too many, for the right code as well: another answer would tell an
    attacker that it is right.
    """
    if len(code) > LONGEST:
        return False  # composing it would take a time that grows with the square of its accents
    code = _clean(code)
    verify = partial(CodeHasher().verify, code, stored)
    mark = salted_hmac("access.codes", stored + code, algorithm="sha256").digest()
    if mark in _known:
        if guesses:
            guesses.refuse_right()
        return True
    with _locks[mark[0] % len(_locks)]:
        # Counted in here, so that of a class only the first one's right code counts for a moment.
        if mark in _known:
            return True
        if not (guesses.check(verify) if guesses else verify()):
            return False
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known.add(mark)
        return True


def _clean(code: str) -> str:
    """However a keyboard composes it, and whatever white space was copied along."""
    return unicodedata.normalize("NFC", code).strip()

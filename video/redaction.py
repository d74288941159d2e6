"""OpenTok's messages without secrets, for the log.

When in doubt, text is removed: the rest only has to say why a call failed.
"""

import re
from base64 import b64encode
from urllib.parse import quote

from django.conf import settings

# Characters of a message. The time for the patterns is quadratic in the length.
LONGEST = 1000
SHORTEST_SECRET = 6

# In this order.
PATTERNS = [
    (r"(?s)-----BEGIN.*?(?:-----END[^-]*-----|\Z)", "(removed)"),
    # A password with its host, and a query.
    (r"\S*(?:@|%40)\S*|\?\S*=\S*", "(removed)"),
    # Of a URL the host stays.
    (r"\b([a-z][a-z0-9+.-]*://)([\w.-]+(?::\d+)?)(?![\w.:-])\S*", r"\1\2"),
    (r"\b([a-z][a-z0-9+.-]*://)(?![\w.-]+(?::\d+)?(?![\w.:-]))\S*", r"\1(removed)"),
    # A name such as X-Amz-Signature or AccountKey, and the rest, since the end of its value is not
    # known.
    (
        r"(?s)(?:auth|token|jwt|secret|sig|pass|pwd|cred|cookie|key|stream.?name)[\w.%-]*"
        r"[\s\"'\\]*(?:[:=]|%3[ad])[\s\"'\\]*\S.*",
        "(removed)",
    ),
    # The same in a sentence, where a word with a digit is the value.
    (
        r"\b(token|secret|signature|password|passphrase|stream.?(?:name|key))"
        r"((?:\W+(?:is|was))?\W+)\S*\d\S*",
        r"\1\2(removed)",
    ),
    (r"\b(?:Bearer|Basic|Digest|Negotiate|SharedKey)\s+\S+", "(removed)"),
    (r"eyJ\S*|\bT1=\S*", "(token)"),
]
COMPILED = [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in PATTERNS]
LONG_WORD = re.compile(r"[\w+/=~-]{16,}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """`text` in one line, without tokens, secrets, signatures and the paths of URLs."""
    text = " ".join(text[:LONGEST].split())
    for secret in _ours():
        text = re.sub(re.escape(secret), "(removed)", text, flags=re.IGNORECASE)
    for pattern, instead in COMPILED:
        text = pattern.sub(instead, text)
    return LONG_WORD.sub(_unless_random, text)


def _ours() -> list[str]:
    """This server's own secrets: plain, percent-encoded and in base64."""
    given = [settings.OPENTOK[name] for name in ("TOKBOX_SECRET", "TOKBOX_SECRET_OLD")]
    given += [settings.METRICS_TOKEN]
    given += [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    given += [settings.CALLBACK_SECRET, settings.CALLBACK_SECRET_OLD]
    secrets = [secret for secret in given if len(secret) >= SHORTEST_SECRET]
    in_base64 = [b64encode(secret.encode()).decode().rstrip("=") for secret in secrets]
    return [*secrets, *(quote(secret, safe="") for secret in secrets), *in_base64]


def _unless_random(word: re.Match[str]) -> str:
    """The word, unless it looks random; the ids of recordings and applications stay."""
    text = word[0]
    is_mixed = re.search(r"\d", text) and re.search(r"[^\W\d]", text)
    is_random = (is_mixed or len(text) >= 40) and not UUID.fullmatch(text)
    return "(removed)" if is_random else text

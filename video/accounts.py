"""The OpenTok project of this server, and the key with which it signs.

There are two kinds of credentials: an OpenTok API key with a secret (HS256), and a Vonage
application with a private key (RS256). The variables that are set decide which of them is used.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

OPENTOK_URL = "https://api.opentok.com"
VONAGE_URL = "https://video.api.vonage.com"


@dataclass(frozen=True)
class Account:
    """A project and its key, which no repr shows, and so no log and no traceback.

    What was signed with `old_secret` is valid; nothing new is signed with it.
    """

    project_id: str
    key: str | RSAPrivateKey = field(repr=False)
    api_url: str
    old_secret: str = field(default="", repr=False)

    @property
    def is_vonage(self) -> bool:
        return not isinstance(self.key, str)


def current() -> Account:
    """The configured account. ImproperlyConfigured names the variable that is missing or wrong."""
    return _account(**settings.OPENTOK)


def is_local(url: str) -> bool:
    """Whether a URL is on this machine or in a private network, judged by the URL alone."""
    try:
        host = urlsplit(url).hostname
    except ValueError:  # brackets around what is no address
        host = None
    if host is None:
        return False
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))


@lru_cache(maxsize=8)
def _account(
    *,
    TOKBOX_API_KEY: str,
    TOKBOX_SECRET: str,
    TOKBOX_SECRET_OLD: str = "",
    VONAGE_APPLICATION_ID: str,
    VONAGE_PRIVATE_KEY: str,
    OPENTOK_API_URL: str,
) -> Account:
    if (TOKBOX_API_KEY or TOKBOX_SECRET) and (VONAGE_APPLICATION_ID or VONAGE_PRIVATE_KEY):
        raise ImproperlyConfigured(
            "Both TOKBOX_* and VONAGE_* are set. Keep the pair that you use and remove the other."
        )
    # Calls would not use a user and a password in it, and doctor would show them.
    if OPENTOK_API_URL and not re.match(r"https?://[^/?#:@\s]+(?!.*@)", OPENTOK_API_URL):
        raise ImproperlyConfigured("OPENTOK_API_URL must be a URL such as http://127.0.0.1:8081.")
    if VONAGE_APPLICATION_ID or VONAGE_PRIVATE_KEY:
        return Account(
            project_id=_application_id(VONAGE_APPLICATION_ID),
            key=_private_key(VONAGE_PRIVATE_KEY),
            api_url=(OPENTOK_API_URL or VONAGE_URL).rstrip("/"),
        )
    return Account(
        project_id=_api_key(TOKBOX_API_KEY, secret=TOKBOX_SECRET),
        key=TOKBOX_SECRET,
        api_url=(OPENTOK_API_URL or OPENTOK_URL).rstrip("/"),
        old_secret=TOKBOX_SECRET_OLD,
    )


def _api_key(value: str, *, secret: str) -> str:
    if not value and not secret:
        raise ImproperlyConfigured(
            "No OpenTok credentials are set: set TOKBOX_API_KEY and TOKBOX_SECRET, or "
            "VONAGE_APPLICATION_ID and VONAGE_PRIVATE_KEY."
        )
    if not value or not secret:
        missing = "TOKBOX_SECRET" if value else "TOKBOX_API_KEY"
        raise ImproperlyConfigured(f"{missing} is not set: the API key and its secret go together.")
    if not re.fullmatch(r"[0-9]+", value):
        raise ImproperlyConfigured(
            "TOKBOX_API_KEY must be a number. Are the API key and the secret swapped?"
        )
    return value


def _application_id(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError as error:
        raise ImproperlyConfigured(
            "VONAGE_APPLICATION_ID must be the application's id, a UUID; it goes together with "
            "VONAGE_PRIVATE_KEY."
        ) from error


def _private_key(value: str) -> RSAPrivateKey:
    """Parsed once, because PyJWT would parse PEM text for each signature, in 40 ms."""
    if not value:
        raise ImproperlyConfigured(
            "VONAGE_PRIVATE_KEY is not set: the application id and its key go together."
        )
    try:
        key = load_pem_private_key(_pem(value), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(
            "VONAGE_PRIVATE_KEY must be the private key's PEM text, base64 of it, or the path of "
            f"its file ({type(error).__name__})."
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ImproperlyConfigured("VONAGE_PRIVATE_KEY must be an RSA key.")
    return key


def _pem(value: str) -> bytes:
    if "-----BEGIN" in value:
        # A dashboard or a .env file often keeps the line breaks as \n, and quotes around it all.
        return value[value.index("-----BEGIN") :].replace("\\n", "\n").strip("\"'").encode()
    try:
        decoded = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    return decoded if decoded.startswith(b"-----BEGIN") else Path(value).read_bytes()

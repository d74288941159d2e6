"""Read variables of the environment. Errors name the variable.

An empty value counts as not set, so that a blank line in `.env` or in a PaaS dashboard is harmless.
"""

import difflib
import os
import re
import ssl
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured
from limits import RateLimitItem, parse_many

from config import dotenv
from web import hosts, zones

# The maximum of a limit, and of its window in seconds: GuessWindow has 32-bit integers.
MOST = 10**9

# The least characters of a key in a list.
SHORTEST_PIECE = 16

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}

# Other names of the credentials, for warnings about `.env`. Elsewhere other programs may use them.
ALSO_CALLED = {
    f"{prefix}API_{word}": meant
    for prefix in ("", "OPENTOK_", "VONAGE_")
    for word, meant in {"KEY": "TOKBOX_API_KEY", "SECRET": "TOKBOX_SECRET"}.items()
}

# OpenTelemetry reads some forty variables by itself.
OF_LIBRARIES = ("OTEL_",)

# The names that were read, and the values of `.env`.
asked_for: set[str] = set()
_file: dict[str, dotenv.Value] = {}

# Control characters, invisible ones, and bytes that are not UTF-8, which are mistakes in a value.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
LINE_BREAKS = {"\n", "\r", "\t"}


def load_dotenv(path: Path) -> None:
    """Set the variables of `path`, if it exists, that are not set in the environment."""
    try:
        _file.update(dotenv.read(path))
    except dotenv.Wrong as wrong:
        raise ImproperlyConfigured(str(wrong)) from None
    for name, value in _file.items():
        os.environ.setdefault(name, value.text)


def text(name: str, default: str = "", *, has_lines: bool = False) -> str:
    """`has_lines` permits line breaks, for keys and lists."""
    asked_for.add(name)
    value, where = os.environ.get(name, "").strip(), name
    if name in _file and value == _file[name].text.strip():
        where = f"{name}, in line {_file[name].line} of .env,"
    else:
        value = _without_quotes(name, value)
    for letter in value:
        is_wanted = has_lines and letter in LINE_BREAKS
        if unicodedata.category(letter) in UNPRINTABLE and not is_wanted:
            raise ImproperlyConfigured(f"{where} {_complaint(letter)}. Write it anew.")
    return value or default


def _without_quotes(name: str, value: str) -> str:
    """`docker run --env-file` and some dashboards keep the quotes that a shell removes."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in dotenv.QUOTES:
        return value[1:-1].strip()
    if wrong := dotenv.wrong_quote(value):
        raise ImproperlyConfigured(f"{name} {wrong}")
    return value


def _complaint(letter: str) -> str:
    if unicodedata.category(letter) == "Cs":  # what os.environ has for a byte that is not UTF-8
        return "is not UTF-8"
    known = {"\n": "a line break", "\r": "a line break", "\t": "a tab"}
    return f"holds {known.get(letter, f'the invisible character U+{ord(letter):04X}')}"


def secret(name: str) -> str:
    """Credentials. White space in them is a mistake, such as a comment that Docker keeps."""
    value = text(name)
    if re.search(r"\s", value):
        raise ImproperlyConfigured(
            f"{name} must have no white space in it, nor a comment behind it."
        )
    return value


def misspelt() -> Iterator[str]:
    """A warning for each variable that looks like a misspelt one of ours.

    To be called after the settings are read, since it compares with the names that were read.
    """
    for name in sorted((_file.keys() | os.environ.keys()) - asked_for):
        if name.startswith(OF_LIBRARIES):
            continue
        if meant := _meant_by(name.upper(), is_ours=name in _file):
            where = f" in line {_file[name].line} of .env" if name in _file else ""
            yield f"{name}{where} is not read by this server. Is {meant} meant?"


def _meant_by(name: str, *, is_ours: bool) -> str | None:
    """A PaaS sets DATABASE_URL_OLD, PORTS and REDIS_TLS_URL on purpose; `.env` is for us."""
    if is_ours and name in ALSO_CALLED:
        return ALSO_CALLED[name]
    for known in sorted(asked_for):
        if name.startswith(f"{known}_") or (name.endswith(f"_{known}") and not is_ours):
            return None
        # Such as CORS_ORIGINS, from which ALLOWED is missing.
        words = iter(known.split("_"))
        found = [word in words for word in name.split("_")]
        if len(found) > 1 and all(found) and name.startswith(known.partition("_")[0]):
            return known
    cutoff = 0.75 if is_ours else 0.9
    return next(iter(difflib.get_close_matches(name, sorted(asked_for), n=1, cutoff=cutoff)), None)


def on_heroku() -> bool:
    """Heroku names every process that it runs in DYNO; on its CI, tests run, and no server."""
    return bool(text("DYNO")) and not text("CI")


def words(name: str, default: str = "") -> list[str]:
    found: list[str] = environ.Env.parse_value(text(name, default, has_lines=True), list)
    return [word.strip() for word in found if word.strip()]


def old_keys(name: str) -> list[str]:
    """Keys, separated by commas. Since a key may contain commas, the whole value is a key as well.
    Of several pieces short ones are left out, since they could be guessed.
    """
    whole, pieces = text(name, has_lines=True), words(name)
    if "," not in whole:
        return pieces
    return [whole, *(piece for piece in pieces if len(piece) >= SHORTEST_PIECE)]


def allowed_hosts(name: str, default: str) -> list[str]:
    """Host names in the form in which Django compares them."""
    return _words_read_by(
        hosts.allowed_host,
        name,
        default,
        must="be host names such as rooms.example.com, without https:// or a port; .example.com is "
        "for all below it, and * for any",
    )


def origins(name: str, default: str) -> list[str]:
    """Web origins in the form in which browsers send them."""
    return _words_read_by(
        hosts.origin,
        name,
        default,
        must="be origins such as https://app.example.com, with nothing after the host and its "
        "port; or * for any",
    )


def _words_read_by(read: Callable[[str], str], name: str, default: str, *, must: str) -> list[str]:
    found = []
    # A value without words, such as a comma, is an error.
    is_set = bool(text(name, default, has_lines=True))
    for word in words(name, default) or [""] * is_set:
        try:
            found.append(read(word))
        except ValueError:
            raise ImproperlyConfigured(f"{name} must {must}; not {word!r}.") from None
    return found


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")
    return value in TRUE


def seconds(name: str, default: float, *, at_least: float, at_most: float) -> float:
    value = text(name, str(default))
    if not (re.fullmatch(r"\d+(\.\d+)?", value) and at_least <= float(value) <= at_most):
        raise ImproperlyConfigured(
            f"{name} must be a number of seconds from {at_least} to {at_most}, not {value!r}."
        )
    return float(value)


def integer(name: str, default: int, *, at_least: int, at_most: int) -> int:
    value = text(name, str(default))
    if not (re.fullmatch(r"\d{1,9}", value) and at_least <= int(value) <= at_most):
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {at_least} to {at_most}, not {value!r}."
        )
    return int(value)


def token(name: str, *, at_most: int | None = None) -> str:
    """A secret for a header or a signature; empty if it is not set."""
    value = text(name)
    if value and not re.fullmatch(f"[!-~]{{16,{at_most or ''}}}", value):
        length = f"16 to {at_most} characters" if at_most else "16 characters or more"
        raise ImproperlyConfigured(
            f"{name} must have {length}, all of them ASCII and none of them white space, such as "
            "the output of `openssl rand -hex 20`."
        )
    return value


def web_address(name: str, default: str = "") -> str:
    """An http or https URL without a query; may be empty by default."""
    url = text(name, default)
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if url and not (good and re.fullmatch(r"[A-Za-z0-9:/._~%@\[\]-]{1,500}", url)):
        raise ImproperlyConfigured(f"{name} must be a URL such as https://example.com/path.")
    return url


def secure_address(name: str) -> str:
    """The same with https, unless it is on this machine; empty if it is not set."""
    url = web_address(name)
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ImproperlyConfigured(f"{name} must start with https://.")
    return url


def domains(name: str) -> frozenset[str]:
    """Of e-mail addresses."""
    found = words(name)
    if wrong := [word for word in found if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", word)]:
        raise ImproperlyConfigured(f"{name} must be domains such as example.com, not {wrong[0]!r}.")
    return frozenset(word.lower() for word in found)


def certificates(name: str) -> str:
    """The path of a readable PEM file of certificates; empty if it is not set."""
    path = text(name)
    try:
        if path:
            ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or error
        raise ImproperlyConfigured(
            f"{name} must be a PEM file of certificates: {reason}."
        ) from None
    return path


def phone_number(name: str) -> str:
    """A number in E.164, without a plus, as Vonage writes it; empty if it is not set."""
    value = re.sub(r"[ ().-]", "", text(name)).removeprefix("+")
    if value and not re.fullmatch(r"[1-9][0-9]{3,14}", value, re.ASCII):
        raise ImproperlyConfigured(f"{name} must be a phone number such as 14155550100.")
    return value


def sip_uri(name: str) -> str:
    value = secret(name)
    if value and not re.fullmatch(r"sips?:[!-~]+", value):
        raise ImproperlyConfigured(
            f"{name} must be like sip:14155550100@sip.example.com;transport=tls."
        )
    return value


def time_zone(name: str, default: str) -> ZoneInfo:
    try:
        return zones.zone_of(text(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def one_of(name: str, default: str, *, choices: Sequence[str]) -> str:
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def some_of(name: str, default: str, *, choices: Sequence[str]) -> frozenset[str]:
    """Words separated by commas; `none` for no words."""
    found = words(name, default)
    if found == ["none"]:
        return frozenset()
    if unknown := [word for word in found if word not in choices]:
        raise ImproperlyConfigured(
            f"{name} must be some of {', '.join(choices)}, or none; not {unknown[0]!r}."
        )
    return frozenset(found)


def rate_limits(name: str, defaults: Mapping[str, str]) -> dict[str, RateLimitItem]:
    """Limits such as `join=600/minute,login=10/5minute`, each in place of its default; or none."""
    if text(name).lower() == "off":
        return {}
    chosen = dict(defaults)
    for part in words(name):
        limited, _, limit = (piece.strip() for piece in part.partition("="))
        if limited not in defaults:
            raise ImproperlyConfigured(
                f"{name} must be off, or limits for {', '.join(defaults)}; not {part!r}."
            )
        chosen[limited] = limit
    return {limited: _rate_limit(name, limited, limit) for limited, limit in chosen.items()}


def _rate_limit(name: str, limited: str, limit: str) -> RateLimitItem:
    try:
        (item,) = parse_many(limit)
    except ValueError:
        item = None
    if item is None or not (1 <= item.amount <= MOST and item.get_expiry() <= MOST):
        raise ImproperlyConfigured(
            f"{name} must be like {limited}=10/minute or {limited}=10/5minute, not {limit!r}."
        )
    return item


def path_prefix(name: str, default: str) -> str:
    value = text(name, default)
    if not re.fullmatch(r"([A-Za-z0-9_-]+/)+", value):
        raise ImproperlyConfigured(
            f"{name} must be a path such as {default}, of letters, digits, - and _, with a slash "
            f"at its end and none at its beginning; not {value!r}."
        )
    return value


class MailServer(NamedTuple):
    """`is_tls` is implicit TLS, `starts_tls` is STARTTLS."""

    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    is_tls: bool = False
    starts_tls: bool = False


def mail_server(name: str) -> MailServer:
    """All fields are empty if there is none."""
    value = secret(name)
    if not value:
        return MailServer()
    try:
        read = environ.Env.email_url_config(value)
        good = bool(read["EMAIL_HOST"]) and "smtp" in read["EMAIL_BACKEND"]
    except (ValueError, ImproperlyConfigured):  # which may quote the password
        good = False
    if not good:
        raise ImproperlyConfigured(
            f"{name} must be like smtp+tls://user:password@smtp.example.com:587, with smtp+ssl:// "
            "for a port that takes TLS alone, such as 465; a password in percent-encoding."
        )
    is_tls = bool(read.get("EMAIL_USE_SSL"))
    return MailServer(
        read["EMAIL_HOST"],
        read["EMAIL_PORT"] or (465 if is_tls else 587),
        read["EMAIL_HOST_USER"] or "",
        read["EMAIL_HOST_PASSWORD"] or "",
        is_tls,
        bool(read.get("EMAIL_USE_TLS")),
    )


class Storage(NamedTuple):
    """A bucket of an S3 service, or a container of an Azure account. Keys of files begin with
    `prefix`. `endpoint` is empty for Amazon and Microsoft themselves.
    """

    kind: str = ""
    name: str = ""
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    account: str = ""


STORAGE = re.compile(
    r"(?P<kind>s3://|azure://(?P<account>[a-z0-9]{3,24})/)(?P<name>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
    r"(/(?P<prefix>[\w/.-]*))?(\?(?P<query>.*))?",
    re.ASCII,
)
STORAGE_OPTIONS = {"region": r"[a-z0-9-]+", "endpoint": r"https?://[A-Za-z0-9.:\[\]/-]+"}


def storage(name: str) -> Storage:
    """All fields are empty if there is none."""
    value = secret(name)
    if not value:
        return Storage()
    match = STORAGE.fullmatch(value)
    options = dict(parse_qsl(match["query"] or "", keep_blank_values=True)) if match else {}
    if not match or any(
        not re.fullmatch(STORAGE_OPTIONS.get(option, ""), held) for option, held in options.items()
    ):
        raise ImproperlyConfigured(
            f"{name} must be like s3://bucket?region=eu-west-1, with "
            "&endpoint=https://s3.example.com for another service than Amazon's; or "
            "azure://account/container."
        )
    return Storage(
        "azure" if match["account"] else "s3",
        match["name"],
        (match["prefix"] or "").strip("/"),
        options.get("region", ""),
        options.get("endpoint", "").rstrip("/"),
        match["account"] or "",
    )


def mail_sender(name: str) -> str:
    """An address, with or without a name before it."""
    value = text(name)
    address = parseaddr(value)[1]
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise ImproperlyConfigured(f"{name} must be like Rooms <rooms@example.com>.")
    return value


def redis(name: str) -> str:
    """A URL for redis-py. Heroku signs its own certificates, which cannot be checked."""
    value = text(name)
    if not value:
        return ""
    # Imported here, since most servers have no Redis, and it takes a twentieth of the start.
    from redis.connection import parse_url

    try:
        parse_url(value)  # type: ignore[no-untyped-call]
    except ValueError:  # which may quote the password
        raise ImproperlyConfigured(
            f"{name} must be like redis://:password@host:6379/0, or rediss:// for TLS."
        ) from None
    url = urlsplit(value)
    if url.scheme == "rediss" and on_heroku() and "ssl_cert_reqs" not in url.query:
        return url._replace(query=f"{url.query}&ssl_cert_reqs=none".lstrip("&")).geturl()
    return value

"""Examinations of the configuration: variables, credentials and access."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Literal, cast

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import ERROR, CheckMessage, Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from access.capabilities import SENSITIVE, Capability
from access.limits import in_redis
from access.shared_files import temporary_folder
from ops.checks import STARTUP
from ops.doctor import platforms
from ops.doctor.finding import Finding
from video import accounts, probe
from video.errors import VideoError
from web import listening
from web.static import ForgivingManifestStorage
from web.version import VERSION

# Django's checks that https() covers: HSTS, the redirect, and secure cookies.
ABOUT_HTTPS = {"security.W004", "security.W008", "security.W010", "security.W016"}
# Messages of checks that name variables to be set.
NOT_SET = re.compile(
    r"([A-Z_]+) is not set|No OpenTok credentials are set: set (\w+) and (\w+)", re.ASCII
)
TO_SET = {"security.W009": ("SECRET_KEY=…",), "security.W018": ("DEBUG=off",)}


def release() -> Iterator[Finding]:
    yield Finding("ok", "release", f"OpenTok Rooms {VERSION}.")


def platform() -> Iterator[Finding]:
    here = platforms.current()
    yield Finding("ok", "platform", f"{here.name}. {here.note}".rstrip())


def configuration() -> Iterator[Finding]:
    found = run_checks(tags=[STARTUP], include_deployment_checks=True)
    yield from _from_checks("configuration", found)
    said = [check.msg for check in found]
    for look in (partial(listening.resolve, settings.LISTEN), temporary_folder):
        try:
            look()
        except ImproperlyConfigured as error:
            if str(error) not in said:
                said.append(str(error))
                yield Finding("error", "configuration", str(error))
    if not said:
        yield Finding("ok", "configuration", "What is needed is set, and fits together.")


def opentok() -> Iterator[Finding]:
    try:
        account = accounts.current()
        found = probe.check()
    except ImproperlyConfigured:
        return  # configuration() has said so
    except VideoError as error:
        yield Finding(
            "error",
            "opentok",
            f"{error.title}, at {account.api_url}: {error.reason}.",
            "Try again. If it stays so, see whether this machine may call that address, and "
            "whether OPENTOK_API_URL is right, if it is set.",
        )
        return
    if found.credentials:
        yield Finding("error", "credentials", found.credentials.problem, found.credentials.remedy)
    elif found.accepted:
        yield Finding("ok", "credentials", f"OpenTok takes those of {account.project_id}.")
    if found.clock:
        yield Finding("error", "clock", found.clock.problem, found.clock.remedy)
    else:
        yield Finding("ok", "clock", "OpenTok's answer shows no other time.")


def static_files() -> Iterator[Finding]:
    remedy = "Run `python manage.py collectstatic --noinput`."
    storage = cast(ForgivingManifestStorage, staticfiles_storage)
    collected, _ = storage.load_manifest()
    missing = sorted(
        name
        for finder in get_finders()
        for name, _ in finder.list(StaticFilesConfig.ignore_patterns)
        if not (name in collected and storage.exists(collected[name]))
    )
    if not collected:
        message = "They are not collected, so that browsers may not keep them for long."
        yield Finding("warning", "static files", message, remedy)
    elif missing:
        message = f"{len(missing)} are not among the collected ones, such as {missing[0]}."
        yield Finding("error", "static files", message, remedy)
    else:
        yield Finding("ok", "static files", "All of them are collected.")


def https() -> Iterator[Finding]:
    if not settings.SECURE_SSL_REDIRECT:
        yield Finding(
            "warning",
            "https",
            "SECURE_SSL_REDIRECT is off: tokens and cookies may travel over plain http, and behind "
            "a proxy that ends TLS nobody can log in to the admin.",
            "Set SECURE_SSL_REDIRECT=on, unless only this machine uses the server.",
            variables=("SECURE_SSL_REDIRECT=on",),
        )
        return
    yield Finding(
        "ok",
        "https",
        "http leads to https, with HSTS; cookies are for https alone. That takes a proxy in front "
        "which ends TLS and sends X-Forwarded-Proto.",
    )


def security() -> Iterator[Finding]:
    """Django's own checks of the rest, such as SECRET_KEY and DEBUG."""
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    told = [check for check in found if not check.is_silenced() and check.id not in ABOUT_HTTPS]
    yield from _from_checks("security", told)
    if not told:
        yield Finding("ok", "security", "SECRET_KEY is long enough, and DEBUG is off.")


def host_names() -> Iterator[Finding]:
    here = platforms.current()
    name = here.own_host_name().lower()
    if not name:
        return
    if validate_host(name, settings.ALLOWED_HOSTS):
        yield Finding("ok", "host names", f"{here.name} shows this server at {name}.")
        return
    yield Finding(
        "warning",
        "host names",
        f"{here.name} shows this server at {name}, which ALLOWED_HOSTS does not name: requests "
        "there get a 400.",
        f"Add {name} to ALLOWED_HOSTS, unless all clients come by another name.",
        variables=(f"ALLOWED_HOSTS={','.join([*settings.ALLOWED_HOSTS, name])}",),
    )


def access() -> Iterator[Finding]:
    """What ANONYMOUS_ACCESS permits."""
    words = [word for word in Capability if word in settings.ANONYMOUS_ACCESS]
    sentence = f"Without a key all clients may: {', '.join(words) or 'nothing'}."
    if sensitive := [word for word in SENSITIVE if word in words]:
        harmless = [word for word in words if word not in sensitive]
        yield Finding(
            "warning",
            "access",
            f"{sentence} That costs money, or acts on other people.",
            f"Take {', '.join(sensitive)} out of ANONYMOUS_ACCESS, unless only clients that you "
            "trust reach this server. Participants can caption their own session without it.",
            variables=(f"ANONYMOUS_ACCESS={','.join(harmless) or 'none'}",),
        )
    else:
        yield Finding("ok", "access", sentence)


def phones() -> Iterator[Finding]:
    if not (settings.CONFERENCE_NUMBER or settings.SIP_URI):
        yield Finding("ok", "phones", "Not set up; rooms are without them.")
    elif settings.VOICE_SIGNATURE_SECRET:
        yield Finding("ok", "phones", "Set up, and webhooks of the Voice API have to be signed.")
    else:
        yield Finding(
            "warning",
            "phones",
            "VOICE_SIGNATURE_SECRET is not set, so that webhooks of the Voice API are not checked.",
            "Set it to the signature secret of the Vonage account.",
            variables=("VOICE_SIGNATURE_SECRET=…",),
        )


def rate_limits() -> Iterator[Finding]:
    yield from proxies()
    if not settings.REDIS_URL:
        yield Finding("ok", "rate limits", "Without REDIS_URL each process counts by itself.")
    elif error := in_redis(settings.REDIS_URL).try_out():
        yield Finding(
            "warning",
            "rate limits",
            f"They cannot be counted in Redis: {error}",
            "Correct REDIS_URL, or take it away, and each process counts by itself.",
            variables=("REDIS_URL=…",),
        )
    else:
        yield Finding("ok", "rate limits", "They can be counted in Redis.")


def proxies() -> Iterator[Finding]:
    here = platforms.current()
    if here.proxies is None:
        said, expected = (
            "SECURE_SSL_REDIRECT says that a proxy is",
            int(settings.SECURE_SSL_REDIRECT),
        )
    else:
        said, expected = f"{here.name}'s proxies are", here.proxies
    if settings.RATE_LIMITS and expected > settings.TRUSTED_PROXIES:
        yield Finding(
            "warning",
            "rate limits",
            f"{said} in front, and TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}: many clients "
            "count as one address, a proxy's.",
            f"Set TRUSTED_PROXIES to how many proxies write X-Forwarded-For: {expected}, and one "
            "more for each of your own in front.",
            variables=(f"TRUSTED_PROXIES={expected}",),
        )


def _from_checks(subject: str, found: list[CheckMessage]) -> Iterator[Finding]:
    for check in found:
        level: Literal["warning", "error"] = "error" if check.level >= ERROR else "warning"
        yield Finding(level, subject, check.msg, check.hint or "", variables=_to_set(check))


def _to_set(check: CheckMessage) -> tuple[str, ...]:
    """The variables to be set."""
    if named := NOT_SET.match(check.msg):
        return tuple(f"{name}=…" for name in named.groups() if name)
    return TO_SET.get(str(check.id), ())

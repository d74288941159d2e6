"""Start-up checks. Each message names a variable and a remedy."""

import importlib.util
import logging
import multiprocessing
from contextlib import closing, suppress
from functools import cache
from typing import Any

import psycopg2
from django.conf import settings
from django.core.checks import WARNING, CheckMessage, Error, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.urls import resolve

from video import accounts

logger = logging.getLogger(__name__)

STARTUP = "startup"
STORAGE_PACKAGES = {"s3": "botocore", "azure": "azure"}
TRACES_PACKAGES = [
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.asgi",
]


@register(STARTUP)
def secret_key_is_set(**kwargs: Any) -> list[CheckMessage]:
    with suppress(ImproperlyConfigured):  # Django raises it for an empty SECRET_KEY
        if settings.SECRET_KEY:
            return []
    return [
        Error(
            "SECRET_KEY is not set.",
            hint="Set it to a long random text, for example the output of "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'`. "
            "`make run` does it for you.",
            id="config.E001",
        )
    ]


@register(STARTUP)
def credentials_are_complete(**kwargs: Any) -> list[CheckMessage]:
    try:
        accounts.current()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See .env.example, or try `make run`.", id="config.E002")]
    return []


@register(STARTUP)
def database_outlives_the_dyno(**kwargs: Any) -> list[CheckMessage]:
    if not settings.ON_HEROKU or connection.vendor != "sqlite":
        return []
    return [
        Error(
            "The database is SQLite, a file: on Heroku each dyno has a disk of its own, which is "
            "thrown away at every restart, once a day at least, and all rooms with it.",
            hint="Add PostgreSQL, which sets DATABASE_URL: "
            "`heroku addons:create heroku-postgresql:essential-0`.",
            id="config.E003",
        )
    ]


@register(STARTUP)
def database_is_in_utf8(**kwargs: Any) -> list[CheckMessage]:
    encoding = _encoding_of_postgresql()
    if encoding in (None, "UTF8"):
        return []
    return [
        Error(
            f"DATABASE_URL names a database whose encoding is {encoding}, not UTF8: it cannot hold "
            "every room's name.",
            hint="Make another with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`, "
            "fill it with `pg_dump` and `psql`, and put its name into DATABASE_URL.",
            id="config.E007",
        )
    ]


@cache  # the server's processes are forked from one that has called it
def _encoding_of_postgresql() -> str | None:
    """The encoding; None for SQLite, or if it cannot be reached, which /readyz reports."""
    if connection.vendor != "postgresql":
        return None
    try:
        # Not Django's connection, which forked processes would share.
        own = psycopg2.connect(**connection.get_connection_params())
    except psycopg2.Error:
        return None
    with closing(own):
        return str(own.info.parameter_status("server_encoding"))


@register(STARTUP, deploy=True)
def opentok_is_the_real_one(**kwargs: Any) -> list[CheckMessage]:
    url = settings.OPENTOK["OPENTOK_API_URL"]
    if not accounts.is_local(url) or not (settings.ON_HEROKU or settings.SECURE_SSL_REDIRECT):
        return []
    return [
        Error(
            "OPENTOK_API_URL is a local OpenTok's, which carries no video.",
            hint="Remove OPENTOK_API_URL: the real OpenTok needs none.",
            id="config.E004",
        )
    ]


@register(STARTUP, deploy=True)
def opentok_is_called_over_tls(**kwargs: Any) -> list[CheckMessage]:
    url = settings.OPENTOK["OPENTOK_API_URL"]
    if accounts.is_local(url) or not url.startswith("http:"):
        return []
    return [
        CheckMessage(
            WARNING,
            "OPENTOK_API_URL starts with http://, so that what OpenTok is told can be read and "
            "changed on the way.",
            hint="Make it https://, or remove it: the real OpenTok needs none.",
            id="config.W001",
        )
    ]


@register(STARTUP)
def admin_has_a_path_of_its_own(**kwargs: Any) -> list[CheckMessage]:
    path = f"/{settings.ADMIN_URL}"
    leads_there = all(resolve(page).app_name == "admin" for page in (path, f"{path}login/"))
    if leads_there and not path.startswith(settings.STATIC_URL):
        return []
    taken = f"ADMIN_URL is {settings.ADMIN_URL!r}, which leads elsewhere already."
    return [Error(taken, hint="Choose another path, such as staff/.", id="config.E006")]


@register(STARTUP)
def single_sign_on_is_complete(**kwargs: Any) -> list[CheckMessage]:
    names = ["OIDC_SERVER_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]
    missing = [name for name in names if not getattr(settings, name)]
    if not missing or missing == names:
        return []
    remedy = "Set it to what your identity provider says, or remove the others."
    return [Error(f"{missing[0]} is not set.", hint=remedy, id="config.E009")]


@register(STARTUP)
def mail_can_be_trusted(**kwargs: Any) -> list[CheckMessage]:
    """Links in mails have the host of the request, which clients choose without ALLOWED_HOSTS."""
    if not settings.EMAIL_HOST:
        return []
    missing = []
    if "*" in settings.ALLOWED_HOSTS:
        missing.append(("ALLOWED_HOSTS", "your host names, such as rooms.example.com"))
    if not settings.DEFAULT_FROM_EMAIL:
        missing.append(("DEFAULT_FROM_EMAIL", "the sender, such as rooms@example.com"))
    return [
        Error(
            f"EMAIL_URL is set, and {name} is not.",
            hint=f"Set {name} to {what}.",
            id="config.E008",
        )
        for name, what in missing
    ]


@register(STARTUP)
def storage_can_be_spoken_to(**kwargs: Any) -> list[CheckMessage]:
    kind = settings.ARCHIVE_STORAGE.kind
    if kind == "azure" and not settings.AZURE_STORAGE_KEY:
        remedy = "Set it to a key of the account in ARCHIVE_STORAGE_URL."
        return [Error("AZURE_STORAGE_KEY is not set.", hint=remedy, id="config.E011")]
    package = STORAGE_PACKAGES.get(kind)
    return _missing("ARCHIVE_STORAGE_URL", [package] if package else [], "storage", "config.E010")


@register(STARTUP)
def traces_can_be_sent(**kwargs: Any) -> list[CheckMessage]:
    packages = TRACES_PACKAGES if settings.OTEL_EXPORTER_OTLP_ENDPOINT else []
    return _missing("OTEL_EXPORTER_OTLP_ENDPOINT", packages, "traces", "config.E012")


def _missing(variable: str, packages: list[str], file: str, id_: str) -> list[CheckMessage]:
    """An error for the first package that a variable needs and that is not installed."""
    for package in packages:
        with suppress(ModuleNotFoundError):  # of the package above it
            if importlib.util.find_spec(package):
                continue
        return [
            Error(
                f"{variable} is set, and the package {package} is not installed.",
                hint=f"Run `pip install -r requirements-{file}.txt`; docker build takes "
                f'`--build-arg EXTRA="-r requirements-{file}.txt"`.',
                id=id_,
            )
        ]
    return []


@register(STARTUP)
def names_are_spelt_right(**kwargs: Any) -> list[CheckMessage]:
    remedy = "Correct its name, or remove it."
    return [
        CheckMessage(WARNING, sentence, hint=remedy, id="config.W002")
        for sentence in settings.MISSPELT_VARIABLES
    ]


def refuse_to_start_misconfigured() -> None:
    """Run the checks outside of management commands. ImproperlyConfigured has all errors."""
    found = run_checks(tags=[STARTUP])
    if errors := [check for check in found if check.is_serious()]:
        raise ImproperlyConfigured("\n".join(f"{check.msg} {check.hint}" for check in errors))
    if multiprocessing.parent_process() is None:  # once, and not by each worker
        for check in found:
            logger.warning("%s %s", check.msg, check.hint)

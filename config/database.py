"""Django's settings of the database at a URL.

libpq parses URLs of PostgreSQL, so that all documented parameters work, and checks most of them at
the start:
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg2
from django.core.exceptions import ImproperlyConfigured
from psycopg2.extensions import parse_dsn

from config import environment

# Writers wait for one another instead of failing with "database is locked": WAL lets readers go on,
# and IMMEDIATE takes the write lock when a transaction begins, where waiting is still possible.
# The file is mapped, so that the threads share what was read of it; each keeps 200 kB of its own.
SQLITE: dict[str, Any] = {
    "ENGINE": "config.sqlite",
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA mmap_size=1073741824; PRAGMA cache_size=-200;"
        ),
    },
}

# The threads of a process share a few connections, each for as long as a request needs it.
POSTGRESQL: dict[str, Any] = {
    "ENGINE": "config.postgresql",
    "CONN_MAX_AGE": 0,
    # Behind PgBouncer the next part of one could be asked for on another connection.
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
# Seconds to connect; milliseconds until unacknowledged data ends a connection; and keepalive
# probes, in seconds, for a server that has died silently after it got a statement.
OPTIONS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
EXAMPLE = "postgres://user:password@host:5432/name"

# Django has settings for these. All other parameters are options.
SETTINGS = {
    "dbname": "NAME",
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
}
# libpq goes on without some of them in silence, so that it would trust any server.
FILES = ["sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir"]
# A folder without a socket: libpq checks most parameters before it fails to connect there.
NOWHERE = "/nonexistent"


def read(name: str, default: str, *, base: Path) -> dict[str, Any]:
    """The database of a variable; a relative SQLite path is relative to `base`.

    Errors quote the names of parameters, but no values, which may be secret.
    """
    url = environment.text(name, default)
    scheme = url.partition(":")[0]
    try:
        if scheme == "sqlite":
            return SQLITE | {"NAME": _file(url, base)}
        if scheme in {"postgres", "postgresql"}:
            return POSTGRESQL | _postgresql(url)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} {error}") from None
    raise ImproperlyConfigured(f"{name} must start with postgres:// or sqlite:///.")


def _file(url: str, base: Path) -> str:
    path = unquote(url.removeprefix("sqlite:///"), errors="surrogateescape")
    if not url.startswith("sqlite:///") or path in {"", ":memory:"}:
        raise ValueError(
            "must name a file, which the processes share: sqlite:///file beside manage.py, or with "
            "four slashes sqlite:////folder/file anywhere."
        )
    if "?" in url:
        raise ValueError("can have no parameters for SQLite. In the name of a file ? is %3F.")
    if "\0" in path:
        raise ValueError("has a NUL, which no file may have in its name.")
    try:
        is_folder = path.endswith(("/", "/.", "/..")) or (base / path).is_dir()
    except OSError as error:
        raise ValueError(f"names a path that cannot be looked at: {error.strerror}.") from None
    if is_folder:
        raise ValueError("names a folder. It must name a file, such as sqlite:////folder/file.")
    return str(base / path)


def _postgresql(url: str) -> dict[str, Any]:
    given = _taken_apart(url)
    if given is None:
        raise ValueError(_what_is_wrong(url))
    settings = {setting: given.pop(name, "") for name, setting in SETTINGS.items()}
    if not (settings["NAME"] or "service" in given):
        raise ValueError(f"names no database; it must be like {EXAMPLE}.")
    if settings["NAME"].startswith("/"):
        raise ValueError(
            "has a path for a name. The folder of a socket is a parameter: "
            "postgres://user:password@/name?host=/var/run/postgresql."
        )
    # Heroku's databases take nothing but TLS, with a self-signed certificate, and their URLs do
    # not say so.
    of_heroku = {"sslmode": "require"} if environment.on_heroku() else {}
    return settings | {"OPTIONS": OPTIONS | of_heroku | given}


def _taken_apart(url: str) -> dict[str, str] | None:
    """The decoded parts of a URL; None if libpq refuses them."""
    try:
        given: dict[str, str] = parse_dsn(url)
    except (psycopg2.Error, ValueError):
        return None
    if "@" in given.get("host", "").lstrip("@"):
        return None
    files = {given.get(name, "") for name in FILES} - {"", "system"}
    # Not Path.exists: on Python 3.11 that raises where this user may not look.
    if not all(os.access(file, os.F_OK) for file in files):
        return None
    others = given.get("host", "").count(",")
    nowhere = {"host": NOWHERE + f",{NOWHERE}" * others, "hostaddr": ""}
    try:
        psycopg2.connect(**given | nowhere)
    except psycopg2.Error as error:
        return given if NOWHERE in str(error) else None
    return given


def _query(url: str) -> str:
    """The part after the first `?` behind the password, which may have one itself."""
    has_user = re.match("[^/]*//[^/@]*@", url)
    return url[has_user.end() if has_user else 0 :].partition("?")[2]


def _what_is_wrong(url: str) -> str:
    """Without libpq's message, which may quote a part of the password."""
    query = _query(url)
    for parameter in query.split("&") if "@" not in query else ():  # or it is the password's
        name = unquote(parameter.partition("=")[0])
        if _taken_apart(f"postgres:///?{parameter}") is None:
            return (
                f"has a parameter {name!r} that cannot be used, or not with this value. Remove it, "
                "or see PostgreSQL's documentation of connection URIs."
            )
    return (
        f"is not a database URL such as {EXAMPLE}. What is neither a letter nor a digit has to be "
        "percent-encoded in its parts: @ is %40, / is %2F."
    )

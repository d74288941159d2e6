"""Read a variable of the environment, or say by its name what is wrong with it.

An empty value counts as not set, so that a blank line in `.env` or in a PaaS dashboard is harmless.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def load_dotenv(path: Path) -> None:
    """Fill in from `path` what the real environment does not set."""
    environ.Env.read_env(path)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def flag(name: str) -> bool:
    value = text(name, "off").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")
    return value in TRUE


def number(name: str, default: float, *, at_least: float, at_most: float) -> float:
    value = text(name, str(default))
    try:
        parsed = float(value)
    except ValueError:
        parsed = float("nan")
    if not at_least <= parsed <= at_most:
        raise ImproperlyConfigured(
            f"{name} must be a number from {at_least:g} to {at_most:g}, not {value!r}."
        )
    return parsed


def one_of(name: str, default: str, *, choices: Sequence[str]) -> str:
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def database(name: str, default: str, *, base: Path) -> dict[str, Any]:
    """Django's settings for the database at a URL; a relative SQLite path counts from `base`."""
    try:
        config: dict[str, Any] = environ.Env.db_url_config(text(name, default))
    except Exception as error:  # the parser lets whatever it trips over escape
        raise ImproperlyConfigured(
            f"{name} is not a database URL such as postgres://user:password@host:5432/name."
        ) from error
    if config.get("ENGINE") == "django.db.backends.sqlite3":
        return config | SQLITE | {"NAME": str(base / config["NAME"])}
    if config.get("ENGINE") == "django.db.backends.postgresql":
        return config | POSTGRESQL | {"OPTIONS": config.get("OPTIONS", {})}
    raise ImproperlyConfigured(f"{name} must start with sqlite: or postgres:.")


# Writers wait for one another instead of failing with "database is locked": WAL lets readers go on,
# and IMMEDIATE takes the write lock when a transaction begins, where waiting is still possible.
SQLITE: dict[str, Any] = {
    "CONN_MAX_AGE": None,
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    },
}

# A connection is kept for each thread and checked before use, so that one that the server has
# dropped costs a reconnect and not a failed request.
POSTGRESQL: dict[str, Any] = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}

"""New databases of both kinds, gone when the measuring is over."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql

from tests.on_postgresql import postgresql

PREFIX = "rooms_bench_"


@contextmanager
def new_databases(*names: str) -> Iterator[dict[str, dict[str, str]]]:
    """The URLs of empty ones: `{"SQLite": {name: url}, "PostgreSQL": {name: url}}`."""
    with tempfile.TemporaryDirectory(prefix="rooms-bench-") as folder, postgresql() as server:
        for name in names:
            _on(server, "CREATE DATABASE {}", PREFIX + name)
        try:
            yield {
                "SQLite": {name: f"sqlite:///{folder}/{name}.sqlite3" for name in names},
                "PostgreSQL": {
                    name: urlsplit(server)._replace(path=f"/{PREFIX}{name}").geturl()
                    for name in names
                },
            }
        finally:
            for name in names:
                _on(server, "DROP DATABASE {} WITH (FORCE)", PREFIX + name)


def connect(url: str) -> Any:
    """A DB-API connection that speaks UTC, waits a minute for a lock, and commits by itself."""
    if is_sqlite(url):
        path = url.removeprefix("sqlite:///")
        return sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    connection = psycopg2.connect(url, options="-c timezone=UTC")
    connection.autocommit = True
    return connection


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def version(url: str) -> str:
    query = "SELECT sqlite_version()" if is_sqlite(url) else "SHOW server_version"
    with closing(connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return str(cursor.fetchone()[0]).split()[0]


def _on(server: str, statement: str, name: str) -> None:
    with closing(connect(server)) as connection:
        connection.cursor().execute(sql.SQL(statement).format(sql.Identifier(name)))

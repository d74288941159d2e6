"""A server whose database can be read and takes no writes, in each way that the world has for it."""

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from tests.server_process import Server, url_of_test_database

KINDS = {"postgresql": ["read-only", "revoked"], "sqlite": ["read-only", "full"]}[connection.vendor]


@contextmanager
def refusing_server(kind: str, folder: Path, **environment: str) -> Iterator[Server]:
    """A server on the test's own database, or on a copy of it as it is now."""
    with refusing_database(kind, folder) as url, Server(DATABASE_URL=url, **environment) as server:
        if kind == "full":
            limit_files(server, 0)
        yield server


@contextmanager
def refusing_database(kind: str, folder: Path) -> Iterator[str]:
    """Its URL. A full disk is something that processes meet: `limit_files`."""
    if kind == "revoked":
        with revoked() as url:
            yield url
    elif connection.vendor == "postgresql":
        with read_only():
            yield url_of_test_database()
    elif kind == "read-only":
        yield f"sqlite:///{read_only_copy(folder)}"
    else:
        yield url_of_test_database()


def limit_files(server: Server, size: int) -> None:
    """Let the server's processes write no byte beyond this many into any file."""
    for pid in server.workers():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def read_only() -> Iterator[None]:
    """As a standby is, and what hosts do to a database whose disk is full."""
    setting = (
        f"ALTER DATABASE {connection.settings_dict['NAME']} {{}} default_transaction_read_only"
    )
    run(setting.format("SET") + " = on")
    try:
        yield
    finally:
        run(setting.format("RESET"))


@contextmanager
def revoked() -> Iterator[str]:
    reader = f"reader_of_{connection.settings_dict['NAME']}"  # roles are of all databases
    run(f"CREATE ROLE {reader} LOGIN PASSWORD 'reader'")
    run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
    url = urlsplit(url_of_test_database())
    place = url.netloc.rpartition("@")[2]
    try:
        yield url._replace(netloc=f"{reader}:reader@{place}").geturl()
    finally:
        run(f"DROP OWNED BY {reader}")
        run(f"DROP ROLE {reader}")


def read_only_copy(folder: Path) -> Path:
    """A file that SQLite may not write to, whoever the user is: root may write to all others.

    https://www.sqlite.org/fileformat.html#file_format_version_numbers
    """
    copy = folder / "read-only.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(copy)])
    sqlite3.connect(copy).execute("PRAGMA journal_mode=WAL").connection.close()
    with copy.open("r+b") as file:
        os.pwrite(file.fileno(), b"\x03", 18)
    return copy


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # this process may have connected meanwhile
            cursor.execute("SET default_transaction_read_only = off")
        cursor.execute(statement)

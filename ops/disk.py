"""The size of the database, and the space on its disk."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.db import connection


class Use(NamedTuple):
    """In bytes. PostgreSQL's disk is on another machine, and so unknown."""

    database: int
    disk: int = 0
    free: int = 0


def storage_use() -> Use:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return Use(cursor.fetchone()[0])
    file = Path(str(connection.settings_dict["NAME"]))
    if not file.exists():  # it is in memory
        return Use(0)
    disk = shutil.disk_usage(file.parent)
    return Use(file.stat().st_size + _log_size(file), disk.total, disk.free)


def _log_size(file: Path) -> int:
    """The size of SQLite's write-ahead log, which exists while the database is open."""
    with suppress(FileNotFoundError):
        return Path(f"{file}-wal").stat().st_size
    return 0

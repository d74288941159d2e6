"""How long migrations of a large database keep others waiting.

The tables are made as our first migrations make them, and filled. What came after runs one by one,
as a release does it: while the server, in its old version, goes on reading and writing.
"""

import sqlite3
import threading
import time
import uuid
from contextlib import closing
from typing import Self

import psycopg2

from bench import databases
from bench.fill import ROOM, room_name
from bench.processes import manage
from bench.report import table, tell

FIRST = [["archives", "0001"], ["meetings", "0001"], ["auth"], ["admin"], ["sessions"]]
PAUSE = 0.01

# What the first version of the server does all day. {new} is never the same.
READS = [
    f"SELECT {ROOM} FROM rooms_room WHERE name = '{room_name(1)}'",  # noqa: S608
    "SELECT id, status FROM archives_archive ORDER BY created_at DESC, id DESC LIMIT 1",
]
WRITES = [
    f"UPDATE rooms_room SET last_used_at = '2026-01-01' WHERE name = '{room_name(1)}'",  # noqa: S608
    "UPDATE archives_archive SET reason = 'session ended' WHERE id = "
    "(SELECT id FROM archives_archive ORDER BY created_at DESC, id DESC LIMIT 1)",
    f"INSERT INTO rooms_room ({ROOM}) "  # noqa: S608
    "VALUES ('{new}', '1_{new}', false, '', '2026-01-01', '2026-01-01')",
]


class Client(threading.Thread):
    """Runs the same statements over and over. Times in seconds."""

    def __init__(self, url: str, statements: list[str]) -> None:
        super().__init__()
        self.longest = 0.0
        self.refused = 0
        self._url = url
        self._statements = statements
        self._enough = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._enough.set()
        self.join()

    def run(self) -> None:
        with closing(databases.connect(self._url)) as connection:
            cursor = connection.cursor()
            while not self._enough.wait(PAUSE):
                for statement in self._statements:
                    started = time.monotonic()
                    try:
                        cursor.execute(statement.replace("{new}", uuid.uuid4().hex))
                    except (sqlite3.Error, psycopg2.Error):
                        self.refused += 1
                    self.longest = max(self.longest, time.monotonic() - started)


def make_first_tables(url: str) -> None:
    for target in FIRST:
        manage(url, "migrate", "-v0", *target)


def migrate(kind: str, url: str) -> list[list[str]]:
    """Rows for `section`: what came after the first migrations, and then once more for nothing."""
    rows = []
    for label, target in [*_pending(url), ("none left", [])]:
        tell(f"{kind}: migration {label}")
        started = time.monotonic()
        with Client(url, READS) as reader, Client(url, WRITES) as writer:
            manage(url, "migrate", "-v0", *target)
        rows.append([
            kind, label, f"{time.monotonic() - started:.1f}", f"{reader.longest * 1000:.0f}",
            f"{writer.longest * 1000:.0f}", str(reader.refused + writer.refused),
        ])  # fmt: skip
    return rows


def section(rows: list[list[str]], *, size: int) -> str:
    return (
        f"### Migrations of {size:,} rooms and as many recordings\n\n"
        "Made by the first migrations and filled; the later ones run one by one while two clients "
        "read and write rooms and recordings as the first version of the server does. Of each run "
        "of `migrate`, which takes its time to start, the longest that a statement took, and how "
        "many were refused.\n\n"
        + table(
            "database | migration | in all, s | longest read, ms | longest write, ms | refused",
            rows,
        )
    )


def _pending(url: str) -> list[tuple[str, list[str]]]:
    """`("rooms.0002_…", ["rooms", "0002_…"])` for each migration that has not run, in order."""
    plan = manage(url, "showmigrations", "--plan").splitlines()
    names = [line.split()[-1] for line in plan if line.startswith("[ ]")]
    return [(name, name.split(".")) for name in names]

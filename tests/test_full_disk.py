"""A disk that fills, with SQLite's file on it: told in time, and over as soon as there is room."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from ops.disk import storage_use
from ops.health import GOOD_FOR
from tests.server_process import ROOT, Server
from tests.test_failing_database import assert_unavailable
from tests.test_metrics import KEY

MEGABYTE = 1024 * 1024
# A user may mount a disk in a namespace of their own, where the kernel lets them.
OWN_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
START = """
mount -t tmpfs -o size=16m tmpfs "$FOLDER" && "$PYTHON" manage.py migrate -v0 &&
exec "$PYTHON" -m config.server --host 127.0.0.1
"""
COUNT = "from rooms.models import Room; print(Room.objects.count())"


class OnSmallDisk(Server):
    """A server whose database is alone on a disk of 16 MB."""

    def __init__(self, folder, **environment):
        self.folder = folder
        super().__init__(
            DATABASE_URL=f"sqlite:///{folder}/db.sqlite3", FOLDER=str(folder),
            PYTHON=sys.executable, is_forked=False, **environment,
        )  # fmt: skip
        self.command = [*OWN_NAMESPACE, "sh", "-c", START]

    def manage(self, *arguments):
        """What a command writes that is run beside the server."""
        inside = ["nsenter", f"--target={self.process.pid}", "--user", "--mount",
                  f"--wd={ROOT}", "--preserve-credentials"]  # fmt: skip
        command = [*inside, sys.executable, "manage.py", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    @contextmanager
    def filled(self, *, leaving):
        """So many bytes are free until the end of the block."""
        disk = Path(f"/proc/{self.process.pid}/root{self.folder}")
        with (disk / "filler").open("wb") as filler:
            found = os.statvfs(disk)
            os.posix_fallocate(filler.fileno(), 0, found.f_bavail * found.f_frsize - leaving)
        try:
            yield
        finally:
            (disk / "filler").unlink()

    def told(self):
        """By the metrics, whether alerts.yml alerts, and by the doctor."""
        lines = self.get("/metrics", headers=KEY).text.splitlines()
        value = dict(
            line.split() for line in lines if line.startswith("rooms_d") and "{" not in line
        )
        free = float(value["rooms_disk_free_bytes"]) / float(value["rooms_disk_bytes"])
        findings = json.loads(self.manage("doctor", "--json"))
        levels = {found["subject"]: found["level"] for found in findings}
        return free < 0.1, float(value["rooms_database_up"]), levels["disk"], levels["database"]


@pytest.fixture
def server(opentok, tmp_path):
    probe = subprocess.run([*OWN_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)])
    if probe.returncode:
        pytest.skip("the kernel lets this user mount no disk")
    with OnSmallDisk(tmp_path, OPENTOK_API_URL=opentok.url) as server:
        yield server


def test_a_disk_is_told_before_it_is_full_and_refuses_new_rooms_until_there_is_space(server):
    known = server.get("/room/known").json()["sessionId"]
    assert server.told() == (False, 1, "ok", "ok")
    with server.filled(leaving=MEGABYTE):
        assert server.told() == (True, 1, "warning", "ok")
        assert server.get("/room/while-there-is-space").status_code == 200
    with server.filled(leaving=0):
        made = 2
        while (answer := server.get(f"/room/{made}")).status_code == 200:
            made += 1
        assert_unavailable(answer)
        assert server.get("/room/known").json()["sessionId"] == known
        told = server.get_until(503, "/readyz", within=5).json()
        assert told["database"] == "takes no writes"
        time.sleep(GOOD_FOR)  # for which the other process takes itself for ready
        assert server.told() == (True, 0, "warning", "error")
    assert server.get("/room/with-space-again").status_code == 200
    assert server.get_until(200, "/readyz", within=5).status_code == 200
    assert int(server.manage("shell", "-v0", "-c", COUNT)) == made + 1
    assert server.told() == (False, 1, "ok", "ok")


def test_a_database_is_as_large_as_its_file_and_what_is_not_yet_written_into_it(transactional_db):
    file = Path(connection.settings_dict["NAME"])
    log = Path(f"{file}-wal")
    connection.cursor().execute("CREATE TABLE large AS SELECT randomblob(1000000)")
    try:
        assert log.stat().st_size > 1_000_000
        assert storage_use().database == file.stat().st_size + log.stat().st_size
    finally:
        connection.cursor().execute("DROP TABLE large")

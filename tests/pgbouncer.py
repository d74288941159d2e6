"""Runs a PgBouncer in transaction mode in front of the tests' PostgreSQL, where there is one."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from psycopg2.extensions import make_dsn, parse_dsn

from tests.server_process import free_port, url_of_test_database
from tests.service import Service

# Debian keeps it off the PATH of most users.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class PgBouncer(Service):
    """`with PgBouncer(folder) as pooler: Server(DATABASE_URL=pooler.url)`.

    All its clients share one connection, so that each sees what another has left behind.
    """

    name = "PgBouncer"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.target = parse_dsn(url_of_test_database())
        user = self.target.get("user", "postgres")
        name = urlsplit(url_of_test_database()).path
        self.url = f"postgres://{user}@127.0.0.1:{self.port}{name}"

    def __enter__(self) -> Self:
        target = make_dsn(**{name: text for name, text in self.target.items() if text})
        (self.folder / "pgbouncer.ini").write_text(
            f"[databases]\n{self.target['dbname']} = {target}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\ndefault_pool_size = 1\n"
        )
        user = None
        if os.geteuid() == 0:  # as which PgBouncer refuses to run
            user = "nobody"
            for path in [self.folder, *self.folder.parents]:
                if path.owner() == "root" and path != Path(path.anchor):
                    path.chmod(path.stat().st_mode | 0o011)
            (self.folder / "pgbouncer.ini").chmod(0o644)
        command = [str(PROGRAM), "pgbouncer.ini"]
        self.start(command, cwd=self.folder, user=user, stderr=subprocess.DEVNULL)
        return self

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

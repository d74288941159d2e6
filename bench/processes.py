"""Start the servers that are measured, and ask the kernel what they cost."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.emulator_process import Emulator
from tests.server_process import free_port

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "bench" / "peer"
CREDENTIALS = {"TOKBOX_API_KEY": Emulator.api_key, "TOKBOX_SECRET": Emulator.secret}
WORKERS = "2"
CALLBACK_SECRET = "bench-only-callback-secret-of-40-letters"  # noqa: S105
# What Debian calls them, where that is not the program's name.
PACKAGES = {"node": "nodejs"}


@dataclass
class Running:
    name: str
    url: str
    pid: int
    database: str = ""

    def pids(self) -> list[int]:
        """The process and all below it."""
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
                    found += [int(child) for child in task.read_text().split()]
        return found

    def cpu_seconds(self) -> float:
        """User and system time of all of its processes so far."""
        return cpu_seconds(self.pids())

    def memory_mb(self) -> float:
        """Resident memory of its largest process, in MB."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()]
        return max(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of these processes so far."""
    spent = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / os.sysconf("SC_CLK_TCK")


def require(*programs: str) -> None:
    """End here, with a sentence, on a machine where this cannot be measured."""
    if not Path("/proc/self/statm").exists():
        sys.exit("What a server costs is read from /proc, so that this needs Linux.")
    for program in programs:
        if not shutil.which(program):
            sys.exit(f"This needs {program}: apt-get install {PACKAGES.get(program, program)}")


@contextmanager
def peer(opentok: Emulator) -> Iterator[Running]:
    """The Express server that does what the sample does: one process, as Heroku runs the sample."""
    lock, installed = PEER / "package-lock.json", PEER / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=PEER, check=True)
    command = ["node", "server.js"]
    with running("peer", command, PEER, opentok=opentok, NODE_ENV="production") as server:
        yield server


@contextmanager
def ours(
    name: str, database: str, opentok: Emulator, *, log: int = subprocess.DEVNULL, **more: str
) -> Iterator[Running]:
    """The server exactly as the Procfile starts it; `more` are environment variables."""
    manage(database, "migrate", "-v0")
    web = (ROOT / "Procfile").read_text().splitlines()[0].removeprefix("web: ").split()
    command = [sys.executable, *web[1:]]
    variables = settings(database) | more
    with running(name, command, ROOT, opentok=opentok, log=log, **variables) as server:
        server.database = database
        yield server


def manage(database: str, *command: str, **more: str) -> str:
    """What `manage.py` with this command writes."""
    environment = os.environ | CREDENTIALS | settings(database) | more
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE,
    ).stdout  # fmt: skip


def settings(database: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "SECRET_KEY": "b" * 50,
        "WEB_CONCURRENCY": WORKERS,
        "CALLBACK_SECRET": CALLBACK_SECRET,
        # A space counts as not set, and keeps what `.env` has to say out.
        "VONAGE_APPLICATION_ID": " ",
        "VONAGE_PRIVATE_KEY": " ",
        # Counted, as they are in production, but out of reach.
        "RATE_LIMITS": ",".join(
            f"{what}=1000000000/minute"
            for what in ("join", "create", "record", "archive", "refused", "other")
        ),
    }


@contextmanager
def running(
    name: str,
    command: list[str],
    folder: Path,
    *,
    opentok: Emulator,
    log: int = subprocess.DEVNULL,
    **more: str,
) -> Iterator[Running]:
    port = free_port()
    environment = CREDENTIALS | {"PORT": str(port), "OPENTOK_API_URL": opentok.url} | more
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=log,
        stderr=log,
    )
    try:
        server = Running(name, f"http://127.0.0.1:{port}", process.pid)
        wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait()


def wait_for(server: Running) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(server.url + "/room/known", timeout=10)
        except urllib.error.HTTPError as error:
            sys.exit(f"{server.name} answered {error.code} to its first request.")
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{server.name} did not start.")

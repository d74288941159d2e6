"""Start the servers that are measured, and ask the kernel what they cost."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "bench" / "peer"
TICKS = os.sysconf("SC_CLK_TCK")
KEY, SECRET = "45999999", "5ca1ab1e0ddba11f00dfacade0ff1ce0c0ffee00"


@dataclass
class Running:
    name: str
    url: str
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """The process and all below it."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in task.read_text().split()]
        return found

    def cpu_seconds(self) -> float:
        """User and system time of all of its processes so far."""
        spent = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            spent += int(fields[11]) + int(fields[12])
        return spent / TICKS

    def memory_mb(self) -> float:
        """Resident memory of its largest process, in MB."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()]
        return max(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def local_opentok() -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "emulator",
        "--port",
        "0",
        "--api-key",
        KEY,
        "--secret",
        SECRET,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield (process.stdout.readline() if process.stdout else "").split()[-1]
    finally:
        process.terminate()
        process.wait()


def peer(opentok: str) -> Running:
    """The Express server that does what the sample does, one process, as its Procfile has it."""
    if not (PEER / "node_modules").exists():
        npm = shutil.which("npm") or sys.exit("The peer needs Node.js and npm.")
        subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--silent"], cwd=PEER, check=True
        )
    return start("peer", ["node", "server.js"], PEER, opentok=opentok, NODE_ENV="production")


def ours(name: str, database: str, opentok: str) -> Running:
    """The server exactly as the Procfile starts it."""
    settings = {"DATABASE_URL": database, "SECRET_KEY": "b" * 50, "WEB_CONCURRENCY": "2"}
    environment = os.environ | settings | {"TOKBOX_API_KEY": KEY, "TOKBOX_SECRET": SECRET}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
    )
    web = (ROOT / "Procfile").read_text().splitlines()[0].removeprefix("web: ").split()
    return start(name, [sys.executable, *web[1:]], ROOT, opentok=opentok, **settings)


def start(name: str, command: list[str], folder: Path, *, opentok: str, **more: str) -> Running:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PORT": str(port),
        "TOKBOX_API_KEY": KEY,
        "TOKBOX_SECRET": SECRET,
        "OPENTOK_API_URL": opentok,
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environment | more,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Running(name, f"http://127.0.0.1:{port}", process)
    wait_for(running)
    return running


def wait_for(running: Running) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(running.url + "/room/known", timeout=10)
        except urllib.error.HTTPError as error:
            sys.exit(f"{running.name} answered {error.code} to its first request.")
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"{running.name} did not start.")


def stop(running: Running) -> None:
    running.process.terminate()
    running.process.wait()

"""Start the server for development: `make run`.

Migrates, then runs the server and, unless credentials are set in the environment or in `.env`, the
local OpenTok beside it. Whatever it starts ends with it.
"""

import argparse
import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent
CREDENTIALS = ["TOKBOX_API_KEY", "TOKBOX_SECRET", "VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"]
ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
START_SECONDS = 30
# More than the server needs to answer what is under way.
STOP_SECONDS = 25

READY = """
  OpenTok Rooms is at  {url}

  OpenTok   {opentok}
  Try       curl -L {url}/session
            curl {url}/room/standup
  Admin     {url}/{admin}  (make an account for it: make superuser)

  Ctrl-C ends it.
"""


def main() -> None:
    options = arguments()
    environment.load_dotenv(BASE_DIR / ".env")
    port = environment.integer("PORT", 8080, at_least=1, at_most=65_535)
    admin = environment.path_prefix("ADMIN_URL", "admin/")
    has_credentials = any(environment.text(name, has_lines=True) for name in CREDENTIALS)
    if not environment.text("SECRET_KEY"):
        os.environ["SECRET_KEY"] = kept(options.kept / "secret_key")
    if not environment.text("ANONYMOUS_ACCESS", has_lines=True):
        # Everything that the sample server lets everybody do.
        os.environ["ANONYMOUS_ACCESS"] = "join,record,view,list"
    refuse_unusable_port(options.host, port)
    for ending in ENDINGS:
        signal.signal(ending, lambda *_: sys.exit(0))
    with children() as started:
        opentok = "your own project, as the credentials say"
        if not has_credentials:
            callbacks = f"http://{reached_at(options.host)}:{port}/callbacks"
            someone_connected = not options.nobody_connected
            started.append(
                local_opentok(callbacks, options.kept, someone_connected=someone_connected)
            )
            opentok = f"local, at {os.environ['OPENTOK_API_URL']} (no credentials are set)"
        run("manage.py", "migrate", "--verbosity", "0")
        server = [sys.executable, "-m", "config.server", "--host", options.host]
        started.append(start(server))
        here = reached_at(options.host)
        wait_until_it_listens(here, port, started)
        url = f"http://{here}:{port}"
        print(READY.format(url=url, opentok=opentok, admin=admin), flush=True)
        while all(child.poll() is None for child in started):
            time.sleep(0.5)
        sys.exit("Ended, because a part of it ended; the reason is above.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.run", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets phones in")
    parser.add_argument(
        "--nobody-connected",
        action="store_true",
        help="recording works only after somebody has connected to the local OpenTok",
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=BASE_DIR / ".local",
        help="folder for secrets and for what the local OpenTok keeps",
    )
    return parser.parse_args()


def reached_at(host: str) -> str:
    return "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104


def refuse_unusable_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sys.exit(f"Port {port} is taken. Choose another one: PORT=8090 make run")
            sys.exit(f"Cannot listen on {host}:{port}: {error.strerror}.")


def kept(path: Path) -> str:
    """A secret of this checkout's own, made at the first start."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(20))
    return path.read_text()


def local_opentok(
    callbacks: str, kept_in: Path, *, someone_connected: bool
) -> subprocess.Popen[str]:
    """Start `python -m emulator` on a free port, and tell it and the server of each other."""
    key, secret = "47000000", kept(kept_in / "opentok_secret")
    if not environment.text("CALLBACK_SECRET"):
        os.environ["CALLBACK_SECRET"] = kept(kept_in / "callback_secret")
    callback_secret = environment.text("CALLBACK_SECRET")
    command = [sys.executable, "-m", "emulator", "--port", "0"]
    command += ["--api-key", key, "--secret", secret]
    command += ["--keep", str(kept_in / "archives.json")]
    command += [f"--callback-url={callbacks}", f"--callback-secret={callback_secret}"]
    if someone_connected:
        command.append("--auto-connect")
    process = start(command, stdout=subprocess.PIPE)
    line = process.stdout.readline() if process.stdout else ""
    if "http" not in line:
        sys.exit("The local OpenTok did not start.")
    os.environ |= {
        "TOKBOX_API_KEY": key,
        "TOKBOX_SECRET": secret,
        "OPENTOK_API_URL": line.split()[-1],
    }
    return process


def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
    # In a session of its own: Ctrl-C reaches this process alone, which ends the others in order.
    return subprocess.Popen(command, cwd=BASE_DIR, text=True, start_new_session=True, **options)


def run(*command: str) -> None:
    if subprocess.run([sys.executable, *command], cwd=BASE_DIR, check=False).returncode:
        sys.exit("Not started; the reason is above.")


def wait_until_it_listens(host: str, port: int, started: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and all(child.poll() is None for child in started):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The server did not start; the reason is above.")


@contextmanager
def children() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes put into the list are ended with the block, the last one first."""
    started: list[subprocess.Popen[str]] = []
    try:
        yield started
    finally:
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_IGN)
        for child in reversed(started):
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


if __name__ == "__main__":
    try:
        main()
    except ImproperlyConfigured as error:
        sys.exit(f"Not started. {error}")

"""Start the server for development: `make run`.

Migrates, then runs the server and, unless credentials are set in the environment or in `.env`, the
local OpenTok beside it. Whatever it starts ends with it.
"""

import argparse
import ctypes
import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import environment
from emulator.tls import new_certificate
from web import listening

BASE_DIR = Path(__file__).resolve().parent.parent
CREDENTIALS = ["TOKBOX_API_KEY", "TOKBOX_SECRET", "VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"]
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104
ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
# Linux has it alone. Looked up before a fork, after which little is safe to do.
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
PR_SET_PDEATHSIG = 1
START_SECONDS = 30
# More than the server needs to answer what is under way.
STOP_SECONDS = 25

READY = """
  OpenTok Rooms is at  {url}

  Join      {url}/join/standup  (open it twice to see two people)
  OpenTok   {opentok}
  Try       curl -L {url}/session
            curl {url}/room/standup
  Admin     {url}/{admin}  (make an account for it: make superuser)
{phones}"""


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
        os.environ["ANONYMOUS_ACCESS"] = "join,record,view,list,broadcast,caption,call,moderate"
    address = listening.resolve(options.host or environment.text("LISTEN", "127.0.0.1"))
    here = reached_at(address)
    scheme = "https" if options.tls else "http"
    url = f"{scheme}://{listening.in_url(here)}:{port}"
    refuse_unusable_port(address, port)
    for ending in ENDINGS:
        signal.signal(ending, lambda *_: sys.exit(0))
    tls = certificate(options.kept, address) if options.tls else []
    with children() as started:
        opentok = "your own project, as the credentials say"
        if not has_credentials:
            started.append(local_opentok(f"{url}/callbacks", address, options, tls))
            opentok = f"local, at {os.environ['OPENTOK_API_URL']} (no credentials are set)"
        run("manage.py", "migrate", "--verbosity", "0")
        started.append(start([sys.executable, "-m", "config.server", "--host", address, *tls]))
        wait_until_it_listens(here, port, started)
        print(
            READY.format(
                url=url, opentok=opentok, admin=admin, phones=phones(scheme, address, port)
            )
        )
        print("  Ctrl-C ends it.\n", flush=True)
        while all(child.poll() is None for child in started):
            time.sleep(0.5)
        sys.exit("Ended, because a part of it ended; the reason is above.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.run", description=__doc__)
    parser.add_argument("--host", help="in place of LISTEN; 0.0.0.0 lets phones in")
    parser.add_argument(
        "--nobody-connected",
        action="store_true",
        help="recording works only after somebody has connected to the local OpenTok",
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="https, with a certificate of this machine's own: phones give no camera without",
    )
    parser.add_argument(
        "--opentok-port",
        default="0",
        help="where the local OpenTok listens, for a page that names it; else any free port",
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=BASE_DIR / ".local",
        help="folder for secrets and for what the local OpenTok keeps",
    )
    return parser.parse_args()


def reached_at(address: str) -> str:
    """Where this machine reaches what listens there."""
    return "localhost" if address in {*EVERYWHERE, "127.0.0.1"} else address


def on_the_network(address: str) -> str | None:
    """Where other machines reach it, if that can be found out. Nothing is sent for it."""
    if address not in EVERYWHERE:
        return None if ip_address(address).is_loopback else address
    # Reserved for documentation: what counts is which of our addresses would be used.
    elsewhere = [(socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1")]
    for family, there in elsewhere if address == "::" else elsewhere[:1]:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((there, 9))
            return str(probe.getsockname()[0])
    return None


def phones(scheme: str, address: str, port: int) -> str:
    """A line about other machines, where they are let in."""
    if found := on_the_network(address):
        return f"  Phones    {scheme}://{listening.in_url(found)}:{port}  (on the same network)\n"
    if address in EVERYWHERE:
        return f"  Phones    port {port} at this machine's address, which could not be found out\n"
    return ""


def refuse_unusable_port(address: str, port: int) -> None:
    try:
        listening.create_server(address, port).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is taken. Choose another one: PORT=8090 make run")
        reason = os.strerror(error.errno) if error.errno else error
        sys.exit(f"Cannot listen on {listening.in_url(address)}:{port}: {reason}.")


def kept(path: Path) -> str:
    """A secret of this checkout's own, made at the first start."""
    if not (path.exists() and path.stat().st_size):  # empty where a full disk ended the first
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(20))
    return path.read_text()


def certificate(folder: Path, address: str) -> list[str]:
    """The options of both servers for a certificate that is kept, so that a phone is asked once."""
    seen = on_the_network(address)
    cert, key = (folder / f"tls-{seen or 'localhost'}{end}.pem" for end in ("", "-key"))
    if not (cert.exists() and key.exists()):
        folder.mkdir(mode=0o700, exist_ok=True)
        key.touch(mode=0o600)
        made = new_certificate(*[seen] if seen else [])
        for path, text in zip((cert, key), made, strict=True):
            path.write_bytes(text)
    return ["--tls-cert", str(cert), "--tls-key", str(key)]


def local_opentok(
    callbacks: str, address: str, options: argparse.Namespace, tls: list[str]
) -> subprocess.Popen[str]:
    """Start `python -m emulator`, and tell it and the server of each other."""
    key, secret = "47000000", kept(options.kept / "opentok_secret")
    if not environment.text("CALLBACK_SECRET"):
        os.environ["CALLBACK_SECRET"] = kept(options.kept / "callback_secret")
    command = [sys.executable, "-m", "emulator", "--port", options.opentok_port, *tls]
    command += ["--api-key", key, "--secret", secret]
    command += ["--keep", str(options.kept / "archives.json")]
    command += [f"--callback-url=all={callbacks}"]
    command += [f"--callback-secret={environment.text('CALLBACK_SECRET')}"]
    scheme, reached = "http", "127.0.0.1"
    if tls:
        # Both servers call each other, and no one else.
        scheme = "https"
        os.environ |= {"REQUESTS_CA_BUNDLE": tls[1], "SSL_CERT_FILE": tls[1]}
    if seen := on_the_network(address):
        # Phones open the files of recordings, which lie there.
        command += ["--host", address, "--link-host", seen]
        reached = reached_at(address)
    if not options.nobody_connected:
        command.append("--auto-connect")
    process = start(command, stdout=subprocess.PIPE)
    line = process.stdout.readline() if process.stdout else ""
    if "http" not in line:
        sys.exit("The local OpenTok did not start.")
    port = line.rpartition(":")[2].strip()
    os.environ |= {
        "TOKBOX_API_KEY": key,
        "TOKBOX_SECRET": secret,
        "OPENTOK_API_URL": f"{scheme}://{listening.in_url(reached)}:{port}",
        # Browsers go there as well: the name by which they reach this server.
        "OPENTOK_PROXY_URL": f"{scheme}://{listening.in_url(seen or 'localhost')}:{port}",
    }
    return process


def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
    # In a session of its own: Ctrl-C reaches this process alone, which ends the others in order.
    return subprocess.Popen(
        command, cwd=BASE_DIR, text=True, start_new_session=True,
        preexec_fn=end_with_parent, **options,
    )  # fmt: skip


def end_with_parent() -> None:
    """Have Linux end the child when this process is killed and cannot do it itself."""
    if PRCTL:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)


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

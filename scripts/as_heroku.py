"""Do with the last commit what Heroku does with a push, and call the server: `make test-deploy`.

A clean checkout, a new virtual environment with requirements.txt alone, collectstatic with nothing
configured, the release on an empty PostgreSQL, and the web process with no variables but Heroku's
own and those that app.json makes. No OpenTok is there: nothing that is asked for here needs one.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.as_deployed import FILLED_IN
from tests.on_postgresql import postgresql
from tests.server_process import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


def main() -> None:
    os.environ.pop("DATABASE_URL", None)  # the release is to write to no database but a new one
    with tempfile.TemporaryDirectory(prefix="rooms-as-heroku-") as folder, postgresql() as database:
        app, venv = Path(folder, "app"), Path(folder, "venv")
        check_out(app)
        make_environment(app, venv)
        bare = {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "HOME": folder}
        run("python manage.py collectstatic --noinput", app, bare)
        configured = bare | FILLED_IN | {
            "SECRET_KEY": "made-up-for-this-run-and-as-long-as-a-generated-one-0123456789",
            # Through a socket of this machine, where PostgreSQL's `sslmode` does not count.
            "DATABASE_URL": database,
            "DYNO": "web.1",
            "PORT": str(free_port()),
        }  # fmt: skip
        lines = (app / "Procfile").read_text().splitlines()
        processes = dict(line.split(": ", 1) for line in lines)
        run(processes["release"], app, configured)
        with web(processes["web"], app, configured) as address:
            look_at(address)
    print("\nThe last commit deploys.")


def check_out(app: Path) -> None:
    app.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x"], cwd=app, input=archive.stdout, check=True)


def make_environment(app: Path, venv: Path) -> None:
    """With the Python that `.python-version` names, or with this one where that is not there."""
    wanted = shutil.which("python" + (app / ".python-version").read_text().strip())
    if wanted and subprocess.run([wanted, "-V"], capture_output=True, check=False).returncode:
        wanted = None  # a version manager's, which has no such version
    # pip may need this machine's own variables, to find its index.
    run(f"{wanted or sys.executable} -m venv {venv}", app, dict(os.environ))
    install = "-m pip --disable-pip-version-check install --quiet -r requirements.txt"
    run(f"{venv}/bin/python {install}", app, dict(os.environ))


def run(command: str, app: Path, environment: dict[str, str]) -> None:
    print(f"\n$ {command}", flush=True)
    if subprocess.run(command.split(), cwd=app, env=environment, check=False).returncode:
        sys.exit(f"This failed: {command}")


@contextmanager
def web(command: str, app: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of the running server. Ending it as Heroku does has to end it well."""
    print(f"\n$ {command}", flush=True)
    process = subprocess.Popen(command.split(), cwd=app, env=environment)
    try:
        wait_until_it_listens(process, int(environment["PORT"]))
        yield f"http://127.0.0.1:{environment['PORT']}"
    finally:
        process.terminate()
        status = process.wait(START_SECONDS)
    expect(status == 0, "SIGTERM ends it")


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The server does not listen on $PORT.")


def look_at(address: str) -> None:
    """Ask for what breaks first. The router speaks http, and says what the client spoke."""
    session = requests.Session()
    session.trust_env = False
    plain = session.get(address, allow_redirects=False, timeout=30)
    expect(plain.headers.get("Location", "").startswith("https://"), "http leads to https")
    expect(plain.headers.get("Access-Control-Allow-Origin") == "*", "… from other origins as well")
    session.headers["X-Forwarded-Proto"] = "https"
    page = session.get(address, timeout=30)
    expect(address.replace("http:", "https:") in page.text, "the page knows its own address")
    expect("max-age=" in page.headers.get("Strict-Transport-Security", ""), "HSTS")
    form = session.get(f"{address}/admin/login/", timeout=30)
    expect(form.ok and all(cookie.secure for cookie in form.cookies), "secure cookies")
    style = re.search(r"/static/\S+\.[0-9a-f]{12}\.css", form.text)
    expect(style is not None, "static files have hashes in their names")
    expect(style and session.get(address + style[0], timeout=30).ok, "… and are served")
    room = session.head(f"{address}/room/nobody-made-this", timeout=30)
    expect(room.status_code == 404, "the database has been migrated, and is read")


def expect(is_so: object, what: str) -> None:
    if not is_so:
        sys.exit(f"Not so: {what}")
    print(f"  {what}", flush=True)


if __name__ == "__main__":
    main()

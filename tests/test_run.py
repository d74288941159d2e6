"""`make run`: the server and a local OpenTok, started and ended together."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.server_process import ROOT, free_port

# A space counts as not set, and keeps a developer's `.env` out.
NO_CREDENTIALS = dict.fromkeys(
    ["TOKBOX_API_KEY", "TOKBOX_SECRET", "VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"], " "
)


@pytest.fixture
def environment(tmp_path, migrated):
    """With no credentials, and a free port, a database and secrets of its own."""
    shutil.copy(migrated, tmp_path / "db.sqlite3")
    return os.environ | NO_CREDENTIALS | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PORT": str(free_port()),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }  # fmt: skip


def command(environment, *options):
    folder = Path(environment["DATABASE_URL"].removeprefix("sqlite:///")).parent
    return [sys.executable, "-m", "scripts.run", "--kept", str(folder / "local"), *options]


@contextmanager
def running(environment, *options):
    """The process, once it is ready, and what it has said until then."""
    with subprocess.Popen(
        command(environment, *options),
        cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        assert process.poll() is None, said
        try:
            yield process, said
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def room_at(environment):
    answer = requests.get(f"http://127.0.0.1:{environment['PORT']}/room/standup", timeout=30)
    return answer.json()["sessionId"]


def test_without_credentials_it_brings_a_local_opentok_and_what_was_made_stays(
    environment, tmp_path
):
    (tmp_path / "db.sqlite3").unlink()  # as at the first run, which makes it
    environment["ANONYMOUS_ACCESS"] = " "
    url = f"http://127.0.0.1:{environment['PORT']}"
    with running(environment) as (process, said):
        assert re.search("OpenTok +local, at http", said)
        session = room_at(environment)
        started = requests.post(f"{url}/archive/start", json={"sessionId": session}, timeout=30)
        archive = started.json()["id"]
        called_back = next(line for line in process.stdout if "/callbacks" in line)
        assert '"status":200' in called_back
        requests.post(f"{url}/archive/{archive}/stop", timeout=30)
        assert requests.get(f"{url}/archive", timeout=30).status_code == 200  # for everybody
    assert process.returncode == 0
    with pytest.raises(ProcessLookupError):  # nobody of its group is left
        os.killpg(process.pid, 0)
    with running(environment):
        assert room_at(environment) == session
        seen = requests.get(f"{url}/archive/{archive}", timeout=30)
        assert (seen.status_code, seen.json()["status"]) in {(200, "stopped"), (200, "available")}
        page = requests.get(f"{url}/archive/{archive}/view", timeout=30, allow_redirects=False)
        assert page.status_code in {200, 302}


def test_a_page_can_name_the_port_of_the_local_opentok(environment):
    port = str(free_port())
    with running(environment, "--opentok-port", port) as (_, said):
        assert f"local, at http://127.0.0.1:{port} " in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of it")
def test_a_kill_ends_the_server_and_the_local_opentok_as_well(environment):
    with running(environment) as (process, _):
        process.kill()  # the block ends when none of them can write any more
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(environment["PORT"])))


def test_what_everybody_may_do_can_be_chosen(environment):
    environment["ANONYMOUS_ACCESS"] = "join"
    with running(environment):
        answer = requests.get(f"http://127.0.0.1:{environment['PORT']}/archive", timeout=30)
    assert answer.status_code == 401


def test_with_tls_both_servers_speak_https_and_reach_each_other(environment):
    with running(environment, "--tls") as (process, said):
        url = f"https://localhost:{environment['PORT']}"
        assert f"is at  {url}\n" in said
        assert "local, at https://" in said
        folder = Path(environment["DATABASE_URL"].removeprefix("sqlite:///")).parent / "local"
        assert (folder / "tls-localhost-key.pem").stat().st_mode & 0o077 == 0
        with requests.Session() as browser:
            browser.trust_env = False
            browser.verify = str(folder / "tls-localhost.pem")
            room = browser.get(f"{url}/room/standup", timeout=30)
            assert "Strict-Transport-Security" not in room.headers
            session = {"sessionId": room.json()["sessionId"]}
            assert browser.post(f"{url}/archive/start", json=session, timeout=30).ok
            line = next(line for line in process.stdout if "/callbacks" in line)
    assert '"status":200' in line


def test_it_listens_on_ipv6(environment):
    with running(environment, "--host", "[::1]") as (_, said):
        url = f"http://[::1]:{environment['PORT']}"
        assert f"is at  {url}\n" in said
        assert requests.get(f"{url}/room/x", timeout=30).status_code == 200
        assert "Phones" not in said


def test_a_phone_is_told_an_address_at_which_recordings_open_as_well(environment):
    environment["LISTEN"] = "0.0.0.0"
    with running(environment) as (_, said):
        found = re.search(r"Phones +(http://(\S+):\d+)  ", said)
        if not found:  # no network
            assert f"Phones    port {environment['PORT']} at this machine's address" in said
            return
        url, address = found.groups()
        body = {"sessionId": requests.get(f"{url}/room/x", timeout=30).json()["sessionId"]}
        archive = requests.post(f"{url}/archive/start", json=body, timeout=30).json()["id"]
        requests.post(f"{url}/archive/{archive}/stop", timeout=30)
        emulator = re.search(r"local, at (\S+)", said)[1]
        control = f"http://{address}:{emulator.rpartition(':')[2]}/_control/clock"
        assert requests.post(control, json={"advance": 10}, timeout=30).status_code == 200
        link = requests.get(f"{url}/archive/{archive}", timeout=30).json()["url"]
        assert link.startswith(f"http://{address}:")
        assert requests.get(link, timeout=30).status_code == 200


def test_a_taken_port_is_said_in_a_line(environment):
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        done = subprocess.run(
            command(environment),
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(f"Port {environment['PORT']} is taken.*\n", done.stderr)


def test_a_wrong_port_is_said_in_a_line(environment):
    done = subprocess.run(
        command(environment),
        cwd=ROOT, env=environment | {"PORT": "http"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Not started. PORT must be a whole number from 1 to 65535, not 'http'.\n"

"""What an operator of the sample server relies on: `.env`, PORT and a page that explains itself."""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.server_process import ROOT, free_port, url_of_test_database

PROGRAM = ["archives", "config", "rooms", "static", "templates", "video", "manage.py"]
CONFIGURED = {
    *("TOKBOX_API_KEY", "TOKBOX_SECRET", "OPENTOK_API_URL", "OPENTOK_TIMEOUT"),
    *("PORT", "SECRET_KEY"),
}


@pytest.fixture
def copy(tmp_path):
    """The program in a folder of its own, where it finds no `.env` but the test's."""
    for name in PROGRAM:
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copied(ROOT / name, tmp_path / name)
    return tmp_path


@contextmanager
def run(copy, *command, **dotenv):
    """A Python command in that folder, with nothing configured but by `.env` and the database."""
    dotenv = {"SECRET_KEY": "for-this-test-only-and-long-enough-for-the-checks"} | dotenv
    (copy / ".env").write_text("".join(f"{name}={text}\n" for name, text in dotenv.items()))
    environment = {name: text for name, text in os.environ.items() if name not in CONFIGURED} | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url_of_test_database(),
        "WEB_CONCURRENCY": "1",
    }
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=copy, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def address_of(process):
    """Where the server says it listens, once it does."""
    address = ""
    for line in process.stdout:
        if "Listening at: " in line:
            address = line.partition("Listening at: ")[2].strip()
        if "Started worker-1" in line:
            return address
    raise AssertionError("It did not start.")


def test_the_index_page_lists_the_endpoints(server):
    answer = server.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    paths = ["/session", "/room/", "/archive", "/archive/start", "/stop", "/view"]
    assert [path for path in paths if path not in answer.text] == []


def test_credentials_and_port_may_stand_in_a_dotenv_file(server, opentok, copy):
    port = free_port()
    dotenv = {
        "TOKBOX_API_KEY": opentok.api_key,
        "TOKBOX_SECRET": opentok.secret,
        "OPENTOK_API_URL": opentok.url,
        "PORT": port,
    }
    with run(copy, "-m", "config.server", "--host", "127.0.0.1", **dotenv) as process:
        assert address_of(process) == f"http://127.0.0.1:{port}"
        patient = requests.Session()
        # It says that a worker has started a moment before that one listens.
        patient.mount("http://", HTTPAdapter(max_retries=Retry(connect=6, backoff_factor=0.05)))
        answer = patient.get(f"http://127.0.0.1:{port}/room/lobby", timeout=30)
        assert answer.json()["apiKey"] == opentok.api_key


def test_the_port_is_8080_unless_another_one_is_set(server, copy):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8080)) == 0:
            pytest.skip("Something else listens on port 8080.")
    dotenv = {"TOKBOX_API_KEY": "1", "TOKBOX_SECRET": "x"}
    with run(copy, "-m", "config.server", "--host", "127.0.0.1", **dotenv) as process:
        assert address_of(process) == "http://127.0.0.1:8080"


def test_opentok_has_less_than_eight_seconds_unless_told_otherwise(copy):
    show = "from config import settings; print(settings.OPENTOK_TIMEOUT)"
    with run(copy, "-c", show) as process:
        assert 0 < float(process.stdout.read()) < 8

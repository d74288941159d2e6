import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import TransactionTestCase
from django.test import client as django_client
from opentok import Client

from tests import forked
from tests.api_client import Program
from tests.emulator_process import Emulator
from tests.redis_process import Redis
from tests.s3_process import Storage
from tests.server_process import ROOT, Connection, Server
from tests.tables import empty_tables
from web.request import Request

# Django's test client makes the kind of request that the server makes.
django_client.WSGIRequest = Request  # type: ignore[misc]

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # What processes of one machine share, those of two workers do not: limits, the rooms' number.
    tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix=f"{worker}-")


@pytest.fixture(scope="session")
def _emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def opentok(_emulator: Emulator, settings: Any) -> Emulator:
    """A local OpenTok with nothing in it; calls of this process go there, too."""
    _emulator.reset()
    settings.OPENTOK = settings.OPENTOK | {"OPENTOK_API_URL": _emulator.url}
    return _emulator


@pytest.fixture(scope="session")
def _server(
    request: pytest.FixtureRequest,
    _emulator: Emulator,
    django_db_setup: None,
    django_db_blocker: Any,
) -> Iterator[Server]:
    # Receivers of webhooks listen on this machine.
    variables = {"OPENTOK_API_URL": _emulator.url, "WEBHOOK_ALLOW_PRIVATE": "on"}
    with django_db_blocker.unblock(), Server(**variables) as server:
        if any(comes_last(item) for item in request.session.items):
            Thread(target=rest, args=[server], daemon=True).start()
        yield server


@pytest.fixture
def server(_server: Server, opentok: Emulator, transactional_db: None) -> Iterator[Server]:
    """The real server on an empty database, in two processes, with `opentok` behind it."""
    yield _server
    opentok.reset()  # so that no callback arrives once the database is emptied


TransactionTestCase._fixture_teardown = empty_tables


def rest(server: Server) -> None:
    """Ask over a connection that was idle for longer than Heroku's router keeps one."""
    connection = Connection(server.port)
    connection.rest(92)
    server.after_a_rest.set_result(connection.status("/readme"))


def comes_last(item: pytest.Item) -> bool:
    return item.get_closest_marker("last") is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has to wait for something comes last."""
    items.sort(key=comes_last)


@pytest.fixture
def program(server: Server) -> Program:
    return Program(server)


@pytest.fixture
def school(server: Server) -> Program:
    """One with a key for some rooms only."""
    return Program(server, rooms="school-")


@pytest.fixture
def limited(opentok: Emulator, transactional_db: None) -> Iterator[Callable[..., Server]]:
    """Starts servers with these RATE_LIMITS, in one process. Each counts guesses by itself, too: it
    has a secret of its own.
    """
    with ExitStack() as started:

        def start(limits: str, **environment: str) -> Server:
            own = {"SECRET_KEY": uuid.uuid4().hex, "WEB_CONCURRENCY": "1"}
            server = Server(OPENTOK_API_URL=opentok.url, RATE_LIMITS=limits, **own | environment)
            return started.enter_context(server)

        yield start


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite database of a new server, for tests to copy."""
    path = tmp_path_factory.mktemp("migrated") / "new.sqlite3"
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": f"sqlite:///{path}"}
    done = forked.run(["manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=os.environ | own)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


@pytest.fixture(scope="session")
def _storage() -> Iterator[Storage]:
    with Storage() as storage:
        yield storage


@pytest.fixture
def storage(_storage: Storage, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """An empty bucket, which this process keeps recordings in as well."""
    _storage.reset()
    settings.ARCHIVE_STORAGE = _storage.bucket
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, _storage.variables[name])
    return _storage


# For the tests of the emulator itself


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An emulator for the tests of one file, which may name its options in OPTIONS."""
    with Emulator(*getattr(request.module, "OPTIONS", ())) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    running.reset()
    return running


@pytest.fixture
def session_id(emulator: Emulator) -> str:
    """A routed session of the emulator."""
    return emulator.make_session()


@pytest.fixture
def unmodified_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app puts its own transport under the SDK of this process."""
    monkeypatch.setattr("opentok.opentok.requests", requests)


@pytest.fixture
def sdk(emulator: Emulator, unmodified_sdk: None) -> Client:
    return Client(emulator.api_key, emulator.secret, api_url=emulator.url, timeout=5)


def pytest_sessionstart() -> None:
    """Never believe that a run tested PostgreSQL when it did not: see tests/on_postgresql.py."""
    expected = os.environ.get("TESTED_DATABASE")
    if expected and connection.vendor != expected:
        pytest.exit(f"This run was to be on {expected} and is on {connection.vendor}.", 3)

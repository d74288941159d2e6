"""Migrations go forth and back, with rows in the tables and while a server answers."""

import os
import subprocess
import uuid
from collections import Counter
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.apps import apps
from django.db import connection

from tests import forked
from tests.server_process import ROOT, Server, url_of_test_database

# Before names were folded, files stored, and webhooks and second factors there. It starts with
# today's packages; once it does not, take a later one, such as the release before.
OLDER = "223314bd8b695f4a2091fc6f5c6a969be8a2e248"

OWN = [
    config.label
    for config in apps.get_app_configs()
    if (ROOT / config.name / "migrations").exists()
]
MIGRATE = """
import django
from django.core.management import call_command

django.setup()
for target in {targets}:
    call_command("migrate", *target, verbosity=0)
"""
# Prints the text of an API key.
PREPARE = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser("ada", password="lovelace-1815")
call_command("apikey", "create", "a program", "--can=manage,audit")
"""


@contextmanager
def new_database(folder):
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder}/new.sqlite3"
        return
    name = f"new_{uuid.uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield url_of_test_database().replace(f"/{connection.settings_dict['NAME']}", f"/{name}")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def python(url, *command, cwd=ROOT):
    own = {
        "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url,
        "RATE_LIMITS": "off",  # an older server does not know all of today's
    }  # fmt: skip
    done = forked.run(command, cwd=cwd, env=os.environ | own)
    assert done.returncode == 0, done.stderr
    return done.stdout


def migrate(url, *targets):
    """Each the arguments of manage.py migrate, in one process."""
    python(url, "-c", MIGRATE.format(targets=targets))


def use(url, opentok):
    """Rows in most tables: a room, a recording, who did what."""
    with Server(DATABASE_URL=url, OPENTOK_API_URL=opentok.url) as server:
        session_id = server.get("/room/exam").json()["sessionId"]
        opentok.connect(session_id)
        started = server.post("/archive/start", json={"sessionId": session_id})
        assert started.status_code == 200
        assert server.get("/readyz").status_code == 200


def test_all_migrations_are_undone_and_done_again(opentok, transactional_db, tmp_path):
    assert {"rooms", "archives", "meetings", "webhooks", "live", "audit", "staff"} <= set(OWN)
    with new_database(tmp_path) as url:
        migrate(url, ())
        use(url, opentok)
        migrate(url, *((app, "zero") for app in OWN), ())
        use(url, opentok)


# While a server answers

WELL = {200, 201, 204, 302}


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """The folder of an older server."""
    taken = subprocess.run(["git", "archive", OLDER], cwd=ROOT, capture_output=True)
    if taken.returncode:
        pytest.skip("this clone has no history")
    folder = tmp_path_factory.mktemp("older")
    subprocess.run(["tar", "-x"], cwd=folder, input=taken.stdout, check=True)
    return folder


class Visitors(Thread):
    """People, a program and a member of staff, who use a server until the end of the block."""

    def __init__(self, server, opentok, key):
        super().__init__()
        self.server, self.opentok = server, opentok
        self.headers = {"Authorization": f"Bearer {key}"}
        self.cookies = {}
        self.answers, self.rounds, self.is_over = Counter(), 0, Event()

    def __enter__(self):
        login = {"username": "ada", "password": "lovelace-1815", "next": "/admin/"}
        self.cookies = self.send("/admin/login/", **login).cookies.get_dict()
        self.start()
        return self

    def __exit__(self, *exception):
        self.is_over.set()
        self.join()

    def run(self):
        while not self.is_over.is_set():
            self.answers.update((what, answer.status_code) for what, answer in self.round())
            self.rounds += 1

    def go_on(self):
        """Until a whole round was begun and ended from now on."""
        wanted = self.rounds + 2
        while self.rounds < wanted and self.is_alive():
            self.is_over.wait(0.05)

    def round(self):
        """What was done, and the answer to it."""
        name = f"room-{uuid.uuid4().hex}"
        yield "join a known room", self.server.get("/room/standup")
        yield "join a new room", (joined := self.server.get(f"/room/{name}"))
        if joined.ok:
            yield from self.record(joined.json()["sessionId"])
        yield from self.call(name)
        for path in (
            "",
            "rooms/room/",
            "rooms/room/1/change/",
            "archives/archive/",
            "audit/entry/",
        ):
            yield "look at the admin", self.server.get(f"/admin/{path}", cookies=self.cookies)
        yield "fill in a form", self.send("/admin/rooms/room/add/", name=f"{name}-of-staff")

    def record(self, session_id):
        self.opentok.publish(session_id)
        body = {"sessionId": session_id}
        yield "start a recording", (started := self.server.post("/archive/start", json=body))
        if started.ok:
            path = f"/archive/{started.json()['id']}"
            yield "stop it", self.server.post(f"{path}/stop")
            yield "look at it", self.server.get(path)

    def call(self, name):
        """As a program."""
        own = f"/{name}-made"
        for method, path, body in [
            ("GET", "rooms", None), ("GET", "archives", None), ("GET", "meetings", None),
            ("GET", "audit", None), ("POST", "rooms", {"name": own[1:]}),
            ("PATCH", f"rooms{own}", {"maxParticipants": 3}), ("DELETE", f"rooms{own}", None),
        ]:  # fmt: skip
            answer = self.server.request(method, f"/api/v1/{path}", json=body, headers=self.headers)
            yield f"{method} {path.removesuffix(own)}", answer

    def send(self, path, **fields):
        """Fill in the form of a page of the admin."""
        shown = self.server.get(path, cookies=self.cookies)
        cookies = self.cookies | shown.cookies.get_dict()
        token = {"csrfmiddlewaretoken": cookies.get("csrftoken", "")}
        return self.server.post(path, data=fields | token, cookies=cookies)


@contextmanager
def used(opentok, url, folder):
    """The visitors of a server of that folder, on a database that it has made."""
    key = python(url, "-c", PREPARE, cwd=folder).strip()
    with (
        Server(
            cwd=folder, DATABASE_URL=url, OPENTOK_API_URL=opentok.url, RATE_LIMITS="off"
        ) as server,
        Visitors(server, opentok, key) as visitors,
    ):
        visitors.go_on()
        yield visitors


def test_an_older_server_answers_while_newer_migrations_are_done_and_undone(
    opentok, transactional_db, tmp_path, older
):
    with new_database(tmp_path) as url, used(opentok, url, older) as visitors:
        for targets in ([()], last_of(older), [()]):
            migrate(url, *targets)
            visitors.go_on()
        use(url, opentok)
    assert {status for _, status in visitors.answers} == WELL, visitors.answers


def last_of(folder):
    """As docs/operations.md says how to go back: to the last of each app that is there."""
    for app in OWN:
        had = sorted((folder / app / "migrations").glob("0*.py"))
        yield app, had[-1].stem if had else "zero"


def test_a_server_whose_migrations_are_undone_and_done_again_answers_no_500(
    opentok, transactional_db, tmp_path
):
    with new_database(tmp_path) as url, used(opentok, url, ROOT) as visitors:
        migrate(url, ("rooms", "0017"), ("archives", "0012"), ("staff", "0002"))
        visitors.go_on()
        assert visitors.server.get("/readyz").status_code == 503
        assert visitors.server.get("/room/new").status_code == 503
        migrate(url, ())
        assert visitors.server.get_until(200, "/readyz", within=5).status_code == 200
        assert {answer.status_code for _, answer in visitors.round()} == WELL
    assert {status for _, status in visitors.answers} <= WELL | {404, 503}, visitors.answers

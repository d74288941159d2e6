"""Migrations go back as well, with rows in the tables, so that an upgrade can be undone."""

import os
import subprocess
import sys
import uuid
from contextlib import contextmanager

from django.apps import apps
from django.db import connection

from tests.server_process import ROOT, Server, url_of_test_database

OWN = [
    config.label
    for config in apps.get_app_configs()
    if (ROOT / config.name / "migrations").exists()
]
BACK_AND_FORTH = """
import django
from django.core.management import call_command

django.setup()
for app in {apps}:
    call_command("migrate", app, "zero", verbosity=0)
call_command("migrate", verbosity=0)
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


def python(url, *command):
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


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
        python(url, "manage.py", "migrate", "-v0")
        use(url, opentok)
        python(url, "-c", BACK_AND_FORTH.format(apps=OWN))
        use(url, opentok)

"""Clients of the API, made from its description by generators, against a running server."""

import os
import re
import subprocess
import sys

import pytest

from tests.emulator_process import Emulator
from tests.server_process import ROOT, Server
from tests_sdks.installing import HERE, environment_with, npm_packages

NODE_FLAGS = ["--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext"]


def run(command, **options):
    done = subprocess.run(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/rooms.sqlite3"


@pytest.fixture(scope="module")
def server(database):
    manage(database, "migrate", "-v0")
    with (
        Emulator() as opentok,
        Server(DATABASE_URL=database, OPENTOK_API_URL=opentok.url) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def key(server, database):
    return re.search(
        r"otr_\w+", manage(database, "apikey", "create", "program", "--can", "manage")
    )[0]


@pytest.fixture(scope="module")
def schema(server, tmp_path_factory):
    file = tmp_path_factory.mktemp("schema") / "openapi.json"
    file.write_bytes(server.get("/api/schema/").content)
    return file


def manage(database, *command):
    variables = {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return run([sys.executable, "manage.py", *command], cwd=ROOT, env=os.environ | variables)


def test_a_client_in_python_is_made_and_used(server, key, schema, tmp_path):
    programs = environment_with("requirements-clients.txt")
    output = tmp_path / "client"
    run([programs / "openapi-python-client", "generate", "--path", schema, "--output-path", output])
    said = run([programs / "python", HERE / "use_client.py", output, server.url, key])
    assert said.endswith("done\n")


def test_a_client_in_typescript_is_made_and_used(server, key, schema, tmp_path):
    node = npm_packages("clients")
    modules = HERE / "clients" / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "use.ts").write_bytes((HERE / "clients" / "use.ts").read_bytes())
    types = [
        modules / "openapi-typescript" / "bin" / "cli.js",
        schema,
        "--default-non-nullable",
        "false",
        "--output",
        "schema.d.ts",
    ]
    run([node, *types], cwd=tmp_path)
    compiler = [modules / "typescript" / "bin" / "tsc", "--strict", *NODE_FLAGS, "use.ts"]
    run([node, *compiler], cwd=tmp_path)
    assert run([node, "use.js", server.url, key], cwd=tmp_path) == "done\n"

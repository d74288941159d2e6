"""Clients of the API, made from its description by generators, against a running server."""

import json
import os
import re
import sys

import pytest

from tests.emulator_process import Emulator
from tests.server_process import ROOT, Server
from tests_sdks.installing import HERE, environment_with, npm_packages
from tests_sdks.making import BRUNO, make_bruno, make_python, make_typescript, run

CAPABILITIES = "manage,moderate,broadcast,caption,call,audit"
NODE_FLAGS = ["--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext"]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/rooms.sqlite3"


@pytest.fixture(scope="module")
def opentok():
    with Emulator("--auto-connect") as opentok:
        yield opentok


@pytest.fixture(scope="module")
def server(database, opentok):
    manage(database, "migrate", "-v0")
    with Server(DATABASE_URL=database, OPENTOK_API_URL=opentok.url) as server:
        yield server


@pytest.fixture(scope="module")
def key(server, database):
    return re.search(
        r"otr_\w+", manage(database, "apikey", "create", "program", "--can", CAPABILITIES)
    )[0]


@pytest.fixture(scope="module")
def schema(server, tmp_path_factory):
    file = tmp_path_factory.mktemp("schema") / "openapi.json"
    file.write_bytes(server.get("/api/schema/").content)
    return file


# Bruno's importer leaves queries out of addresses.
WITH_QUERIES = "Renders/A page in a session as it is now", "Renders/End a page in a session"
# The stream of the example is none of the room's.
OF_OTHERS = {"Moderating_rooms/Change the layout classes of streams": "layout_classes_refused"}
DONE = (
    "Managing_rooms/A new room", "Managing_rooms/A token for one person",
    "Managing_recordings/Stop recording", "Managing_recordings/A link to a recording",
    "Meetings/Who was in a meeting", "Webhooks/A webhook",
    "Broadcasting_rooms/Stop one of the broadcasts",
)  # fmt: skip


def manage(database, *command):
    variables = {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return run([sys.executable, "manage.py", *command], cwd=ROOT, env=os.environ | variables)


def test_the_versions_of_the_generators_are_exact():
    wanted = (HERE / "requirements-clients.txt").read_text().splitlines()[1:]
    assert all("==" in each for each in wanted)
    for folder in "clients", "bruno":
        packages = json.loads((HERE / folder / "package.json").read_text())["dependencies"]
        assert all(version[0].isdigit() for version in packages.values())


@pytest.mark.parametrize("make", [make_python, make_typescript, make_bruno])
def test_the_same_description_becomes_the_same_client(make, schema, tmp_path):
    made = [tmp_path / name for name in ("first", "second")]
    for place in made:
        make(schema, place)
    assert run(["diff", "-r", *made]) == ""


def test_a_client_in_python_is_made_and_used(server, key, schema, tmp_path):
    make_python(schema, tmp_path / "client")
    python = environment_with("requirements-clients.txt") / "python"
    said = run([python, HERE / "use_client.py", tmp_path / "client", server.url, key])
    assert said == "done\n"


def test_a_client_in_typescript_is_made_and_used(server, key, schema, tmp_path):
    make_typescript(schema, tmp_path / "schema.d.ts")
    node, modules = npm_packages("clients"), HERE / "clients" / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "use.ts").write_bytes((HERE / "clients" / "use.ts").read_bytes())
    compiler = [modules / "typescript" / "bin" / "tsc", "--strict", *NODE_FLAGS, "use.ts"]
    run([node, *compiler], cwd=tmp_path)
    assert run([node, "use.js", server.url, key], cwd=tmp_path) == "done\n"


def test_a_bruno_collection_is_made_and_each_request_in_it_is_understood(
    server, opentok, key, schema, tmp_path
):
    folder = tmp_path / "bruno"
    make_bruno(schema, folder)
    variables = {"baseUrl": server.url, "token": key, **there(server, opentok, key)}
    options = [part for each in variables.items() for part in ("--env-var", "=".join(each))]
    files = sorted(file for file in folder.glob("*/*.yml") if "method:" in file.read_text())
    files.sort(key=lambda file: "method: DELETE" in file.read_text())
    command = [npm_packages("bruno"), BRUNO, "run", *files, "--env", "local", *options]
    run([*command, "--reporter-json", tmp_path / "said.json"], cwd=folder)
    (said,) = json.loads((tmp_path / "said.json").read_text())
    answers = {each["path"].removesuffix(".yml"): each["response"] for each in said["results"]}
    described = json.loads(schema.read_text())["paths"].values()
    assert len(answers) == sum(len(methods) for methods in described)
    # Some of what is asked for ends along the way, and some was never there.
    refused = {
        path: answer["data"]["code"]
        for path, answer in answers.items()
        if answer["status"] not in {200, 201, 202, 204, 404, 409}
    }
    assert refused == dict.fromkeys(WITH_QUERIES, "invalid") | OF_OTHERS
    assert {answers[path]["status"] // 100 for path in DONE} == {2}


def there(server, opentok, key):
    """What is there to be asked for, by the names that the collection has for it."""
    headers = {"Authorization": f"Bearer {key}"}

    def make(path, **body):
        answer = server.post(f"/api/v1/{path}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    session = make("rooms", name="lobby")["sessionId"]
    person = opentok.connect(session)
    # Without callbacks there is a meeting once somebody has looked.
    server.get("/api/v1/rooms/lobby/connections", headers=headers)
    (meeting,) = server.get("/api/v1/meetings?room=lobby", headers=headers).json()["items"]
    return {
        "name": "lobby",
        "connection_id": person,
        "stream_id": opentok.publish(session, person),
        "meeting_id": str(meeting["id"]),
        "archive_id": make("archives", room="lobby")["id"],
        "activity_id": make("rooms/lobby/broadcasts", outputs={"hls": {}})["id"],
        "webhook_id": str(make("webhooks", url="https://example.com/", events=["*"])["id"]),
    }

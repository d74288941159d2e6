"""The files that platforms read: one set of variables, and what each platform demands of them."""

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading

import pytest
import yaml

from config import server
from tests.server_process import ROOT
from web import documents

# Which Heroku itself sets, and nobody else.
HEROKUS_OWN = {"DYNO", "CI"}
CREDENTIALS = [
    {"TOKBOX_API_KEY", "TOKBOX_SECRET"},
    {"VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"},
]
ASKED_FOR = """
import json
import config.settings, config.server
from config import environment
print(json.dumps(sorted(environment.asked_for)))
"""


def read(name):
    return (ROOT / name).read_text()


def section(path, title):
    return read(path).split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.fixture(scope="module")
def known():
    """The variables that the settings and the server really ask the environment for."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED_FOR],
        cwd=ROOT, env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(json.loads(done.stdout)) - HEROKUS_OWN


def in_app_json():
    return set(json.loads(read("app.json"))["env"])


def render():
    (service,) = yaml.safe_load(read("render.yaml"))["services"]
    return service, {variable.pop("key"): variable for variable in service["envVars"]}


def railway():
    return json.loads(read("railway.json"))


def compose():
    return yaml.safe_load(read("compose.yaml"))["services"]


def dockerfile():
    """Its instructions, as (name, rest), in order."""
    text = re.sub("(?m)^#.*\n", "", read("Dockerfile")).replace("\\\n", "")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line]


def procfile():
    return dict(line.split(": ", 1) for line in read("Procfile").splitlines())


def test_the_example_and_the_page_of_operations_name_just_the_variables_that_are_read(known):
    assert set(re.findall("^([A-Z_]+)=", read(".env.example"), re.MULTILINE)) == known
    table = section("docs/operations.md", "Configuration")
    cells = re.findall(r"^\| (`[A-Z].*?) \|", table, re.MULTILINE)
    assert set(re.findall("`([A-Z_]+)`", " ".join(cells))) == known


@pytest.mark.parametrize(
    ("names", "comes_by_itself"),
    [
        (in_app_json(), {"DATABASE_URL"}),  # with the add-on
        (set(render()[1]), set()),
        (set(compose()["server"]["environment"]), set()),
        # railway.json cannot hold variables: the page of deployment says which to set.
        (set(re.findall("[A-Z_]{6,}", section("docs/deploy.md", "Railway"))), set()),
    ],
    ids=["app.json", "render.yaml", "compose.yaml", "railway"],
)  # fmt: skip
def test_a_platform_gets_known_variables_and_what_production_needs(names, comes_by_itself, known):
    assert names <= known
    assert {"SECRET_KEY", "DATABASE_URL"} <= names | comes_by_itself
    assert any(pair <= names for pair in CREDENTIALS)


def test_what_else_is_set_for_a_platform_is_known(known):
    named = [name for word, rest in dockerfile() if word in {"ENV", "ARG"}
             for name in re.findall(r"(\w+)=", rest)]  # fmt: skip
    named += re.findall(r"([A-Z_]+)=", railway()["deploy"]["startCommand"])
    assert set(named) - {"PYTHONUNBUFFERED", "EXTRA"} <= known
    told = read("docs/deploy.md") + section("docs/operations.md", "Callbacks")
    assert set(re.findall(r"`([A-Z_]{4,})[=`]", told)) <= known


def test_the_buildpacks_find_one_list_of_packages_and_a_version_that_they_have():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    others = {"uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "runtime.txt", "environment.yml"}
    assert "requirements.txt" in tracked
    assert not others & set(tracked)
    assert not [path for path in tracked if path.startswith((".venv/", "venv/"))]
    assert read(".python-version").strip() in {"3.11", "3.12", "3.13", "3.14"}


def test_the_commands_of_the_procfile_exist():
    assert procfile() == {
        "web": "python -m config.server",
        "release": "python manage.py migrate --noinput",
        "worker": "python manage.py worker",
    }
    assert (ROOT / "config" / "server.py").exists()


def test_heroku_makes_the_secret_and_the_database_and_shows_the_front_page():
    app = json.loads(read("app.json"))
    assert app["env"]["SECRET_KEY"]["generator"] == "secret"
    assert all(about["description"] for about in app["env"].values())
    assert app["addons"] == ["heroku-postgresql:essential-0"]
    assert app["formation"] == {"web": {"quantity": 1, "size": "basic"}}
    assert app["success_url"] == "/"
    assert all(
        "(https://www.heroku.com/deploy)" in text
        for text in (section("README.md", "Deploy"), section("docs/deploy.md", "Heroku"))
    )


def test_herokus_router_never_finds_a_connection_closed_and_sigkill_finds_nothing_to_kill():
    assert server.IDLE_CONNECTION_MS > 90_000
    assert server.DRAIN_SECONDS < 30


def test_render_builds_migrates_and_starts_it():
    service, variables = render()
    (database,) = yaml.safe_load(read("render.yaml"))["databases"]
    assert service["runtime"] == "python"
    assert "collectstatic --noinput" in service["buildCommand"]
    assert "-r requirements.txt" in service["buildCommand"]
    assert service["preDeployCommand"] == procfile()["release"]
    assert service["plan"] != "free"  # which has no preDeployCommand
    assert service["startCommand"] == procfile()["web"]
    assert service["healthCheckPath"] == "/healthz"
    assert variables["SECRET_KEY"] == {"generateValue": True}
    assert all(variables[name] == {"sync": False} for pair in CREDENTIALS for name in pair)
    assert variables["DATABASE_URL"]["fromDatabase"] == {
        "name": database["name"], "property": "connectionString",
    }  # fmt: skip
    # Nobody else says so there.
    assert variables["SECURE_SSL_REDIRECT"] == {"value": "on"}
    assert variables["TRUSTED_PROXIES"] == {"value": "2"}
    assert int(variables["WEB_CONCURRENCY"]["value"]) > 0


def test_railway_is_told_what_it_does_not_take_from_the_procfile():
    build, deploy = railway()["build"], railway()["deploy"]
    assert build == {
        "builder": "RAILPACK",
        "buildCommand": "python manage.py collectstatic --noinput",
    }
    assert deploy["preDeployCommand"] == [procfile()["release"]]
    assert deploy["healthcheckPath"] == "/healthz"
    assert deploy["drainingSeconds"] > server.DRAIN_SECONDS


@pytest.mark.parametrize(("given", "seen"), [(None, "on 1"), ("", "on 1"), ("off", "off 1")])
def test_railways_start_command_redirects_to_https_unless_told_otherwise(given, seen, tmp_path):
    # As it has to be for both: Railway runs it in a shell for its own builder, without for Docker.
    shell, option, script = shlex.split(railway()["deploy"]["startCommand"])
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\necho "$SECURE_SSL_REDIRECT $TRUSTED_PROXIES" "$@"\n')
    stand_in.chmod(0o755)
    environment = {"PATH": str(tmp_path)}
    if given is not None:
        environment["SECURE_SSL_REDIRECT"] = given
    done = subprocess.run(
        [shell, option, script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{seen} -m config.server\n"


def test_the_image_is_small_needs_no_secret_and_does_not_run_as_root():
    instructions = dockerfile()
    words = [word for word, _ in instructions]
    version = read(".python-version").strip()
    assert instructions[0] == ("FROM", f"python:{version}-slim")
    copied = [rest for word, rest in instructions if word in {"COPY", "ADD"}]
    assert copied == [
        "requirements.lock requirements-storage.txt requirements-traces.txt ./",
        ". .",
    ]  # so that packages are installed once
    collected = instructions.index(("RUN", "python manage.py collectstatic --noinput"))
    assert words.index("USER") > collected > words.index("COPY")
    assert int(dict(instructions)["USER"].split(":")[0]) > 0
    # In exec form, so that SIGTERM reaches the server.
    assert json.loads(dict(instructions)["CMD"]) == procfile()["web"].split()
    assert not re.search("SECRET|TOKBOX|VONAGE|PASSWORD", read("Dockerfile"))


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
def test_the_image_is_healthy_while_healthz_says_so(status, exit_status):
    class Healthz(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *args):
            pass

    _, command = dict(dockerfile())["HEALTHCHECK"].split("CMD ")
    with http.server.HTTPServer(("127.0.0.1", 0), Healthz) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        done = subprocess.run(
            [sys.executable, *json.loads(command)[1:]],
            env=os.environ | {"PORT": str(listening.server_port)}, stderr=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
        listening.shutdown()
    assert done.returncode == exit_status


def as_regex(pattern):
    """A pattern of .dockerignore, as github.com/moby/patternmatcher reads it."""
    meant = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/"))
    return "".join(meant.get(part) or re.escape(part) for part in parts)


def ignored(path):
    """Whether .dockerignore keeps a path out: the last pattern that it, or a folder above it, fits."""
    parts = path.split("/")
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    is_ignored = False
    for line in read(".dockerignore").splitlines():
        if line and not line.startswith("#"):
            expression = as_regex(line.removeprefix("!"))
            if any(re.fullmatch(expression, name) for name in names):
                is_ignored = not line.startswith("!")
    return is_ignored


# At the top and further down: somebody may have a copy of it all in a folder of the checkout.
SECRETS_AND_DATA = [
    ".env", ".env.production", ".envrc", "production.env", ".git/config", ".venv/bin/python",
    "venv/bin/python", "db.sqlite3", "db.sqlite3-wal", "rooms.db", "rooms.db-wal", ".netrc",
    ".local/secret_key", "__pycache__/urls.pyc", "private.key", "vonage.pem", "vonage.p12",
    ".ssh/id_rsa", ".mypy_cache/x", "node_modules/x/y.js",
]  # fmt: skip


@pytest.mark.parametrize("folder", ["", "deploy/", "config/secrets/"])
@pytest.mark.parametrize("path", SECRETS_AND_DATA)
def test_the_image_gets_no_secrets_and_no_data_from_any_folder(path, folder):
    assert ignored(folder + path)


@pytest.mark.parametrize(
    "path", ["tests/conftest.py", "tests_call/sdk.py", "staticfiles/site.css", "bench/lists.py"]
)
def test_the_image_gets_nothing_that_the_server_does_not_run(path):
    assert ignored(path)


def test_git_keeps_secrets_and_data_out_as_well():
    names = [".env", ".env.production", "deploy/.env", "db.sqlite3", "x/private.key", "vonage.pem"]
    done = subprocess.run(
        ["git", "check-ignore", *names, ".env.example"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == names


def test_the_image_gets_what_the_server_and_the_local_opentok_run():
    files = ["manage.py", "requirements.txt", "static/site.css", "templates/base.html",
             ".env.example", *documents.FILES]  # fmt: skip
    modules = subprocess.run(
        ["git", "ls-files", "*/__init__.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    not_run = ("tests/", "tests_call/", "tests_sdks/", "bench/", "scripts/")
    files += [path for path in modules if not path.startswith(not_run)]
    assert "emulator/__init__.py" in files
    assert [path for path in files if ignored(path)] == []


def test_compose_brings_a_database_a_migration_and_a_local_opentok_that_only_this_machine_sees():
    services = compose()
    assert set(services) == {"server", "migrations", "opentok", "database"}
    assert all(port.startswith("127.0.0.1:") for port in services["server"]["ports"])
    assert not any("ports" in services[name] for name in ("migrations", "opentok", "database"))
    after = services["server"]["depends_on"]
    assert after == {"migrations": {"condition": "service_completed_successfully"}}
    assert services["migrations"]["command"] == procfile()["release"].split()
    assert services["migrations"]["environment"] == services["server"]["environment"]
    after = services["migrations"]["depends_on"]
    assert after == {"database": {"condition": "service_healthy"}}
    assert services["opentok"]["command"][:3] == ["python", "-m", "emulator"]
    assert "$" not in read("compose.yaml")  # nothing has to be set for it


def test_calls_and_recordings_of_the_local_opentok_work_in_a_browser_on_this_machine():
    services = compose()
    assert services["opentok"]["network_mode"] == "service:server"
    addresses = services["server"]["environment"]
    assert addresses["OPENTOK_API_URL"] == "http://localhost:8081"
    assert addresses["OPENTOK_PROXY_URL"] == "http://localhost:8081"  # calls on the join page
    assert "127.0.0.1:8081:8081" in services["server"]["ports"]

"""What changes by itself where DYNO tells that it is Heroku, and what an explicit variable keeps."""

import json
import os

import pytest

from config import database
from tests import forked
from tests.server_process import ROOT, Server
from video import accounts

# A space counts as not set, and keeps what `.env` has to say out. CI is what Heroku's CI sets.
HEROKU = {
    "DYNO": "web.1",
    "CI": " ",
    "SECURE_SSL_REDIRECT": " ",
    "DATABASE_URL": "postgres://u:p@database.example.com/rooms",  # nothing here reads it
    "DJANGO_SETTINGS_MODULE": "config.settings",
}
HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def heroku():
    with Server(**HEROKU) as server:
        yield server


def options(monkeypatch, **variables):
    for name, text in (HEROKU | variables).items():
        monkeypatch.setenv(name, text)
    return database.read("DATABASE_URL", "", base=ROOT)["OPTIONS"]


def run(*command, **variables):
    return forked.run(command, cwd=ROOT, env=os.environ | HEROKU | variables)


def test_http_leads_to_https_for_web_pages_of_other_origins_as_well(heroku):
    answer = heroku.get("/room/x?e2ee=true", headers={"Host": "rooms.example.com"})
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://rooms.example.com/room/x?e2ee=true"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_answered_and_not_redirected(heroku):
    assert heroku.request("OPTIONS", "/room/x").status_code == 204


def test_behind_the_router_pages_and_cookies_are_those_of_https(heroku):
    page = heroku.get("/", headers=HTTPS | {"Host": "rooms.example.com"})
    assert "https://rooms.example.com" in page.text
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    cookies = heroku.get("/admin/login/", headers=HTTPS).cookies
    assert [(cookie.name, cookie.secure) for cookie in cookies] == [("csrftoken", True)]


@pytest.mark.parametrize(("variables", "redirects"), [({}, True), ({"CI": "true"}, False), ({"SECURE_SSL_REDIRECT": "off"}, False)])  # fmt: skip
def test_an_explicit_variable_wins_and_on_herokus_ci_nothing_changes(variables, redirects):
    show = "import json; from config import settings as s; print(json.dumps(s.SECURE_SSL_REDIRECT))"
    assert json.loads(run("-c", show, **variables).stdout) is redirects


def test_herokus_database_is_asked_for_tls_unless_its_url_says_otherwise(monkeypatch):
    url = HEROKU["DATABASE_URL"]
    assert options(monkeypatch)["sslmode"] == "require"
    assert options(monkeypatch, DATABASE_URL=f"{url}?sslmode=disable")["sslmode"] == "disable"
    assert "sslmode" not in options(monkeypatch, DYNO=" ")
    assert "sslmode" not in options(monkeypatch, DATABASE_URL="sqlite:///x.sqlite3")


@pytest.mark.parametrize(
    "command", [["-m", "config.server"], ["manage.py", "migrate", "--noinput"]], ids=["web", "release"]
)  # fmt: skip
@pytest.mark.parametrize("url", [" ", "sqlite:///x.sqlite3"], ids=["no database", "sqlite"])
def test_sqlite_is_refused_with_the_reason_and_the_remedy(command, url):
    done = run(*command, DATABASE_URL=url)
    assert done.returncode == 1
    assert "thrown away at every restart" in done.stderr
    assert "heroku addons:create heroku-postgresql" in done.stderr


def test_the_configuration_that_app_json_makes_has_nothing_to_warn_of():
    check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = run("-m", "tests.as_deployed", *check)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://127.0.0.1:8081", "config.E004"),
        ("http://opentok.example.com", "config.W001"),
        ("https://opentok.example.com", ""),
    ],
)
def test_an_opentok_that_is_none_for_production_is_named_before_a_deployment(url, complaint):
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", OPENTOK_API_URL=url)
    assert done.returncode == bool(complaint)
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:8081", True),
        ("http://opentok.localhost", True),
        ("http://opentok:8081/", True),
        ("https://10.0.0.7", True),
        ("http://[::1]:8081", True),
        ("http://[nonsense", False),
        ("https://8.8.8.8", False),
        ("https://api.opentok.com", False),
        ("", False),
    ],
)
def test_an_opentok_is_known_as_local_by_its_url(url, is_local):
    assert accounts.is_local(url) is is_local

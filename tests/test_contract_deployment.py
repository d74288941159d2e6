"""What an operator of the sample server relies on: `.env`, PORT and a page that explains itself."""

import re
import shutil

import pytest
from django.conf import global_settings
from django.contrib.auth.models import User

from tests import forked
from tests.server_process import ROOT, Server

PROGRAM = [
    "access",
    "api",
    "archives",
    "audit",
    "live",
    "meetings",
    "webhooks",
    "config",
    "ops",
    "rooms",
    "staff",
    "static",
    "telemetry",
    "templates",
    "video",
    "web",
    "manage.py",
]
# Taken away from the environment, for `.env` to set.
NOTHING = dict.fromkeys(
    ["SECRET_KEY", "TOKBOX_API_KEY", "TOKBOX_SECRET", "OPENTOK_API_URL", "OPENTOK_TIMEOUT", "PORT"]
)


@pytest.fixture
def copy(tmp_path):
    """The program in a folder of its own, where it finds no `.env` but the test's."""
    for name in PROGRAM:
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copied(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_index_page_lists_the_endpoints(server):
    answer = server.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    paths = ["/session", "/room/", "/archive", "/archive/start", "/stop", "/view"]
    assert [path for path in paths if path not in answer.text] == []


@pytest.mark.parametrize("path", ["/", "/room/x", "/nope", "/static/site.css"])
def test_no_answer_tells_what_it_was_made_with(server, path):
    headers = server.get(path).headers
    assert not re.search("[0-9]", headers.get("Server", ""))
    assert "X-Powered-By" not in headers


def test_credentials_and_port_may_stand_in_a_dotenv_file(opentok, copy, transactional_db):
    server = Server(cwd=copy, **NOTHING)
    dotenv = {
        "SECRET_KEY": "for-this-test-only-and-long-enough-for-the-checks",
        "TOKBOX_API_KEY": opentok.api_key,
        "TOKBOX_SECRET": opentok.secret,
        "OPENTOK_API_URL": opentok.url,
        "PORT": server.port,
    }
    (copy / ".env").write_text("".join(f"{name}={text}\n" for name, text in dotenv.items()))
    with server:
        assert server.get("/room/lobby").json()["apiKey"] == opentok.api_key


def test_unless_told_otherwise_the_port_is_8080_and_opentok_has_less_than_eight_seconds(copy):
    show = "from config import settings; print(settings.PORT, settings.OPENTOK_TIMEOUT)"
    environment = Server(**NOTHING).environment
    port, timeout = forked.run(["-c", show], cwd=copy, env=environment).stdout.split()
    assert port == "8080"
    assert 0 < float(timeout) < 8


def test_djangos_own_server_answers_as_well(opentok, transactional_db):
    command = ["manage.py", "runserver", "--noreload", "127.0.0.1:{port}"]
    with Server(command=command, OPENTOK_API_URL=opentok.url) as server:
        assert server.get("/session").headers["Location"] == "/room/session"
        assert server.get("/room/session").json()["token"]


def test_behind_a_proxy_that_ends_tls_everything_is_https(opentok, settings, transactional_db):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # as the server reads them
    User.objects.create_superuser("ada", password="lovelace-1815")
    with Server(OPENTOK_API_URL=opentok.url, SECURE_SSL_REDIRECT="on") as server:
        plain = server.get("/room/x")
        assert plain.status_code == 301
        assert plain.headers["Location"] == f"https://127.0.0.1:{server.port}/room/x"
        https = {"X-Forwarded-Proto": "https"}
        form = server.get("/admin/login/", headers=https)
        assert form.headers["Strict-Transport-Security"].startswith("max-age=")
        token = form.cookies["csrftoken"]
        headers = https | {
            "Cookie": f"csrftoken={token}",
            "Origin": f"https://127.0.0.1:{server.port}",
        }
        fields = {"username": "ada", "password": "lovelace-1815", "csrfmiddlewaretoken": token}
        entered = server.post("/admin/login/", headers=headers, data=fields)
        assert entered.status_code == 302
        cookies = [*form.cookies, *entered.cookies]
        assert {cookie.name for cookie in cookies} == {"csrftoken", "sessionid"}
        assert all(cookie.secure for cookie in cookies)


def test_a_page_with_a_file_that_was_not_collected_is_there_all_the_same(
    client, settings, tmp_path
):
    manifest = '{"version": "1.1", "hash": "", "paths": {"favicon.svg": "favicon.0123.svg"}}'
    (tmp_path / "staticfiles.json").write_text(manifest)
    storage = settings.STORAGES["staticfiles"] | {"OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
    page = client.get("/")
    assert page.status_code == 200
    assert b'"/static/favicon.0123.svg"' in page.content
    assert b'"/static/site.css"' in page.content

"""`manage.py doctor`: what is special where the server runs, and what to do first."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from ops.doctor import most_important, platforms, stored
from ops.doctor.finding import Finding
from ops.management.commands.doctor import Command
from tests.test_doctor import Diagnosis, run_here

pytestmark = pytest.mark.django_db(transaction=True)
*OTHERS, DOCKER = platforms.PLATFORMS
# A variable that each sets, and how it says what to do.
SIGNS = {
    "Heroku": ("DYNO", "web.1", "`heroku config:set SECURE_SSL_REDIRECT=on`"),
    "Render": ("RENDER", "true", "page Environment of the service in the dashboard"),
    "Railway": ("RAILWAY_PROJECT_NAME", "production", "page Variables of the service"),
    "Fly.io": ("FLY_APP_NAME", "ours", "`fly secrets set SECURE_SSL_REDIRECT=on`"),
    "Kubernetes": ("KUBERNETES_SERVICE_HOST", "10.0.0.1", "`kubectl set env"),
}


@pytest.fixture
def doctor(opentok, monkeypatch):
    """Examines this process, on a machine of its own unless it is told otherwise."""
    for platform in OTHERS:
        monkeypatch.delenv(platform.sign, raising=False)
    monkeypatch.setattr(platforms, "PLATFORMS", OTHERS)

    def examine(*arguments, **variables):
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        return run_here(*arguments)

    return examine


def diagnosed(doctor, **variables):
    return Diagnosis(doctor("--json", **variables))


@pytest.mark.parametrize("name", SIGNS)
def test_each_platform_is_known_by_its_variable_and_says_how_to_set_one(doctor, name):
    sign, text, way = SIGNS[name]
    diagnosis = diagnosed(doctor, **{sign: text})
    assert diagnosis.of("platform")[1].startswith(f"{name}. ")
    assert way in diagnosis.of("https")[1]
    assert "SECURE_SSL_REDIRECT=on" in diagnosis.of("https")[1]


def test_a_machine_of_its_own_has_a_unit_file(doctor):
    diagnosis = diagnosed(doctor)
    assert diagnosis.of("platform")[1] == "A machine of its own. "
    assert "`Environment=` in the unit file" in diagnosis.of("https")[1]
    assert "`heroku" not in diagnosis.written


def test_docker_is_known_by_its_file(doctor, monkeypatch, tmp_path):
    mark = tmp_path / ".dockerenv"
    mark.touch()
    monkeypatch.setattr(platforms, "PLATFORMS", [replace(DOCKER, sign=str(mark))])
    assert "`docker run -e SECURE_SSL_REDIRECT=on …`" in diagnosed(doctor).of("https")[1]


def test_a_variable_that_is_empty_is_no_sign(doctor):
    assert "machine of its own" in diagnosed(doctor, RENDER=" ").of("platform")[1]


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"RENDER": "true", "RENDER_EXTERNAL_HOSTNAME": "Ours.onrender.com"}, "ours.onrender.com"),
        ({"FLY_APP_NAME": "ours"}, "ours.fly.dev"),
        ({"DYNO": "web.1", "HEROKU_APP_DEFAULT_DOMAIN_NAME": "ours-1.herokuapp.com"}, "ours-1.herokuapp.com"),
        ({"RAILWAY_PROJECT_NAME": "x", "RAILWAY_PUBLIC_DOMAIN": "ours.up.railway.app"}, "ours.up.railway.app"),
    ],
)  # fmt: skip
def test_the_host_name_of_the_platform_has_to_be_allowed(doctor, settings, variables, name):
    settings.ALLOWED_HOSTS = ["rooms.example.com"]
    level, text = diagnosed(doctor, **variables).of("host names")
    assert (level, f"ALLOWED_HOSTS=rooms.example.com,{name}" in text) == ("warning", True)
    settings.ALLOWED_HOSTS = [name]
    assert diagnosed(doctor).of("host names")[0] == "ok"


def test_a_platform_that_does_not_say_its_host_name_is_not_asked(doctor):
    assert "host names" not in diagnosed(doctor, DYNO="web.1").levels()


@pytest.mark.parametrize(
    ("variables", "trusted", "is_told"),
    [({"FLY_APP_NAME": "x"}, 1, True), ({"FLY_APP_NAME": "x"}, 2, False),
     ({"RENDER": "true"}, 1, True), ({"RENDER": "true"}, 3, False), ({}, 0, False)],
)  # fmt: skip
def test_each_platform_has_its_number_of_proxies(doctor, settings, variables, trusted, is_told):
    settings.TRUSTED_PROXIES = trusted
    found = diagnosed(doctor, **variables).findings
    assert any("count as one address" in each["message"] for each in found) == is_told


def test_sqlite_on_a_disk_that_is_thrown_away_comes_first(doctor, settings, monkeypatch):
    found = list(stored.lasting())
    if stored.connection.vendor != "sqlite":
        assert not found
        return
    assert not found  # a machine of its own keeps its disk
    monkeypatch.setitem(stored.connection.settings_dict, "NAME", "/rooms.sqlite3")
    monkeypatch.setenv("FLY_APP_NAME", "ours")
    (thrown_away,) = stored.lasting()
    assert (thrown_away.level, "fly scale count 1" in thrown_away.remedy) == ("error", True)
    monkeypatch.setitem(stored.connection.settings_dict, "NAME", "/dev/shm/rooms.sqlite3")
    (mounted,) = stored.lasting()
    assert mounted.level == "ok"


def test_the_last_lines_are_three_things_at_most_and_errors_come_first(doctor, settings, db):
    settings.CALLBACK_SECRET, settings.SECURE_SSL_REDIRECT = "", False
    settings.ANONYMOUS_ACCESS = frozenset(["broadcast"])
    settings.OPENTOK = settings.OPENTOK | {"TOKBOX_SECRET": "0" * 40}
    done = doctor()
    before, _, last = done.stdout.partition("\nTo do, the most important first:\n")
    first, *others = last.splitlines()
    assert first.startswith("1. credentials: TOKBOX_SECRET does not belong")
    assert [line[:2] for line in others] == ["2.", "3."]
    assert "static files" not in last  # which are about speed
    levels = {found["level"] for found in json.loads(doctor("--json").stdout)}
    assert {"error", "warning"} <= levels
    assert before.count("\nwarning") > 2


def test_where_all_is_well_it_says_that_nothing_is_to_do():
    written = StringIO()
    Command(stdout=written)._write_what_to_do(most_important([Finding("ok", "release", "1.0.0")]))
    assert written.getvalue() == "\nNothing has to be done.\n"

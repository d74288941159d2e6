"""A server that is not configured does not start, and says what to do about it."""

import os
import runpy
import subprocess
import sys
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests import forked
from tests.server_process import ROOT

GOOD = {
    "SECRET_KEY": "long-enough-and-random-enough-for-a-test-0123456789",
    "TOKBOX_API_KEY": "1",
    "TOKBOX_SECRET": "0123456789abcdef0123456789abcdef01234567",
    "DJANGO_SETTINGS_MODULE": "config.settings",
}
# A space counts as not set, and keeps a developer's `.env` out.
UNSET = dict.fromkeys(("VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"), " ")


def start(*command, **environment):
    """The exit status of a command in this environment, and what it wrote to standard error."""
    done = forked.run(command, cwd=ROOT, env=os.environ | GOOD | UNSET | environment)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"DEBUG": "maybe"}, "DEBUG must be on or off"),
        ({"SECRET_KEY": " "}, "SECRET_KEY is not set"),
        ({"TOKBOX_API_KEY": " ", "TOKBOX_SECRET": " "}, "No OpenTok credentials are set"),
        ({"TOKBOX_SECRET": " "}, "TOKBOX_SECRET is not set"),
        ({"VONAGE_PRIVATE_KEY": "x"}, "Both TOKBOX_* and VONAGE_* are set"),
        ({"LISTEN": "0.0.0.0:8080"}, "LISTEN (or --host) must be an IP address"),
        ({"LISTEN": "8080"}, "LISTEN (or --host) must be an IP address"),
        ({"LISTEN": "no-such-name.invalid"}, "LISTEN (or --host) must be an IP address"),
        ({"LISTEN": "fe80::1%lo"}, "LISTEN (or --host) must be an IP address"),
        ({"LISTEN": "203.0.113.1", "PORT": "0"}, "Cannot listen on 203.0.113.1:0: Cannot assign"),
        ({"LISTEN": "2001:db8::1", "PORT": "0"}, "Cannot listen on [2001:db8::1]:0: Cannot assign"),
        ({"ADMIN_URL": "session/"}, "ADMIN_URL is 'session/', which leads elsewhere already."),
        ({"ADMIN_URL": "room/"}, "ADMIN_URL is 'room/', which leads elsewhere already."),
        ({"ADMIN_URL": "static/"}, "ADMIN_URL is 'static/', which leads elsewhere already."),
    ],
)
def test_a_wrong_variable_is_named_in_one_line_and_nothing_starts(environment, complaint):
    status, written = start("-m", "config.server", **environment)
    assert status == 1
    assert complaint in written
    assert len(written.splitlines()) == 1
    assert GOOD["TOKBOX_SECRET"] not in written


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"TOKBOX_SECRET": "0123 # comment"}, "TOKBOX_SECRET must have no white space"),
        ({"TOKBOX_SECRET": '"0123'}, "TOKBOX_SECRET has a quote at its beginning or end"),
        ({"SECRET_KEY": "0123\x1b"}, "SECRET_KEY holds the invisible character U+001B"),
        ({"REQUESTS_CA_BUNDLE": "/none.pem"}, "REQUESTS_CA_BUNDLE must be a PEM file"),
        ({"REQUESTS_CA_BUNDLE": __file__}, "REQUESTS_CA_BUNDLE must be a PEM file"),
        ({"OPENTOK_TIMEOUT": "soon"}, "OPENTOK_TIMEOUT must be a number"),
        ({"OPENTOK_TIMEOUT": "nan"}, "OPENTOK_TIMEOUT must be a number"),
        ({"OPENTOK_TIMEOUT": "15.1"}, "OPENTOK_TIMEOUT must be a number"),
        (
            {"TOKEN_TTL": "2592001"},
            "TOKEN_TTL must be a whole number from 60 to 2592000, not '2592001'.",
        ),
        ({"ANONYMOUS_ACCESS": "join,watch"}, "ANONYMOUS_ACCESS must be some of join, record, view"),
        ({"ANONYMOUS_ACCESS": "manage"}, "ANONYMOUS_ACCESS must be some of join, record, view"),
        ({"ANONYMOUS_ACCESS": "none,join"}, "ANONYMOUS_ACCESS must be some of"),
        ({"ROOM_CREATION": "closed"}, "ROOM_CREATION must be one of open, keys, not 'closed'."),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN must have 16 characters or more"),
        ({"METRICS_TOKEN": "long enough but has spaces"}, "METRICS_TOKEN must have 16 characters"),
        ({"CALLBACK_SECRET": "short"}, "CALLBACK_SECRET must have 16 to 50 characters"),
        ({"CALLBACK_SECRET": "x" * 51}, "CALLBACK_SECRET must have 16 to 50 characters"),
        ({"TOKEN_ROLE": "king"}, "TOKEN_ROLE must be one of subscriber, publisher"),
        ({"CONFERENCE_NUMBER": "call me"}, "CONFERENCE_NUMBER must be a phone number such as"),
        ({"SIP_URI": "tel:14155550100"}, "SIP_URI must be like sip:"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL must start with"),
        ({"DATABASE_URL": "no url at all"}, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite://db.sqlite3"}, "sqlite:///file beside manage.py"),
        ({"DATABASE_URL": "postgres://u:p@host:5432"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "postgres://u:p@host/"}, "DATABASE_URL names no database"),
        ({"ALLOWED_HOSTS": "a.example, https://b.example"}, "ALLOWED_HOSTS must be host names"),
        ({"ALLOWED_HOSTS": "rooms.example.com:443"}, "ALLOWED_HOSTS must be host names"),
        ({"CORS_ALLOWED_ORIGINS": "b.example"}, "CORS_ALLOWED_ORIGINS must be origins"),
        ({"CORS_ALLOWED_ORIGINS": "https://b.example/"}, "CORS_ALLOWED_ORIGINS must be origins"),
        ({"PORT": "http"}, "PORT must be a whole number from 0 to 65535, not 'http'."),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number"),
        ({"TRUSTED_PROXIES": "all"}, "TRUSTED_PROXIES must be a whole number from 0 to 10"),
        (
            {"RATE_LIMITS": "join=often"},
            "RATE_LIMITS must be like join=10/minute or join=10/5minute, not 'often'.",
        ),
        ({"RATE_LIMITS": "join=0/minute"}, "RATE_LIMITS must be like join=10/minute"),
        ({"RATE_LIMITS": f"join={2**63}/minute"}, "RATE_LIMITS must be like join=10/minute"),
        ({"RATE_LIMITS": f"join=1/{10**9}year"}, "RATE_LIMITS must be like join=10/minute"),
        ({"RATE_LIMITS": "join=1/minute;2/hour"}, "RATE_LIMITS must be like join=10/minute"),
        ({"RATE_LIMITS": "fly=1/minute"}, "RATE_LIMITS must be off, or limits for join, create"),
        ({"REDIS_URL": "http://host"}, "REDIS_URL must be like redis://:password@host:6379/0"),
        ({"REDIS_URL": "redis://:s3cret@host:port"}, "REDIS_URL must be like redis://:password"),
        ({"ADMIN_URL": "/admin/"}, "ADMIN_URL must be a path such as admin/"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named_in_one_line(environment, complaint):
    with (
        mock.patch.dict(os.environ, GOOD | UNSET | environment),
        pytest.raises(ImproperlyConfigured) as refused,
    ):
        runpy.run_path(str(ROOT / "config" / "settings.py"))
    written = str(refused.value)
    assert complaint in written
    assert len(written.splitlines()) == 1
    assert GOOD["TOKBOX_SECRET"] not in written


@pytest.mark.parametrize("folder", ["/nonexistent", "/dev/full", "/proc"])
def test_a_folder_for_temporary_files_that_is_is_of_no_use_is_said_in_a_line(folder):
    status, written = start("-m", "config.server", TMPDIR=folder)
    assert status == 1
    assert f"Temporary files cannot be written to {folder}, which TMPDIR names" in written
    assert len(written.splitlines()) == 1


def test_the_wsgi_application_refuses_as_well():
    status, written = start("-c", "import config.wsgi", SECRET_KEY=" ")
    assert status == 1
    assert "SECRET_KEY is not set" in written


def test_a_server_imports_neither_redis_nor_markdown_before_it_needs_them():
    code = "import config.asgi, sys; sys.exit(bool({'redis', 'markdown_it'} & sys.modules.keys()))"
    # In a process of its own: a forked one has imported what the server may import.
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env=os.environ | GOOD | UNSET | {"REDIS_URL": " "}, check=True,
    )  # fmt: skip


def test_management_commands_refuse_as_well():
    status, written = start("manage.py", "check", TOKBOX_SECRET=" ")
    assert status == 1
    assert "TOKBOX_SECRET is not set" in written


def test_static_files_can_be_collected_before_anything_is_configured():
    nothing = {"SECRET_KEY": " ", "TOKBOX_API_KEY": " ", "TOKBOX_SECRET": " "}
    status, written = start("manage.py", "collectstatic", "--noinput", "--dry-run", **nothing)
    assert status == 0, written


def test_a_relative_sqlite_path_counts_from_the_project(tmp_path):
    code = "from django.conf import settings; print(settings.DATABASES['default']['NAME'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ | GOOD | {"DATABASE_URL": "sqlite:///x.sqlite3", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == str(ROOT / "x.sqlite3")

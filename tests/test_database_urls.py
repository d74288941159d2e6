"""DATABASE_URL: what is written is what is opened, and what cannot work is refused at the start."""

import os
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg2.extensions import parse_dsn

from config import database
from tests import forked
from tests.server_process import ROOT, Server, url_of_test_database


@pytest.fixture
def read(monkeypatch):
    def read(url, base=ROOT):
        monkeypatch.setenv("DATABASE_URL", url)
        return database.read("DATABASE_URL", "", base=base)

    return read


def manage(url, *command):
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url}
    return forked.run(["manage.py", *command], cwd=ROOT, env=os.environ | own)


@pytest.mark.parametrize(
    "url",
    ["postgres://u:s3cr#t/x@host/db", "mysql://u:s3cr#t@host/db", "postgres://u:s3cr@h:x/db",
     "postgres://u:s3cr@t@host/db", "postgres://u:s3cr%zz@host/db", "postgres://u:p/x?s3cr=t@host/db",
     "postgres://u:s3cr@host/db?pgbouncer=true", "postgres://u:s3cr@host:65536/db"],
)  # fmt: skip
def test_a_database_url_that_cannot_be_read_keeps_its_password(url):
    done = manage(url, "check")
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s3cr" not in done.stderr


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("pgbouncer=true", "pgbouncer"),
        ("sslmode=require&schema=public", "schema"),
        ("conn_max_age=60", "conn_max_age"),
        ("isolation_level=1", "isolation_level"),
        ("sslmode=no-verify", "sslmode"),
        ("sslmode", "sslmode"),
        ("target_session_attrs=master", "target_session_attrs"),
        ("service=nowhere", "service"),
        ("sslrootcert=/no/such/file", "sslrootcert"),
    ],
)
def test_a_parameter_that_could_not_be_used_is_named(read, query, name):
    with pytest.raises(ImproperlyConfigured) as raised:
        read(f"postgres://user:s3cr3t@host/name?{query}")
    assert f"DATABASE_URL has a parameter '{name}' that cannot be used" in str(raised.value)
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://user@%2Fvar%2Frun%2Fpostgresql/name", {"HOST": "/var/run/postgresql", "USER": "user"}),
        ("postgres:///name?host=/var/run/postgresql", {"HOST": "/var/run/postgresql", "NAME": "name"}),
        ("postgresql://us%40er:p%2F%23%3F%25@h/n%20m", {"USER": "us@er", "PASSWORD": "p/#?%", "NAME": "n m"}),
        ("postgres://u:p+#x?a=b@h/n+m?sslmode=require", {"PASSWORD": "p+#x?a=b", "NAME": "n+m"}),
        ("postgres://[2001:db8::1]:6432/name", {"HOST": "2001:db8::1", "PORT": "6432"}),
        ("postgres://a:1,b:2/name?target_session_attrs=read-write", {"HOST": "a,b", "PORT": "1,2"}),
        ("postgres:///?dbname=name&user=u&password=p&port=7", {"NAME": "name", "PORT": "7"}),
    ],
)  # fmt: skip
def test_each_part_of_a_url_of_postgresql_is_decoded(read, url, expected):
    settings = read(url)
    assert {name: settings[name] for name in expected} == expected


def test_what_postgresql_documents_is_handed_on_as_it_is(read, tmp_path, monkeypatch):
    (tmp_path / "services").write_text("[rooms]\nhost=elsewhere\ndbname=rooms\n")
    (tmp_path / "root.crt").touch()
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    given = {
        "sslmode": "verify-full", "sslrootcert": f"{tmp_path}/root.crt", "connect_timeout": "9",
        "options": "-c search_path=rooms", "application_name": "007", "service": "rooms",
        "target_session_attrs": "read-write", "keepalives": "0", "gssencmode": "disable",
        "load_balance_hosts": "random", "client_encoding": "UTF8", "channel_binding": "prefer",
    }  # fmt: skip
    query = "&".join(f"{name}={quote(text, safe='')}" for name, text in given.items())
    settings = read(f"postgres:///?{query}")
    assert settings["OPTIONS"] == database.OPTIONS | given
    assert settings["NAME"] == ""


def test_options_of_a_database_url_are_added_to_ours(read):
    options = read("postgres://h/db?sslmode=require&connect_timeout=9")["OPTIONS"]
    assert options == database.OPTIONS | {"sslmode": "require", "connect_timeout": "9"}


def test_a_server_that_has_died_in_silence_is_noticed_within_half_a_minute():
    options = database.OPTIONS
    probes = options["keepalives_interval"] * options["keepalives_count"]
    assert options["keepalives_idle"] + probes <= 30


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgres:////var/run/postgresql/name", "has a path for a name"),
        ("sqlite:////folder/file?mode=ro", "can have no parameters"),
        ("sqlite:////folder/file?", "can have no parameters"),
        ("sqlite:///fi%00le", "NUL"),
        ("sqlite:////", "names a folder"),
        ("sqlite:////tmp", "names a folder"),
        ("sqlite:////tmp/new/", "names a folder"),
        ("sqlite:///..", "names a folder"),
    ],
)
def test_what_would_be_opened_as_something_else_is_refused(read, url, complaint):
    with pytest.raises(ImproperlyConfigured, match=f"DATABASE_URL .*{complaint}"):
        read(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:x.db", "sqlite://x.db", "sqlite:///:memory:"])  # fmt: skip
def test_an_sqlite_that_is_no_file_for_all_processes_is_refused(url, read):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must name a file"):
        read(url)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a%20b.sqlite3", "a b.sqlite3"),
        ("a b.sqlite3", "a b.sqlite3"),
        ("a+b#c.sqlite3", "a+b#c.sqlite3"),
        ("a%3Fb%25.sqlite3", "a?b%.sqlite3"),
        ("ü%C3%BC.sqlite3", "üü.sqlite3"),
        ("new/../x.sqlite3", "x.sqlite3"),
    ],
)
def test_the_file_that_a_url_names_is_the_one_that_is_opened(tmp_path, written, name):
    (tmp_path / "new").mkdir()
    done = manage(f"sqlite:///{tmp_path}/{written}", "migrate", "auth", "0001", "--skip-checks")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"new", name, f"{name}-queue"}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
def test_a_server_finds_postgresql_by_its_socket_in_each_form(opentok, transactional_db):
    given = parse_dsn(url_of_test_database())
    if not given.get("host", "").startswith("/"):
        pytest.skip("this PostgreSQL is none on a socket")
    user, name, folder = given["user"], given["dbname"], given["host"]
    forms = [f"{user}@{quote(folder, safe='')}/{name}", f"{user}@/{name}?host={folder}",
             f"/{name}?host={folder}&user={user}&application_name=rooms%20x"]  # fmt: skip
    for form in forms:
        url = f"postgres://{form}"
        with Server(OPENTOK_API_URL=opentok.url, DATABASE_URL=url, WEB_CONCURRENCY="1") as server:
            assert server.get("/room/known").status_code == 200
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rooms x'"
                )
                assert bool(cursor.fetchone()[0]) == ("rooms%20x" in form)

"""`.env` and the environment: each value is read as people mean it, or refused by its name."""

import codecs
import os
import shutil

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from tests import forked
from tests.server_process import ROOT, Server

SECRET = "s3cr3t-of-24-letters-here"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Reads a file of these bytes, as the settings do. What it sets is forgotten with the test."""
    before = dict(os.environ)
    monkeypatch.setattr(environment, "_file", {})
    for name in ("WANTED", "NEXT"):
        monkeypatch.delenv(name, raising=False)

    def write_and_load(content):
        path = tmp_path / ".env"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        environment.load_dotenv(path)

    yield write_and_load
    for name in os.environ.keys() - before.keys():
        del os.environ[name]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("WANTED=abc # a comment", "abc"),
        ("WANTED=abc\t# a comment", "abc"),
        ("WANTED=pass#word", "pass#word"),
        ("WANTED=#pass", "#pass"),
        ("WANTED= # nothing yet", ""),
        ("WANTED = abc", "abc"),
        ("  export WANTED=abc  ", "abc"),
        ("WANTED='a # b' # a comment", "a # b"),
        ('WANTED="a # b"# a comment', "a # b"),
        ("""WANTED='"abc"'""", '"abc"'),
        ('''WANTED="it's"''', "it's"),
        ('''WANTED="abc'"''', "abc'"),
        (r'WANTED="a\"b\\c\d"', r"a\"b\c\d".replace('\\"', '"')),
        (r"WANTED='a\nb'", r"a\nb"),
        ("WANTED=a$b${c}", "a$b${c}"),
        ('WANTED="a$b${c}"', "a$b${c}"),
        ("WANTED=a=b==", "a=b=="),
        ("# a comment\r\nWANTED=abc\r\nNEXT=1\r\n", "abc"),
        ("WANTED=abc\rNEXT=1\r", "abc"),
        ("NEXT='1\n2'\nWANTED=abc", "abc"),
        ("some.other-name=1\nWANTED=abc", "abc"),
        ("WANTED=abc".encode("utf-8-sig"), "abc"),
        ("WANTED=\u00fcbc".encode("utf-16"), "\u00fcbc"),
        (codecs.BOM_UTF16_BE + "WANTED=\u00fcbc".encode("utf-16-be"), "\u00fcbc"),
        ("# f\u00fcr uns\nWANTED=abc".encode("latin-1"), "abc"),
        ("NAME_OF_ANOTHER_PROGRAM=f\u00fcr\nWANTED=abc".encode("latin-1"), "abc"),
    ],
)  # fmt: skip
def test_a_line_of_the_env_file_is_read_as_it_is_meant(content, value, load):
    load(content)
    assert environment.text("WANTED") == value


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_value_of_the_env_file_in_quotes_may_have_several_lines(quote, load):
    load(f"WANTED={quote}a\nb{quote}\nNEXT=c")
    assert environment.text("WANTED", has_lines=True) == "a\nb"
    assert environment.text("NEXT") == "c"


def test_a_flag_a_number_and_a_list_of_the_env_file_may_have_a_comment(load):
    load("WANTED=on # a comment")
    assert environment.flag("WANTED") is True
    load("NEXT=60 # a minute")
    assert environment.integer("NEXT", 1, at_least=1, at_most=99) == 60
    load("LAST=join,view # no recording")
    assert environment.words("LAST") == ["join", "view"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (f"#\nWANTED={SECRET}\u00fc".encode("latin-1"), "WANTED, in line 2 of .env, is not UTF-8"),
        (f"#\nWANTED={SECRET}\0", "Line 2 of .env: WANTED holds a NUL"),
        (f"#\nWANTED={SECRET}\x1b[0m", "WANTED, in line 2 of .env, holds the invisible character"),
        (f"#\nWANTED={SECRET}\u200bx", "WANTED, in line 2 of .env, holds the invisible character"),
        (f'#\nWANTED="a\n{SECRET}"', "WANTED, in line 2 of .env, holds a line break"),
        (f'#\nWANTED="a\\n{SECRET}"', "WANTED, in line 2 of .env, holds a line break"),
        (f'#\nWANTED="{SECRET}', "Line 2 of .env: WANTED has a quote"),
        (f"#\nWANTED={SECRET}'", "Line 2 of .env: WANTED has a quote"),
        (f"#\nWANTED='a' {SECRET}", "Line 2 of .env: WANTED has a quote"),
        (f"#\nWANTED='it\nNEXT='{SECRET}'", "Line 2 of .env: WANTED has a quote"),
        (f"#\nWANTED=“{SECRET}”", "Line 2 of .env: WANTED has a typographic quote"),
        (f"#\nWANTED=‘{SECRET}’ # a comment", "Line 2 of .env: WANTED has a typographic quote"),
        (f"#\n{SECRET}", "Line 2 of .env is no NAME=value"),
        (f"#\nset WANTED={SECRET}", "Line 2 of .env is no NAME=value"),
        (codecs.BOM_UTF16_LE + b"W\0=\0\xff", ".env is no text in UTF-8"),
    ],
)
def test_a_line_of_the_env_file_that_cannot_be_meant_is_named_without_its_value(
    content, complaint, load
):
    def read():
        load(content)
        environment.text("WANTED")

    with pytest.raises(ImproperlyConfigured) as raised:
        read()
    assert complaint in str(raised.value)
    assert SECRET not in str(raised.value)


def test_an_env_file_that_is_a_folder_is_said_in_a_sentence(tmp_path):
    (tmp_path / ".env").mkdir()
    with pytest.raises(ImproperlyConfigured, match="env cannot be read: Is a directory"):
        environment.load_dotenv(tmp_path / ".env")


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ('"abc"', "abc"),
        ("' abc '", "abc"),
        ('"join,view"', "join,view"),
        ('"it\'s"', "it's"),
        ('""', ""),
        ("abc # d", "abc # d"),
        ("a\"b'c", "a\"b'c"),
        (r"a\nb", r"a\nb"),
    ],
)
def test_a_value_of_the_environment_is_read_without_the_quotes_that_docker_keeps(
    given, value, monkeypatch
):
    monkeypatch.setenv("WANTED", given)
    assert environment.text("WANTED") == value


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (f'"{SECRET}', "WANTED has a quote"),
        (f"{SECRET}'", "WANTED has a quote"),
        (f'"{SECRET}" # a comment', "WANTED has a quote"),
        (f"“{SECRET}”", "WANTED has a typographic quote"),
        (f"‘{SECRET}’ # a comment", "WANTED has a typographic quote"),
        (f"a\n{SECRET}", "WANTED holds a line break"),
        (f"a\t{SECRET}", "WANTED holds a tab"),
        (f"{SECRET}\x7f", "WANTED holds the invisible character U+007F"),
        (f"{SECRET}\udcfc", "WANTED is not UTF-8"),
    ],
)
def test_a_value_of_the_environment_that_cannot_be_meant_is_refused_by_name(
    given, complaint, monkeypatch
):
    monkeypatch.setenv("WANTED", given)
    with pytest.raises(ImproperlyConfigured) as raised:
        environment.text("WANTED")
    assert complaint in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.django_db(transaction=True)
def test_a_server_with_the_quotes_of_dockers_env_file_signs_with_the_right_secret(opentok):
    quoted = {"TOKBOX_API_KEY": f"'{opentok.api_key}'", "TOKBOX_SECRET": f'"{opentok.secret}"'}
    with Server(OPENTOK_API_URL=f'"{opentok.url}"', **quoted) as server:
        assert server.get("/room/x").status_code == 200


def manage(folder, *command, **variables):
    unset = ("TOKBOX_API_KEY", "TOKBOX_SECRET", "SECRET_KEY", "ALLOWED_HOSTS", "OPENTOK_API_URL")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    own = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    return forked.run(["manage.py", *command], cwd=folder, env=kept | own | variables)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of this one, which may have an `.env` of its own."""
    folder = tmp_path_factory.mktemp("checkout") / "rooms"
    leave = shutil.ignore_patterns(".*", "tests", "bench", "staticfiles", "*.sqlite3*")
    shutil.copytree(ROOT, folder, ignore=leave)
    return folder


CREDENTIALS = f"SECRET_KEY={SECRET}\nTOKBOX_API_KEY=1\nTOKBOX_SECRET={SECRET}\n"


def test_an_env_file_of_windows_starts_a_server(checkout):
    (checkout / ".env").write_bytes(CREDENTIALS.replace("\n", "\r\n").encode("utf-16"))
    done = manage(checkout, "check")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_env_file_with_a_latin1_letter_is_a_sentence_and_no_traceback(checkout):
    (checkout / ".env").write_bytes(CREDENTIALS.replace("s3cr3t", "s\u00e9cr3t").encode("latin-1"))
    done = manage(checkout, "check")
    assert done.returncode == 1
    assert "SECRET_KEY, in line 1 of .env, is not UTF-8" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "cr3t" not in done.stderr


def test_a_misspelt_variable_is_warned_of_by_checks_and_doctor(checkout):
    others = "OTHER=1\nOTEL_EXPORTER_OTLP_HEADERS=a=b\n"  # a library reads that one
    (checkout / ".env").write_text(f"{CREDENTIALS}# ours\nTRUSTED_PROXY=1\n{others}")
    where = "TRUSTED_PROXY in line 5 of .env is not read by this server. Is TRUSTED_PROXIES meant?"
    done = manage(checkout, "check", ANONYMOUS_ACCES="none")
    assert done.returncode == 0
    assert where in done.stderr
    assert "ANONYMOUS_ACCES is not read by this server. Is ANONYMOUS_ACCESS meant?" in done.stderr
    assert done.stderr.count("is not read") == 2
    assert where in manage(checkout, "doctor").stdout


@pytest.mark.django_db(transaction=True)
def test_a_misspelt_variable_is_warned_of_once_in_the_log_of_the_server(opentok):
    with Server(OPENTOK_API_URL=opentok.url, CORS_ORIGINS="https://a.example") as server:
        assert server.output().count("CORS_ORIGINS is not read by this server") == 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ANONYMOUS_ACCES", "ANONYMOUS_ACCESS"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("allowed_hosts", "ALLOWED_HOSTS"),
        ("TOKBOX_KEY", "TOKBOX_API_KEY"),
        ("TOKBOX_SECRT", "TOKBOX_SECRET"),
        ("RATE_LIMIT", "RATE_LIMITS"),
        ("CORS_ORIGINS", "CORS_ALLOWED_ORIGINS"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("SECRETKEY", "SECRET_KEY"),
        ("VONAGE_KEY", "VONAGE_PRIVATE_KEY"),
        ("SECURE_SSL", "SECURE_SSL_REDIRECT"),
    ],
)
def test_a_misspelt_name_in_the_environment_is_noticed(name, meant, monkeypatch):
    monkeypatch.setenv(name, "x")
    assert list(environment.misspelt()) == [f"{name} is not read by this server. Is {meant} meant?"]


# What Heroku, Render, Railway, Docker, Kubernetes, systemd and a developer's shell set.
FOREIGN = """
PATH HOME HOST HOSTNAME PORTS LANG PWD SHLVL TERM USER SHELL EDITOR DEBUGINFOD_URLS DEBUG_COLORS
VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHON_VERSION PYTHON_SHA256 GPG_KEY LD_LIBRARY_PATH HTTPS_PROXY
NO_PROXY http_proxy SSH_AUTH_SOCK TMPDIR MAKEFLAGS MAKELEVEL COLORTERM CLI CID TOKEN SECRET PROXY
DYNO_RAM HEROKU_APP_NAME HEROKU_POSTGRESQL_COPPER_URL DATABASE_URL_OLD DATABASE_URL_2
DATABASE_CONNECTION_POOL_URL REDIS_TLS_URL REDISCLOUD_URL STACK SOURCE_VERSION
RENDER RENDER_EXTERNAL_URL RENDER_WEB_CONCURRENCY IS_PULL_REQUEST FORWARDED_ALLOW_IPS
RAILWAY_PUBLIC_DOMAIN RAILWAY_STATIC_URL RAILWAY_TCP_PROXY_PORT DATABASE_PUBLIC_URL
DATABASE_PRIVATE_URL PGHOST PGUSER PGPASSWORD PGPORT POSTGRES_PASSWORD REDISHOST REDISUSER
REDIS_PASSWORD REDIS_HOST REDIS_PORT REDIS_USER REDIS_PUBLIC_URL
DATABASE_HOST DATABASE_PORT DATABASE_PORT_5432_TCP DATABASE_NAME DATABASE_USER DATABASE_PASSWORD
KUBERNETES_PORT KUBERNETES_SERVICE_HOST OPENTOK_PORT OPENTOK_SERVICE_HOST ROOMS_PORT SERVER_PORT
LISTEN_FDS LISTEN_PID LISTEN_FDNAMES ADMIN_USER ADMIN_EMAIL ADMIN_PASSWORD METRICS_PORT
METRICS_ENABLED SECRET_KEY_BASE AWS_SECRET_KEY AWS_SECRET_ACCESS_KEY DJANGO_SECRET_KEY
TEST_DATABASE_URL GITHUB_TOKEN TOKEN_URL API_URL API_KEY VONAGE_API_KEY VONAGE_API_SECRET
BASE_URL SENTRY_DSN PRIVATE_KEY APPLICATION_ID SSL_REDIRECT CALLBACK_URL ALLOWED_IPS
"""


def test_a_name_that_others_set_is_no_misspelt_one(monkeypatch):
    for name in FOREIGN.split():
        monkeypatch.setenv(name, "x")
    assert list(environment.misspelt()) == []


@pytest.mark.parametrize("prefix", ["", "OPENTOK_", "VONAGE_"])
def test_what_others_call_the_credentials_is_noticed_in_the_env_file(prefix, load):
    load(f"{prefix}API_KEY=1\n{prefix}API_SECRET=x\n")
    assert list(environment.misspelt()) == [
        f"{prefix}API_KEY in line 1 of .env is not read by this server. Is TOKBOX_API_KEY meant?",
        f"{prefix}API_SECRET in line 2 of .env is not read by this server. Is TOKBOX_SECRET meant?",
    ]


def test_a_name_in_the_env_file_is_more_suspicious_than_in_the_environment(load):
    load("TRUSTED_PROXY=1\nREDIS_URI=x\nPOSTGRES_PASSWORD=x\nDATABASE_URL_OLD=x\nNEXT=x\n")
    assert [sentence.split()[0] for sentence in environment.misspelt()] == [
        "REDIS_URI", "TRUSTED_PROXY",
    ]  # fmt: skip

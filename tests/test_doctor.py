"""`manage.py doctor`: the mistakes of the first hour, each named with its remedy."""

import json
import os
import resource
import shutil
import subprocess
import sys
import uuid
from email.utils import formatdate
from io import StringIO
from time import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import call_command

from archives.models import Archive
from tests import forked
from tests.server_process import ROOT, url_of_test_database
from tests.test_credentials_of_the_server import APPLICATION, pem_of

pytestmark = pytest.mark.django_db(transaction=True)
LIST = r"/archive$"


class Diagnosis:
    def __init__(self, done):
        self.status = done.returncode
        self.written = done.stdout + done.stderr
        self.findings = json.loads(done.stdout)

    def levels(self):
        return {found["subject"]: found["level"] for found in self.findings}

    def of(self, subject):
        """Its level, and what was found with what to do about it."""
        (found,) = [found for found in self.findings if found["subject"] == subject]
        return found["level"], f"{found['message']} {found['remedy']}"


def environment(**variables):
    # A space counts as not set, and keeps a developer's `.env` out.
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url_of_test_database(),
           "DYNO": " ", "WEB_CONCURRENCY": "2"}  # fmt: skip
    return os.environ | own | variables


def run(*arguments, cwd=ROOT, **variables):
    return forked.run(["manage.py", "doctor", *arguments], cwd=cwd, env=environment(**variables))


def run_by_itself(*arguments, **variables):
    """With the limits of this process, which a forked one does not have."""
    return subprocess.run(
        [sys.executable, "manage.py", "doctor", *arguments],
        cwd=ROOT, env=environment(**variables), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def run_here(*arguments):
    """The same in this process, which takes a tenth of the time."""
    written, status = StringIO(), 0
    try:
        call_command("doctor", *arguments, stdout=written)
    except SystemExit as error:
        status = error.code
    return subprocess.CompletedProcess(arguments, status, written.getvalue(), "")


@pytest.fixture
def doctor(opentok):
    def examine(**variables):
        if not variables:  # this process is configured like its own would be
            return Diagnosis(run_here("--json"))
        return Diagnosis(run("--json", **{"OPENTOK_API_URL": opentok.url, **variables}))

    return examine


def test_one_small_call_is_all_that_it_asks_of_opentok(doctor, opentok):
    doctor()
    (request,) = opentok.requests()
    assert request["method"] == "GET"
    assert "count=1" in request["path"]


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"SECRET_KEY": " "}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": " ", "SECURE_SSL_REDIRECT": "on"}, "SECRET_KEY is not set"),
        ({"TOKBOX_API_KEY": " ", "TOKBOX_SECRET": " "}, "No OpenTok credentials are set"),
        ({"TOKBOX_SECRET": " "}, "TOKBOX_SECRET is not set"),
        ({"TOKBOX_API_KEY": "5ca1ab1e", "TOKBOX_SECRET": "45999999"}, "swapped"),
        ({"TOKBOX_API_KEY": " ", "TOKBOX_SECRET": " ", "VONAGE_PRIVATE_KEY": "x"}, "VONAGE_APPLICATION_ID must be"),
        ({"TOKBOX_API_KEY": " ", "TOKBOX_SECRET": " ", "VONAGE_APPLICATION_ID": APPLICATION}, "VONAGE_PRIVATE_KEY is not set"),
        ({"DYNO": "run.1", "CI": " ", "DATABASE_URL": "sqlite:///x.sqlite3"}, "thrown away at every restart"),
        ({"SECURE_SSL_REDIRECT": "on"}, "OPENTOK_API_URL is a local OpenTok's"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_an_error(doctor, variables, complaint):
    diagnosis = doctor(**variables)
    assert diagnosis.status == 1
    errors = [f["message"] for f in diagnosis.findings
              if f["subject"] == "configuration" and f["level"] == "error"]  # fmt: skip
    assert any(complaint in message for message in errors)


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_variable_that_cannot_be_read_is_said_in_a_line(arguments):
    done = run(*arguments, DEBUG="maybe")
    assert done.returncode == 1
    assert done.stderr == "The configuration is wrong. DEBUG must be on or off, not 'maybe'.\n"


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"TOKBOX_API_KEY": "47999999"}, "knows no project 47999999"),
        ({"TOKBOX_SECRET": "0123456789abcdef0123456789abcdef01234567"}, "TOKBOX_SECRET does not belong to project 45999999"),
    ],
)  # fmt: skip
def test_refused_credentials_are_told_apart(doctor, variables, complaint):
    diagnosis = doctor(**variables)
    assert diagnosis.status == 1
    level, text = diagnosis.of("credentials")
    assert level == "error"
    assert complaint in text
    assert diagnosis.of("clock")[0] == "ok"
    assert "0123456789abcdef" not in diagnosis.written


def test_refused_credentials_of_an_application_name_its_own_variables(doctor):
    key = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    diagnosis = doctor(
        TOKBOX_API_KEY=" ", TOKBOX_SECRET=" ",
        VONAGE_APPLICATION_ID=APPLICATION, VONAGE_PRIVATE_KEY=key,
    )  # fmt: skip
    level, text = diagnosis.of("credentials")
    assert (diagnosis.status, level) == (1, "error")
    assert f"knows no application {APPLICATION}" in text
    assert "VONAGE_APPLICATION_ID" in text
    assert "PRIVATE KEY-----" not in diagnosis.written


def test_another_refusal_is_quoted(doctor, opentok):
    opentok.fault(status=403, path=LIST, body={"code": 10002, "message": "Unauthorized token"})
    assert "403 Unauthorized token" in doctor().of("credentials")[1]


@pytest.mark.parametrize(("seconds", "direction"), [(300, "behind"), (-300, "ahead of")])
def test_a_clock_that_is_off_is_measured(doctor, opentok, seconds, direction):
    opentok.fault(path=LIST, headers={"Date": formatdate(time() + seconds, usegmt=True)})
    diagnosis = doctor()
    level, text = diagnosis.of("clock")
    assert (diagnosis.status, level) == (1, "error")
    assert f"s {direction} OpenTok's" in text
    assert "NTP" in text
    assert diagnosis.of("credentials")[0] == "ok"


@pytest.mark.parametrize("words", ["issued time cannot be greater than now", "Expired token"])
def test_a_refusal_for_the_time_is_the_clocks_fault_and_not_the_credentials(doctor, opentok, words):
    opentok.fault(status=403, path=LIST, body={"code": -1, "message": words})
    diagnosis = doctor()
    assert diagnosis.status == 1
    assert diagnosis.levels()["clock"] == "error"
    assert words in diagnosis.of("clock")[1]
    assert "credentials" not in diagnosis.levels()  # of which it tells nothing


@pytest.mark.parametrize("date", ["yesterday", "Mon, 99 Foo 0000 00:00:00 GMT", ""])
def test_a_date_that_is_none_says_nothing_of_the_clock(doctor, opentok, date):
    opentok.fault(path=LIST, headers={"Date": date})
    assert doctor().of("clock")[0] == "ok"


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"status": 500}, "OpenTok failed"),
        ({"status": 429}, "OpenTok is busy"),
        ({"body": "<h1>Welcome</h1>"}, "not JSON"),
        ({"drop": True}, "OpenTok is out of reach"),
    ],
)
def test_an_opentok_that_does_not_say_yes_or_no_is_an_error(doctor, opentok, fault, complaint):
    opentok.fault(path=LIST, **fault)
    diagnosis = doctor()
    level, text = diagnosis.of("opentok")
    assert (diagnosis.status, level) == (1, "error")
    assert complaint in text
    assert opentok.url in text


def test_an_opentok_that_is_called_without_tls_is_a_warning(doctor, opentok):
    diagnosis = doctor(OPENTOK_API_URL="http://opentok.invalid", OPENTOK_TIMEOUT="1")
    level, text = diagnosis.of("configuration")
    assert level == "warning"
    assert "http://" in text
    assert diagnosis.of("opentok")[0] == "error"


def test_a_database_that_is_away_is_named_without_its_password(doctor):
    diagnosis = doctor(DATABASE_URL="postgres://rooms:s3cr3t@127.0.0.1:9/rooms")
    level, text = diagnosis.of("database")
    assert (diagnosis.status, level) == (1, "error")
    assert "127.0.0.1" in text
    assert "DATABASE_URL" in text
    assert "s3cr3t" not in diagnosis.written


def test_migrations_that_have_not_run_are_counted(doctor, tmp_path):
    diagnosis = doctor(DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
    level, text = diagnosis.of("migrations")
    assert (diagnosis.status, level) == (1, "error")
    assert "manage.py migrate" in text


def test_static_files_are_to_be_collected_all_of_them(opentok, tmp_path):
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in tracked:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def found():
        return Diagnosis(run("--json", cwd=tmp_path, OPENTOK_API_URL=opentok.url)).of(
            "static files"
        )

    assert found()[0] == "warning"
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=tmp_path, env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}, check=True,
    )  # fmt: skip
    assert found()[0] == "ok"
    (tmp_path / "static" / "new.css").write_text("")
    level, text = found()
    assert level == "error"
    assert "new.css" in text


def test_plain_http_is_a_warning_and_https_takes_a_proxy(doctor):
    level, text = doctor().of("https")
    assert (level, "nobody can log in to the admin" in text) == ("warning", True)
    level, text = doctor(SECURE_SSL_REDIRECT="on").of("https")
    assert (level, "takes a proxy in front" in text) == ("ok", True)


@pytest.mark.parametrize("https", ["on", "off"])
def test_a_short_secret_key_and_debug_are_warnings_with_https_and_without(doctor, https):
    good = {"SECRET_KEY": "0123456789" * 5, "SECURE_SSL_REDIRECT": https}
    assert doctor(**good).of("security")[0] == "ok"
    for name, text in {"SECRET_KEY": "short", "DEBUG": "on"}.items():
        level, said = doctor(**good | {name: text}).of("security")
        assert (level, name in said) == ("warning", True)


def test_few_open_files_are_a_warning(opentok):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        diagnosis = Diagnosis(run_by_itself("--json", OPENTOK_API_URL=opentok.url))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "256 open files" in diagnosis.written
    assert diagnosis.status == 0


def test_a_redis_that_cannot_count_rate_limits_is_named(doctor, redis):
    findings = doctor(REDIS_URL="redis://127.0.0.1:1/0").findings
    (found,) = [found for found in findings if found["subject"] == "rate limits"]
    assert found["level"] == "warning"
    assert "cannot be counted in Redis" in found["message"]
    assert "REDIS_URL" in found["remedy"]
    assert doctor(REDIS_URL=redis.url).of("rate limits")[0] == "ok"
    level, told = doctor().of("rate limits")
    assert level == "ok"
    assert "each process counts by itself" in told


def test_a_folder_for_temporary_files_that_is_of_no_use_is_one_error(doctor):
    diagnosis = doctor(TMPDIR="/nonexistent")
    assert [f["level"] for f in diagnosis.findings if "/nonexistent" in f["message"]] == ["error"]
    assert diagnosis.levels()["rate limits"] == "ok"  # they are counted elsewhere


def test_an_address_that_is_none_is_an_error(doctor):
    level, text = doctor(LISTEN="0.0.0.0:80").of("configuration")
    assert (level, "LISTEN" in text) == ("error", True)


def test_clients_behind_a_proxy_that_nobody_trusts_are_a_warning(doctor):
    def told(**variables):
        findings = doctor(SECURE_SSL_REDIRECT="on", **variables).findings
        return [f["remedy"] for f in findings if "as one address" in f["message"]]

    assert "TRUSTED_PROXIES" in told(TRUSTED_PROXIES="0")[0]
    assert not told(TRUSTED_PROXIES="1")
    assert not told(TRUSTED_PROXIES="0", RATE_LIMITS="off")


@pytest.mark.parametrize(
    ("allowed", "level", "words"),
    [
        (["join", "view"], "ok", "may: join, view."),
        ([], "ok", "may: nothing."),
        (["join", "call", "broadcast"], "warning", "Take broadcast, call out of ANONYMOUS_ACCESS"),
    ],
)
def test_what_is_open_to_all_clients_is_said(opentok, settings, allowed, level, words):
    settings.ANONYMOUS_ACCESS = frozenset(allowed)
    found, text = Diagnosis(run_here("--json")).of("access")
    assert (found, words in text) == (level, True)


@pytest.mark.parametrize(
    ("number", "secret", "level"), [("", "", "ok"), ("1415", "", "warning"), ("1415", "s", "ok")]
)
def test_webhooks_of_phones_that_are_not_checked_are_a_warning(
    opentok, settings, number, secret, level
):
    settings.CONFERENCE_NUMBER, settings.VOICE_SIGNATURE_SECRET = number, secret
    assert Diagnosis(run_here("--json")).of("phones")[0] == level


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("available", "deletes each after 72 hours"),
        ("uploaded", "Set ARCHIVE_STORAGE_URL to watch them here"),
    ],
)
def test_how_long_recordings_are_kept_is_said(doctor, db, status, words):
    Archive.objects.create(id=uuid.uuid4(), session_id="1_x", status=status)
    level, told = doctor().of("recordings")
    assert level == "ok"
    assert words in told

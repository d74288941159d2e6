"""A PostgreSQL that is not in UTF-8 is refused before a room's name meets it."""

from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.server_process import url_of_test_database
from tests.test_doctor import Diagnosis, run
from tests.test_start_up import start

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def encoding(request):
    return request.param


@pytest.fixture
def url(encoding, transactional_db):
    """Of an empty database in this encoding."""
    name = f"{connection.settings_dict['NAME']}_{encoding.lower()}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' "
            "TEMPLATE template0"
        )
    yield urlsplit(url_of_test_database())._replace(path=f"/{name}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize(
    "command", [("-m", "config.server"), ("manage.py", "migrate"), ("-c", "import config.wsgi")]
)
def test_nothing_starts_on_a_database_that_is_not_in_utf8(url, encoding, command):
    status, written = start(*command, DATABASE_URL=url)
    assert status == 1
    assert f"DATABASE_URL names a database whose encoding is {encoding}, not UTF8" in written
    assert "ENCODING 'UTF8'" in written


def test_the_doctor_names_the_encoding(url, encoding, opentok):
    diagnosis = Diagnosis(run("--json", OPENTOK_API_URL=opentok.url, DATABASE_URL=url))
    level, text = diagnosis.of("configuration")
    assert (diagnosis.status, level) == (1, "error")
    assert f"DATABASE_URL names a database whose encoding is {encoding}" in text

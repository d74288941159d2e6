"""How the environment is read: forgiving in form, and silent about secrets."""

import base64
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from config import environment
from video import accounts
from web.static import ForgivingManifestStorage

APPLICATION = "29f760f8-7ce1-46c9-ade3-f2dedee4ed5f"


@pytest.fixture(scope="module")
def pem():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_a_line_of_the_env_file_that_is_none_is_named_by_its_number_alone(tmp_path, pem, caplog):
    path = tmp_path / ".env"
    path.write_text(f"# ours\n\nexport DEBUG=off\nVONAGE_PRIVATE_KEY={pem}")
    with pytest.raises(ImproperlyConfigured) as raised:
        environment.load_dotenv(path)
    assert "Line 5 of .env" in str(raised.value)
    for line in pem.splitlines():
        assert line not in str(raised.value) + caplog.text


def test_the_env_file_may_start_with_a_byte_order_mark(tmp_path, monkeypatch):
    monkeypatch.delenv("FIRST", raising=False)
    path = tmp_path / ".env"
    path.write_bytes(b"\xef\xbb\xbfFIRST=1\n")
    environment.load_dotenv(path)
    assert os.environ.pop("FIRST") == "1"


@pytest.mark.parametrize("wrapped", [base64.encodebytes, base64.b64encode])
def test_a_key_may_be_wrapped_and_quoted(wrapped, pem, settings):
    for form in (wrapped(pem.encode()).decode(), f'"{pem}"', f"Bag Attributes\n{pem}"):
        settings.OPENTOK = dict.fromkeys(settings.OPENTOK, "") | {
            "VONAGE_APPLICATION_ID": APPLICATION, "VONAGE_PRIVATE_KEY": form,
        }  # fmt: skip
        assert accounts.current().is_vonage


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (environment.allowed_hosts, "rooms.example.com, .example.org,localhost,127.0.0.1,[::1]"),
        (
            environment.origins,
            "https://a.example, http://b.example:8080,capacitor://localhost,null",
        ),
        (environment.allowed_hosts, "*"),
        (environment.origins, "*"),
    ],
)
def test_hosts_and_origins_may_have_each_form_that_can_match(read, value, monkeypatch):
    monkeypatch.setenv("WANTED", value)
    assert read("WANTED", "") == [word.strip() for word in value.split(",")]


@pytest.mark.parametrize(
    ("read", "written", "meant"),
    [
        (environment.allowed_hosts, "Rooms.Example.COM", "rooms.example.com"),
        (environment.allowed_hosts, "rooms.example.com.", "rooms.example.com"),
        (environment.allowed_hosts, "r\u00e4ume.example", "xn--rume-loa.example"),
        (environment.allowed_hosts, ".r\u00e4ume.example", ".xn--rume-loa.example"),
        (environment.allowed_hosts, "::1", "[::1]"),
        (environment.allowed_hosts, "[0:0::1]", "[::1]"),
        (environment.origins, "HTTPS://App.Example", "https://app.example"),
        (environment.origins, "https://a.example:443", "https://a.example"),
        (environment.origins, "http://a.example:80", "http://a.example"),
        (environment.origins, "https://a.example:80", "https://a.example:80"),
        (environment.origins, "https://r\u00e4ume.example", "https://xn--rume-loa.example"),
        (environment.origins, "http://[0::1]:3000", "http://[::1]:3000"),
        (environment.origins, "http://my_host", "http://my_host"),
    ],
)
def test_hosts_and_origins_are_written_as_they_come_in_requests(read, written, meant, monkeypatch):
    monkeypatch.setenv("WANTED", written)
    assert read("WANTED", "") == [meant]


@pytest.mark.parametrize(
    ("read", "written"),
    [(environment.allowed_hosts, written) for written in (
        "*.example.com", "https://a.example", "a.example:443", "a.example/x", "exa mple.com", "a_b",
        "u@a.example", "[::1]:80", "[a.example]", "fe80::1%eth0", ".", "..", "a..b", ",", "**", "a?",
        "\u00e4_b", "%41",
    )] + [(environment.origins, written) for written in (
        "a.example", "https://a.example/", "https://a.example/x", "http://*", "https://*.a.example",
        "https://u@a.example", "https://a.example:x", "https://a.example:99999", "https://a.example:",
        "https://", "https://a b", "http://::1", "http://[a]", "https://a?b", "https://a#b", "//a", ",",
    )],
)  # fmt: skip
def test_a_host_or_an_origin_that_could_match_nothing_is_refused_by_name(
    read, written, monkeypatch
):
    monkeypatch.setenv("WANTED", written)
    with pytest.raises(ImproperlyConfigured, match="WANTED must be"):
        read("WANTED", "")


@pytest.mark.django_db
def test_a_connection_is_prepared_for_several_processes():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
            assert connection.transaction_mode == "IMMEDIATE"
        else:
            cursor.execute("SHOW server_version_num")
            assert connection.get_connection_params()["connect_timeout"] == 3


@pytest.mark.parametrize("manifest", [None, "", "{", '{"version": "1.1", "paths": {}}'])
def test_a_missing_or_broken_manifest_costs_nothing_but_the_hashes(manifest, tmp_path):
    if manifest is not None:
        (tmp_path / "staticfiles.json").write_text(manifest)
    storage = ForgivingManifestStorage(location=tmp_path, base_url="/static/")
    assert storage.url("site.css") == "/static/site.css"


def test_pages_link_their_files_through_that_storage():
    assert isinstance(staticfiles_storage._wrapped or staticfiles_storage, ForgivingManifestStorage)

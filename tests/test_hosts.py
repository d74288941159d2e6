"""`Host`: with ALLOWED_HOSTS=* any name of a host is served, and nothing else."""

import re
import socket

import pytest
import requests
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User

from tests.server_process import Server

# What a request may bring, and what the server then calls itself.
SERVED = {
    b"rooms_app:8080": "rooms_app:8080",
    b"a_b": "a_b",
    b"rooms.example.com.": "rooms.example.com.",
    b"ROOMS.example": "ROOMS.example",
    b"[::1]:8080": "[::1]:8080",
    b"rooms.example:": "rooms.example",
    b"": None,
}
REFUSED = [
    b"<b>", b'"x', b"a b", b"a/b", b"u@h", b"a,b", b"a\\b", b"a?b", b"a#b", b"[::1", b"x:y",
    b"[<b>]", b"[fe80::1%<b>]", b"[fe80::1%/evil.example]", b"evil.example:80/x", b"%41",
    b"$(id)", b"a'b&c;d", b"[v1.x]",
]  # fmt: skip


def ask(server, host, *, version="1.1", path="/"):
    """The status, the Location and the body of an answer to a request with exactly this Host."""
    head = f"GET {path} HTTP/{version}\r\nConnection: close\r\nAccept: text/html\r\n".encode()
    if host is not None:
        head += b"Host: " + host + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head + b"\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    location = re.search(r"(?i)\r\nlocation: ([^\r]*)", head)
    return int(head.split()[1]), location and location[1], body


@pytest.mark.parametrize("host", SERVED)
def test_a_name_of_a_host_is_served_and_named(host, server):
    status, _, page = ask(server, host)
    assert status == 200
    assert f"curl http://{SERVED[host] or f'localhost:{server.port}'}/room/standup" in page
    assert ask(server, host, path="/room/x")[0] == 200


def test_http_1_0_without_a_host_is_served(server):
    status, _, page = ask(server, None, version="1.0")
    assert status == 200
    assert f"curl http://localhost:{server.port}/room/standup" in page
    assert ask(server, None, version="1.0", path="/room/x")[0] == 200


@pytest.mark.parametrize("host", REFUSED)
def test_what_is_no_name_of_a_host_is_a_400_without_it(host, server):
    status, _, page = ask(server, host)
    assert status == 400
    assert host.decode() not in page
    assert "<b>" not in page


@pytest.mark.django_db(transaction=True)
def test_a_redirect_to_https_stays_at_the_host_that_was_asked(opentok):
    with Server(OPENTOK_API_URL=opentok.url, SECURE_SSL_REDIRECT="on") as server:
        for host, named in SERVED.items():
            status, location, _ = ask(server, host, path="//evil.example/x")
            assert status == 301
            assert location.startswith(f"https://{named or f'localhost:{server.port}'}/")
        assert ask(server, None, version="1.0")[:2] == (301, f"https://localhost:{server.port}/")
        for host in REFUSED:
            assert ask(server, host)[:2] == (400, None)


@pytest.mark.django_db(transaction=True)
def test_a_host_is_refused_unless_allowed_hosts_names_it_in_any_spelling(opentok):
    named = "Rooms.Example.com., .R\u00e4ume.example, ::1"
    with Server(OPENTOK_API_URL=opentok.url, ALLOWED_HOSTS=named) as server:
        for host in (b"rooms.example.com", b"ROOMS.example.com.:80", b"[::1]:80",
                     b"a.xn--rume-loa.example"):  # fmt: skip
            assert ask(server, host)[0] == 200
        for host in (b"evil.example", b"a_b", b"", *REFUSED):
            assert ask(server, host)[0] == 400
        assert ask(server, None, version="1.0")[0] == 400


def test_staff_log_in_to_the_admin_at_a_host_with_an_underscore(server):
    # As the server hashes; the tests' own process has a quicker way.
    password = PBKDF2PasswordHasher().encode("s3cr3t", "salt", iterations=1)
    User.objects.create(username="ann", password=password, is_staff=True)
    here = {"Host": f"rooms_app:{server.port}"}
    browser = requests.Session()
    page = browser.get(f"{server.url}/admin/login/", headers=here, timeout=30)
    assert page.status_code == 200
    token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    for origin, status in (("http://evil.example", 403), (f"http://{here['Host']}", 302)):
        answer = browser.post(
            f"{server.url}/admin/login/?next=/admin/",
            {"username": "ann", "password": "s3cr3t", "csrfmiddlewaretoken": token},
            headers=here | {"Origin": origin, "Cookie": f"csrftoken={page.cookies['csrftoken']}"},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == status
    assert answer.headers["Location"] == "/admin/"
    assert "sessionid" in answer.cookies

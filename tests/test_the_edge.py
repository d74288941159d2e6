"""What holds for every request: hosts, origins, limits, pages and their headers."""

import logging
import re
import socket

import pytest
from django.test import Client

from archives.models import Archive
from rooms.models import Room

PROBLEM = {"type", "title", "status", "detail", "code", "requestId", "error"}


def test_a_host_that_is_not_ours_is_refused_when_hosts_are_named(client, settings):
    settings.ALLOWED_HOSTS = ["rooms.example.com"]
    for path in ("/", "/session", "/nope"):
        answer = client.get(path, headers={"host": "evil.example"})
        assert answer.status_code == 400
        assert answer.json().keys() == PROBLEM
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert client.get(path, headers={"host": "rooms.example.com"}).status_code != 400


def test_only_the_origins_that_are_named_may_read_an_answer(client, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    for send in (client.get, client.options):
        answer = send("/session", headers={"origin": "https://app.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "Origin" in answer.headers["Vary"]
        for origin in ({}, {"origin": "https://evil.example"}):
            answer = send("/session", headers=origin)
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "Origin" in answer.headers["Vary"]


def test_a_redirect_to_https_carries_the_cors_header(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/room/x")
    assert answer.status_code == 301
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture
def pending(opentok, db):
    """The path of a page that waits for a recording."""
    room = Room.objects.open("standup")
    opentok.connect(room.session_id)
    return f"/archive/{Archive.objects.start(room.session_id)['id']}/view"


@pytest.mark.parametrize(
    "path", ["/", "/readme", "/nope", "{pending}", "/admin/", "/admin/rooms/room/"]
)
def test_a_page_has_a_policy_and_nothing_in_it_breaks_it(path, pending, admin_client):
    answer = admin_client.get(path.format(pending=pending), headers={"accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    text = answer.content.decode()
    assert "<body" in text
    assert "<script>" not in text
    assert not re.search(r"\son[a-z]+=", text)
    if "unsafe-inline" not in policy:
        assert "style=" not in text
        assert "<style" not in text


def test_the_index_page_has_commands_for_the_address_it_was_asked_at(client):
    text = client.get("/", headers={"host": "rooms.example.com:8443"}).content.decode()
    assert "curl -L http://rooms.example.com:8443/session" in text
    assert 'href="/admin/"' in text
    assert 'href="/readme"' in text


def test_the_index_page_does_not_believe_what_a_host_header_says(client):
    answer = client.get("/", headers={"host": '"><script>alert(1)</script>'})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/readme", "/session", "/room/x", "/archive", "/archive/start"]
)
def test_a_wrong_method_is_told_the_right_ones(path, client):
    answer = client.delete(path)
    assert answer.status_code == 405
    assert answer.json().keys() == PROBLEM
    assert answer.headers["Allow"]
    page = client.delete(path, headers={"accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")


def test_a_mistake_of_ours_is_a_problem_and_tells_nothing_about_itself(client, settings):
    settings.OPENTOK = {}  # as it can never be
    client.raise_request_exception = False
    answer = client.get("/archive")
    assert answer.status_code == 500
    assert answer.json().keys() == PROBLEM
    assert "OPENTOK" not in answer.content.decode()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    page = client.get("/archive", headers={"accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Traceback" not in page.content.decode()


def test_a_failure_of_opentok_is_logged_once_and_without_secrets(client, opentok, caplog):
    caplog.set_level(logging.DEBUG)
    opentok.fault(status=403, body={"message": "Invalid signature"})
    answer = client.get("/archive")
    assert answer.status_code == 502
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == ["502 opentok_refused_credentials 403 Invalid signature"]
    assert opentok.secret not in caplog.text


@pytest.mark.parametrize("charset", ["hex", "rot13", "base64", "undefined", "idna", "no-such"])
def test_a_charset_that_is_none_of_text_is_no_server_error(server, charset):
    named = {"Content-Type": f"text/plain; charset={charset}"}
    assert server.get("/room/x?a=%C3%BC", headers=named).status_code == 200
    answer = server.post("/archive/start", data="{}", headers=named)
    assert answer.status_code == 415
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_text_that_utf8_cannot_hold_may_be_quoted_in_an_error(client, accept):
    body = '{"sessionId": "x", "outputMode": "\\ud800"}'
    answer = client.post(
        "/archive/start", body, content_type="application/json", headers={"accept": accept}
    )
    assert answer.status_code == 400


def test_a_program_that_sends_a_form_of_the_admin_gets_json():
    program = Client(enforce_csrf_checks=True)
    for path in ("/admin", "/admin/login/"):
        answer = program.post(path, headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        page = program.post(path, headers={"accept": "text/html"})
        assert "Please send the form again" in page.content.decode()


@pytest.mark.parametrize(
    "accept", ["application/json", "APPLICATION/JSON", "application/problem+json", "application/vnd.api+json"]
)  # fmt: skip
def test_a_program_that_views_a_recording_gets_json(server, opentok, accept):
    said = {"id": "aaaaaaaa-2222-4333-8444-555555555555", "sessionId": "1_x", "status": "expired"}
    opentok.fault(status=200, body=said)
    answer = server.get(f"/archive/{said['id']}/view", headers={"Accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (410, "archive_expired")


def test_a_query_of_raw_letters_is_passed_on_as_it_was_sent(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall("GET /session?code=zürich HTTP/1.1\r\nHost: rooms\r\n\r\n".encode())
        assert b"location: /room/session?code=z%C3%BCrich\r\n" in client.recv(4096)


def test_the_scheme_that_counts_is_the_one_that_the_proxy_wrote(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client.get("/session", headers={"x-forwarded-proto": "https,http"}).status_code == 301
    answer = client.get("/session", headers={"x-forwarded-proto": "http,https"})
    assert answer.headers["Location"] == "/room/session"

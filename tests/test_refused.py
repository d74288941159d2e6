"""Refused credentials and what no other limit counts have limits, too; what is right comes through."""

import time
from datetime import timedelta

from django.db.backends.signals import connection_created
from django.utils import timezone

from access.models import ApiKey
from tests.api_client import Program, refusal
from tests.test_callbacks import send, told

KEY = f"otr_0123456789_{'0' * 40}"
METRICS = "tests-only-metrics-token"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def issued(**columns):
    key = ApiKey(name="a program", capabilities=["join", "manage"], **columns)
    key.issue()
    return key


def ended_keys():
    revoked = issued()
    revoked.revoke()
    return [revoked.text, issued(expires_at=timezone.now() - timedelta(days=1)).text]


def test_refused_credentials_of_every_kind_count_together(limited):
    server = limited("refused=6/hour")
    revoked, expired = ended_keys()
    wrong = [
        ("GET", "/room/lobby", KEY),
        ("GET", "/api/v1/rooms", "no key at all"),
        ("GET", "/archive", revoked),
        ("GET", "/", expired),
        ("GET", "/metrics", f"{METRICS}-or-not"),
        ("POST", "/callbacks", "e30.e30.e30"),
    ]
    for method, path, text in wrong:
        answer = server.request(method, path, headers=bearer(text))
        assert answer.status_code == 401, path
    for method, path, text in wrong:
        answer = server.request(method, path, headers=bearer(text))
        assert refusal(answer) == (429, "rate_limited"), path
        assert answer.headers["RateLimit-Policy"] == '"refused";q=6;w=3600'
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert "WWW-Authenticate" not in answer.headers


def test_what_is_right_comes_through_from_the_same_address(limited, opentok):
    server = limited("refused=1/hour")
    for _ in range(3):
        last = server.get("/room/lobby", headers=bearer(KEY))
    assert last.status_code == 429
    for headers in ({}, bearer(issued().text)):
        assert server.get("/room/lobby", headers=headers).status_code == 200
    assert server.get("/metrics", headers=bearer(METRICS)).status_code == 200
    for _ in range(2):
        assert send(server, told(), token="e30.e30.e30").status_code == 429
        assert send(server, told(event="stream")).status_code == 200


def test_refused_credentials_count_for_each_address(limited):
    server = limited("refused=1/hour", TRUSTED_PROXIES="1")

    def ask(address):
        headers = bearer(KEY) | {"X-Forwarded-For": address}
        return server.get("/room/lobby", headers=headers).status_code

    assert [ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.2")] == [401, 429, 401]
    # Of IPv6 a /48 has sixteen times as much as each of its networks.
    asked = [ask(f"2001:db8:1:{number:x}::1") for number in range(20)]
    assert asked == [401] * 16 + [429] * 4
    assert ask("2001:db8:2::1") == 401


def test_a_network_counts_for_every_limit_of_an_address(limited):
    server = limited("join=2/hour,create=1/hour,other=1/hour", TRUSTED_PROXIES="1")

    def ask(path, number):
        headers = {"X-Forwarded-For": f"2001:db8:1:{number:x}::1"}
        return server.get(path, headers=headers).status_code

    assert [ask(f"/room/{number}", number) for number in range(17)] == [200] * 16 + [429]
    assert [ask("/room/1", 100 + number) for number in range(17)] == [200] * 15 + [429] * 2
    assert [ask("/nothing", number) for number in range(17)] == [404] * 16 + [429]


OTHER = [
    ("GET", "/", 200),
    ("GET", "/readme", 200),
    ("GET", "/session", 302),
    ("GET", "/api/schema/", 200),
    ("GET", "/api/docs/", 200),
    ("GET", "/metrics", 401),
    ("GET", "/archive", 401),
    ("GET", "/nothing", 404),
    ("PUT", "/nothing/at/all", 404),
    ("GET", "/static/nothing.css", 404),
    ("GET", "/api/v1/rooms", 401),
    ("GET", "/api/v2", 404),
    ("GET", "/?x=%00", 400),
    ("GET", "/%FF", 400),
    ("GET", "/admin/", 302),
    ("GET", "/admin/login/", 200),
    ("GET", "/admin/nothing/", 302),
]


def test_what_no_other_limit_counts_has_one_together(limited):
    # The server's own start asked once already.
    server = limited(f"other={len(OTHER) + 1}/hour", ANONYMOUS_ACCESS="join")
    for method, path, status in OTHER:
        assert server.request(method, path).status_code == status, path
    for method, path, _ in OTHER:
        answer = server.request(method, path)
        assert refusal(answer) == (429, "rate_limited"), path
        assert answer.headers["RateLimit-Policy"].startswith('"other";')
    # Rooms and their watchers are no matter of it.
    for path in ("/room/lobby", "/healthz", "/readyz", "/static/site.css"):
        assert server.get(path).status_code == 200, path


def test_numbers_are_not_read_without_end_with_the_right_token(limited):
    server = limited("other=3/hour")
    codes = [server.get("/metrics", headers=bearer(METRICS)).status_code for _ in range(4)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_each_request_of_a_program_counts_once(limited):
    program = Program(limited("other=1/hour,join=1/hour"))
    codes = [program.get("rooms").status_code for _ in range(2)]
    assert codes == [200, 429]


def test_a_good_look_at_the_database_is_shared(client, transactional_db):
    looks = []

    def count(**kwargs):
        looks.append(kwargs)

    connection_created.connect(count)
    try:
        began = time.monotonic()
        answers = {client.get("/readyz").status_code for _ in range(200)}
        seconds = time.monotonic() - began
    finally:
        connection_created.disconnect(count)
    assert answers == {200}
    # Each is by a connection of its own.
    assert 1 <= len(looks) <= 1 + seconds / 0.4

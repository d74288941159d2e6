"""Rate limits: how many come through, who counts as whom, and what the rest are told."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from limits import parse
from rest_framework.request import Request

from access.limits import RateLimited, address_of, client_ident
from rooms.models import Room
from rooms.single_flight import SingleFlight
from tests.server_process import ROOT, statuses

ARCHIVE = "/archive/aaaaaaaa-2222-4333-8444-555555555555"


def test_exactly_as_many_come_through_two_processes_with_redis_as_the_limit_says(limited, redis):
    server = limited("join=100/hour", REDIS_URL=redis.url, WEB_CONCURRENCY="2")
    server.get("/room/standup")
    assert statuses(server, ["/room/standup"] * 300) == {200: 99, 429: 201}


def test_without_redis_each_process_counts_by_itself(limited):
    server = limited("join=10/hour", WEB_CONCURRENCY="2")
    told = statuses(server, ["/room/standup"] * 60)
    assert 10 <= told[200] <= 20
    assert told[200] + told[429] == 60


def test_who_comes_too_often_is_told_when_to_come_back(limited):
    server = limited("join=1/hour")
    server.get("/room/standup")
    answer = server.get("/room/standup", headers={"Origin": "https://app.example"})
    wait = int(answer.headers["Retry-After"])
    assert 3500 < wait <= 3600
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Policy"] == '"join";q=1;w=3600'
    assert answer.headers["RateLimit"] == f'"join";r=0;t={wait}'
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed)
    problem = answer.json()
    assert problem["code"] == "rate_limited"
    assert problem["error"] == f"Too many requests. Please try again in {wait} seconds."
    page = server.get("/room/standup", headers={"Accept": "text/html"})
    assert page.status_code == 429
    assert "Please try again in" in page.text


def test_a_limit_ends_by_itself(limited):
    server = limited("join=1/second")
    until = time.monotonic() + 30
    came = [server.get("/room/standup").status_code]
    while came.count(200) < 3:
        assert time.monotonic() < until
        came.append(server.get("/room/standup").status_code)
    assert 429 in came


def test_only_rooms_that_are_made_count_as_made(limited, opentok):
    server = limited("create=3/hour")
    made = statuses(server, [f"/room/{number}" for number in range(12)])
    assert made == {200: 3, 429: 9}
    assert len([r for r in opentok.requests() if r["path"] == "/session/create"]) == 3
    assert Room.objects.count() == 3
    for room in Room.objects.all():
        assert server.get(f"/room/{room.name}").status_code == 200


def test_a_crowd_of_first_visitors_makes_one_room(limited, opentok):
    # Each process counts one.
    server = limited("create=1/hour", WEB_CONCURRENCY="2")
    opentok.fault(path="/session/create", delay=0.5)
    assert statuses(server, ["/room/keynote"] * 24, threads=24) == {200: 24}


def test_who_waits_for_somebody_whose_limit_is_used_up_tries_by_himself():
    flights = SingleFlight()
    crowd_is_here = threading.Barrier(9)

    def refused():
        crowd_is_here.wait()
        raise RateLimited("create", parse("1/minute"), ends=time.time())

    def follow(number):
        crowd_is_here.wait()
        return flights.do("keynote", lambda: number)

    with ThreadPoolExecutor(9) as crowd:
        first = crowd.submit(flights.do, "keynote", refused)
        others = [crowd.submit(follow, number) for number in range(8)]
        assert isinstance(first.exception(), RateLimited)
        assert {other.result() for other in others} <= set(range(8))


def test_recordings_have_limits_of_their_own(limited):
    server = limited("record=2/hour,archive=3/hour")
    codes = [server.post(f"{ARCHIVE}/stop").status_code for _ in range(4)]
    assert codes == [404, 404, 429, 429]
    looks = [server.get(path).status_code for path in (ARCHIVE, f"{ARCHIVE}/view", "/archive")]
    assert looks == [404, 404, 200]
    assert server.get(ARCHIVE).headers["RateLimit-Policy"] == '"archive";q=3;w=3600'


def test_limits_can_be_switched_off(limited):
    server = limited("off")
    assert statuses(server, ["/room/standup"] * 50) == {200: 50}


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_forged_address_gains_nothing(proxies, limited):
    server = limited("join=5/hour", TRUSTED_PROXIES=str(proxies))
    written = ["198.51.100.1", "198.51.100.2"][:proxies]

    def forged(number):
        return {"X-Forwarded-For": ", ".join([f"10.0.0.{number}", "unknown", *written])}

    assert statuses(server, ["/room/standup"] * 20, forged) == {200: 5, 429: 15}


def test_a_second_forwarding_header_gains_nothing(limited):
    server = limited("join=3/hour", TRUSTED_PROXIES="1")
    for own, lines in {
        "198.51.100.1": "X-Forwarded-For: {forged}\r\nX-Forwarded-For: {own}",
        "198.51.100.2": "X-Forwarded-For: {own}\r\nX_Forwarded_For: {forged}",
        "198.51.100.3": "X_Forwarded_For: {forged}\r\nX-Forwarded-For: {own}",
        "198.51.100.4": "X-Forwarded-For: {forged}\r\nX-Forwarded-For: {forged}, {own}",
    }.items():
        written = [lines.format(own=own, forged=f"10.0.0.{number}") for number in range(6)]
        came = [raw_status(server, each) for each in written]
        assert (lines, came) == (lines, [200] * 3 + [429] * 3)


def raw_status(server, lines):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        request = f"GET /room/standup HTTP/1.1\r\nHost: rooms\r\n{lines}\r\n\r\n"
        client.sendall(request.encode())
        return int(client.recv(4096).split()[1])


def test_clients_behind_a_proxy_do_not_share_a_limit(limited):
    server = limited("join=1/hour", TRUSTED_PROXIES="1")

    def told(number):
        return {"X-Forwarded-For": f"203.0.113.{number}"}

    assert statuses(server, ["/room/standup"] * 20, told) == {200: 20}
    # Those of one IPv6 network do.
    networks = ["2001:db8::1", "2001:db8:0:0:1::", "2001:db8:0:1::1"]
    codes = [
        server.get("/room/standup", headers={"X-Forwarded-For": address}).status_code
        for address in networks
    ]
    assert codes == [200, 429, 200]


def test_each_key_counts_for_itself(rf):
    def sent_with(prefix):
        request = Request(rf.get("/", REMOTE_ADDR="192.0.2.1"))
        request.auth = prefix and SimpleNamespace(prefix=prefix)
        return client_ident(request)

    assert [sent_with(prefix) for prefix in ("ab", "cd", None)] == [
        "key:ab",
        "key:cd",
        "address:192.0.2.1",
    ]


def room_with_a_code(name):
    room = Room.objects.open(name)
    room.set_code("4711")
    room.save()


def test_codes_are_not_guessed_at_full_speed_from_many_addresses(limited):
    room_with_a_code("staff")
    server = limited("code=5/hour,code_room=12/hour", TRUSTED_PROXIES="1", WEB_CONCURRENCY="2")

    def told(number):
        return {"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.{number % 4}"}

    paths = [f"/room/staff?code={number}" for number in range(5000, 5200)]
    assert statuses(server, paths, told) == {403: 12, 429: 188}
    # Not even the right one: who guesses does not learn it.
    assert server.get("/room/staff?code=4711", headers=told(0)).status_code == 429


def test_a_code_that_others_have_come_in_with_is_not_learned_by_guessing_on(limited):
    room_with_a_code("staff")
    server = limited("code=5/hour,code_room=8/hour", TRUSTED_PROXIES="1", WEB_CONCURRENCY="2")

    def of(address):
        return lambda number: {"X-Forwarded-For": f"203.0.113.{address}"}

    right = ["/room/staff?code=4711"] * 20
    wrong = [f"/room/staff?code={number}" for number in range(5000, 5020)]
    assert statuses(server, right, of(1)) == {200: 20}
    assert statuses(server, wrong, of(2)) == {403: 5, 429: 15}
    assert statuses(server, right, of(2)) == {429: 20}
    assert statuses(server, right, of(1)) == {200: 20}
    # With the room's own limit used up, each is refused by that, whatever was sent before.
    assert statuses(server, wrong, of(3)) == {403: 3, 429: 17}
    for path in (*wrong, *right):
        refused = server.get(path, headers=of(4)(0))
        assert refused.headers["RateLimit-Policy"] == '"code_room";q=8;w=3600'


def test_codes_of_one_address_are_limited_for_each_room(limited):
    room_with_a_code("staff")
    server = limited("code=5/hour", WEB_CONCURRENCY="2")
    paths = [f"/room/staff?code={number}" for number in range(5000, 5040)]
    assert statuses(server, paths) == {403: 5, 429: 35}
    assert server.get("/room/open").status_code == 200


def test_a_class_with_the_right_code_comes_in_at_once(limited):
    room_with_a_code("class")
    server = limited("code=2/hour,code_room=3/hour", WEB_CONCURRENCY="2")
    assert statuses(server, ["/room/class?code=4711"] * 40) == {200: 40}


def test_the_page_of_access_names_each_limit_with_its_default(settings):
    page = (ROOT / "docs" / "access.md").read_text()
    for name, default in settings.DEFAULT_RATE_LIMITS.items():
        assert f"| `{name}` | {default} |" in page


@pytest.mark.parametrize(
    ("peer", "told", "proxies", "address"),
    [
        ("192.0.2.1", "10.0.0.1", 0, "192.0.2.1"),
        ("192.0.2.1", "10.0.0.1, 203.0.113.7", 1, "203.0.113.7"),
        ("192.0.2.1", "10.0.0.1,203.0.113.7 , 198.51.100.1", 2, "203.0.113.7"),
        ("192.0.2.1", "203.0.113.7:4711", 1, "203.0.113.7"),
        ("192.0.2.1", "[2001:db8:1:2:3::4]:4711", 1, "2001:db8:1:2::/64"),
        ("192.0.2.1", "[2001:db8::4]", 1, "2001:db8::/64"),
        ("192.0.2.1", "fe80::1%eth0", 1, "fe80::/64"),
        ("192.0.2.1", "::ffff:203.0.113.7", 1, "203.0.113.7"),
        # Less than the proxies would have written, or nonsense: then it was not all of them.
        ("192.0.2.1", "", 1, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.7", 2, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.7, unknown", 1, "192.0.2.1"),
        ("192.0.2.1", "0127.0.0.1", 1, "192.0.2.1"),
        ("192.0.2.1", "1" * 100_000, 1, "192.0.2.1"),
        ("::ffff:192.0.2.1", "", 0, "192.0.2.1"),
        ("2001:db8::1", "", 0, "2001:db8::/64"),
        ("", "", 0, "unknown"),
    ],
)
def test_the_address_is_the_one_that_the_outermost_trusted_proxy_saw(
    peer, told, proxies, address, rf, settings
):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR=peer, headers={"x-forwarded-for": told})
    assert address_of(request.META) == address

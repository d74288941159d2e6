"""Guessing access codes and passwords costs more the longer it goes on, and others still get in."""

import time
import uuid
from contextlib import ExitStack
from functools import cache

import pytest
from django.contrib.auth.models import User
from limits import parse

from access.guess_windows import GuessWindow
from access.limits import RateLimited
from rooms.models import Room
from tests.refusing_databases import KINDS, refusing_server
from tests.server_process import Server, statuses

# Windows that do not end while a test runs; `wrong` at 20 is what a room bears before it is attacked.
LIMITS = "code=5/hour,code_room=30/hour,wrong=20/day,typos=2/day,slow=3/hour"
WRONG = [f"/room/staff?code={number}" for number in range(5000, 5060)]
RIGHT = "/room/staff?code=4711"


@pytest.fixture
def room(opentok, transactional_db):
    room = Room.objects.open("staff")
    room.set_code("4711")
    room.save()


@pytest.fixture(scope="module")
def _guarded(_emulator, django_db_setup):
    """The server with these limits, in two processes; it is kept, since the database counts."""
    with ExitStack() as started:

        @cache
        def start(limits):
            variables = {"RATE_LIMITS": limits, "SECRET_KEY": uuid.uuid4().hex}
            server = Server(OPENTOK_API_URL=_emulator.url, TRUSTED_PROXIES="1", **variables)
            return started.enter_context(server)

        yield start


@pytest.fixture
def guarded(_guarded, room):
    """A server that believes X-Forwarded-For, with a room that has the code 4711."""
    return lambda limits=LIMITS: _guarded(limits)


def of(address):
    return {"X-Forwarded-For": address}


def botnet(number):
    """One of ten addresses."""
    return of(f"203.0.113.{number % 10}")


def attack(server):
    return statuses(server, WRONG, botnet, threads=1)


def test_a_newcomer_with_the_right_code_gets_in_during_an_attack(guarded):
    server = guarded()
    attack(server)
    for number in range(5):
        assert server.get(RIGHT, headers=of(f"198.51.100.{number}")).status_code == 200
    # Nor does it help the attackers that others came in with it.
    assert server.get(RIGHT, headers=botnet(0)).status_code == 429


def test_addresses_that_guessed_wrong_share_a_slow_limit_once_there_were_many(guarded):
    server = guarded()
    # Twenty of ten addresses, two each, and then what is looked at of all of them together.
    assert attack(server) == {403: 23, 429: 37}
    refused = server.get(WRONG[0], headers=botnet(0))
    assert refused.headers["RateLimit-Policy"] == '"slow";q=3;w=3600'


def test_the_limit_of_newcomers_is_the_one_that_the_room_had(guarded):
    server = guarded()
    attack(server)
    new = statuses(server, WRONG, lambda number: of(f"198.51.100.{number}"), threads=1)
    assert new == {403: 30, 429: 30}


def test_somebody_who_mistypes_during_an_attack_gets_in_with_the_next_try(guarded):
    server = guarded()
    attack(server)
    wrong, right = WRONG[0], RIGHT
    # A right one takes back the wrong ones before it, as often as it takes.
    for path, status in [(wrong, 403), (right, 200)] * 3 + [(wrong, 403), (wrong, 403)]:
        assert server.get(path, headers=of("198.51.100.1")).status_code == status
    attack(server)
    assert server.get(right, headers=of("198.51.100.1")).status_code == 429


def test_of_many_guesses_at_once_no_more_are_looked_at(guarded):
    server = guarded()
    attack(server)
    assert statuses(server, WRONG, lambda number: of("198.51.100.1"), threads=30) == {
        403: 2,
        429: 58,
    }


def test_whoever_guessed_wrong_waits_for_the_slow_limit_and_no_longer(guarded):
    server = guarded("code=5/second,code_room=30/second,wrong=20/day,typos=2/day,slow=1/second")
    attack(server)
    codes = [server.get(RIGHT, headers=botnet(0)).status_code]
    while codes[-1] == 429 and len(codes) < 1000:
        codes.append(server.get(RIGHT, headers=botnet(0)).status_code)
    assert codes[-1] == 200


def test_a_room_where_everybody_comes_in_in_the_end_is_not_under_attack(guarded):
    server = guarded("code=5/hour,code_room=90/hour,wrong=20/day,typos=2/day,slow=1/hour")
    for number in range(30):
        visitor = of(f"198.51.100.{number}")
        assert server.get(WRONG[number], headers=visitor).status_code == 403
        assert server.get(RIGHT, headers=visitor).status_code == 200
    assert statuses(server, WRONG[:5], lambda number: of("192.0.2.1")) == {403: 5}


def test_the_networks_of_an_ipv6_customer_do_not_each_have_the_typos_of_one(guarded):
    server = guarded("code=5/hour,code_room=90/hour,wrong=20/day,typos=1/day,slow=3/hour")
    attack(server)
    networks = [of(f"2001:db8:7:{number:x}::1") for number in range(60)]
    assert statuses(server, WRONG, networks.__getitem__, threads=1) == {403: 16, 429: 44}
    assert server.get(RIGHT, headers=of("2001:db8:8::1")).status_code == 200


@pytest.mark.parametrize("has_redis", [False, True])
def test_servers_with_the_same_secret_count_guesses_together(has_redis, room, limited, request):
    url = request.getfixturevalue("redis").url if has_redis else " "
    shared = {"SECRET_KEY": uuid.uuid4().hex, "REDIS_URL": url}
    servers = [limited("code=5/hour", WEB_CONCURRENCY=count, **shared) for count in ("2", "1")]
    tried = [server.get(path).status_code for path in WRONG[:4] for server in servers]
    assert tried == [403] * 5 + [429] * 3
    assert servers[1].get(RIGHT).status_code == 429


@pytest.mark.parametrize("kind", KINDS)
def test_no_guess_is_looked_at_that_cannot_be_counted(kind, room, opentok, tmp_path):
    with refusing_server(kind, tmp_path, OPENTOK_API_URL=opentok.url) as server:
        form = server.get("/admin/login/")
        token = form.cookies["csrftoken"]
        fields = {"username": "ada", "password": "guess", "csrfmiddlewaretoken": token}
        refused = [
            server.get(WRONG[0]),
            server.get(RIGHT),
            server.post("/admin/login/", data=fields, cookies={"csrftoken": token}),
        ]
    assert [answer.status_code for answer in refused] == [503] * 3
    assert refused[0].json()["code"] == "database_unavailable"


# The table


@pytest.fixture
def windows(settings, transactional_db):
    settings.RATE_LIMITS = {"code": parse("2/hour"), "code_room": parse("3/hour")}
    return GuessWindow.objects


CODE = ("code", "staff", "address:192.0.2.1")
ROOM = ("code_room", "staff")


def test_where_one_limit_is_used_up_none_is_consumed(windows):
    for _ in range(2):
        windows.consume(CODE, ROOM)
    assert not windows.consume_if_left(CODE)
    with pytest.raises(RateLimited) as refused:
        windows.consume(ROOM, CODE)
    assert 3590 < refused.value.wait <= 3600
    assert windows.look(ROOM).left(ROOM) == 1
    windows.give_back(CODE, ROOM, times=5)
    assert [windows.look(limit).left(limit) for limit in (CODE, ROOM)] == [2, 3]


def test_a_window_that_has_ended_begins_anew_or_is_deleted(windows):
    for _ in range(2):
        windows.consume(CODE)
    windows.consume(ROOM)
    windows.update(ends=time.time() - 1)
    assert windows.look(CODE).left(CODE) == 2
    windows.consume(CODE)
    assert windows.look(CODE).left(CODE) == 1
    windows.forget_ended()
    assert [row.hits for row in windows.all()] == [1]


def test_a_clock_that_was_far_ahead_leaves_no_window_for_years(windows):
    for _ in range(2):
        windows.consume(CODE)
    windows.update(ends=time.time() + 10**6)
    assert windows.look(CODE).left(CODE) == 2
    windows.consume(CODE)
    windows.consume(CODE)
    assert not windows.consume_if_left(CODE)
    # One that is put right by a second ends none early.
    windows.update(ends=time.time() + 3601)
    assert not windows.consume_if_left(CODE)


def test_the_table_tells_neither_rooms_nor_addresses(windows, settings):
    keys = []
    for secret in ("a" * 50, "b" * 50):
        settings.SECRET_KEY = secret
        windows.consume(CODE, ROOM)
        keys.append(set(windows.values_list("key", flat=True)))
    assert not any("staff" in key or "192" in key for key in keys[1])
    # Nor to those who try all of them, without SECRET_KEY.
    assert [len(known) for known in keys] == [2, 4]


# Passwords

PASSWORD = "lovelace-1815"


@pytest.fixture
def log_in(client, settings, transactional_db):
    """Sends the form, from an address of the test's own."""
    limits = {
        "login": "5/hour", "login_name": "10/hour", "wrong": "6/day", "typos": "1/day",
        "slow": "1/hour",
    }  # fmt: skip
    settings.RATE_LIMITS = {name: parse(limit) for name, limit in limits.items()}
    network = uuid.uuid4().hex[:12]

    def send(user, password, *, host):
        address = f"{network[:4]}:{network[4:8]}:{network[8:]}:{host}::1"
        form = {"username": user.username, "password": password}
        return client.post("/admin/login/", form, REMOTE_ADDR=address).status_code

    return send


def test_strangers_lock_nobody_out_of_the_admin(log_in):
    ada, ben = (
        User.objects.create_superuser(f"{name}-{uuid.uuid4().hex}", password=PASSWORD)
        for name in ("ada", "ben")
    )
    tried = [log_in(ada, "wrong", host=number % 3) for number in range(12)]
    # Six, and then one of all three addresses; each is refused its own limit after that.
    assert tried == [200] * 7 + [429] * 5
    assert log_in(ada, PASSWORD, host=1) == 429
    assert log_in(ada, "wrong", host=9) == 200
    assert log_in(ada, PASSWORD, host=8) == 302
    assert log_in(ben, "wrong", host=1) == 200


def test_a_form_without_a_password_takes_no_wrong_one_back(log_in):
    ada = User.objects.create_superuser(f"ada-{uuid.uuid4().hex}", password=PASSWORD)
    for number in range(7):
        assert log_in(ada, "wrong", host=number % 3) == 200
    assert log_in(ada, "", host=1) == 200
    assert log_in(ada, "wrong", host=1) == 429

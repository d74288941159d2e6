"""Guessing access codes and passwords costs more the longer it goes on, and others still get in."""

import uuid
from contextlib import ExitStack

import pytest
from django.conf import global_settings
from django.contrib.auth.models import User
from limits import parse

from rooms.models import Room
from tests.redis_process import Redis
from tests.server_process import statuses

# Windows that do not end while a test runs; `wrong` at 20 is what a room bears before it is attacked.
LIMITS = "code=5/hour,code_room=30/hour,wrong=20/day,typos=2/day,slow=3/hour"
WRONG = [f"/room/staff?code={number}" for number in range(5000, 5060)]
RIGHT = "/room/staff?code=4711"


@pytest.fixture(params=["file", "redis"])
def guarded(request, limited):
    """Starts a server that believes X-Forwarded-For, with a room that has the code 4711."""
    room = Room.objects.open("staff")
    room.set_code("4711")
    room.save()
    with ExitStack() as started:

        def start(limits=LIMITS):
            place = {}
            if request.param == "redis":
                place["REDIS_URL"] = started.enter_context(Redis()).url
            return limited(limits, TRUSTED_PROXIES="1", **place)

        yield start


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


# Passwords

PASSWORD = "lovelace-1815"


@pytest.fixture
def log_in(client, settings, transactional_db):
    """Sends the form, from an address of the test's own."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS[:1]
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

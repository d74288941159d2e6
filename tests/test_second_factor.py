"""A code of an app after the password of staff, recovery codes, and who counts as nobody without."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest
import requests
from django.conf import global_settings
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from limits import parse

from access.models import GuessWindow
from audit.models import Entry
from staff import second_factors
from staff.models import RecoveryCode, SecondFactor
from tests.server_process import Server

PASSWORD = "lovelace-1815"
LOGIN, CODE, OWN = "/admin/login/", "/admin/login/code/", "/admin/second-factor/"
NOW = int(time.time()) // second_factors.SECONDS


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """Stands still, so that no step of time ends within a test."""
    clock = SimpleNamespace(time=lambda: NOW * second_factors.SECONDS + 1.0)
    monkeypatch.setattr(second_factors, "time", clock)


@pytest.fixture
def ada(transactional_db):
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def hashed_as_by_the_server(settings):
    """Passwords, while the tests' own process has a quicker way."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS


@pytest.fixture
def secret(ada):
    """Of the app of ada, who has switched it on."""
    secret = second_factors.new_secret()
    SecondFactor.objects.switch_on(ada, secret, NOW - 9)
    return secret


@pytest.fixture
def half(ada, secret, client):
    """The browser of ada, who has given her password."""
    give_password(client)
    return client


def give_password(browser, after="/admin/rooms/room/"):
    form = {"username": "ada", "password": PASSWORD, "next": after}
    return browser.post(LOGIN, form)


def code(secret, ago=0):
    return second_factors.code_at(secret, NOW - ago)


def wrong(secret):
    right = {code(secret, ago) for ago in (-1, 0, 1)}
    return next(f"{number:06}" for number in range(4) if f"{number:06}" not in right)


def whats():
    return [entry.what for entry in Entry.objects.order_by("id")]


def is_in(browser):
    return browser.get("/admin/").status_code == 200


def secret_on(page):
    return re.search(r'<pre class="secret"[^>]*>([A-Z2-7 ]+)</pre>', page.content.decode())[
        1
    ].replace(" ", "")


def codes_on(page):
    shown = re.search(r'<pre class="secret"[^>]*>(.*?)</pre>', page.content.decode(), re.DOTALL)
    return shown[1].split() if shown else []


def test_without_a_second_factor_the_password_is_enough(client, ada):
    assert give_password(client).headers["Location"] == "/admin/rooms/room/"
    assert is_in(client)
    assert whats() == ["login.succeeded"]


def test_people_switch_it_on_by_a_code_and_get_recovery_codes_once(client, ada):
    client.force_login(ada)
    other = Client()
    other.force_login(ada)
    page = client.get(OWN)
    assert "no-store" in page.headers["Cache-Control"]
    assert b"<svg" in page.content
    assert OWN in client.get("/admin/").content.decode()
    secret = secret_on(page)
    assert secret_on(client.get(OWN)) == secret
    assert b"is not right" in client.post(OWN, {"code": wrong(secret)}).content
    assert not SecondFactor.objects.exists()
    done = client.post(OWN, {"code": f"{code(secret)[:3]} {code(secret)[3:]}"})
    assert len(set(codes_on(done))) == 10
    assert "no-store" in done.headers["Cache-Control"]
    again = client.get(OWN)
    assert b"10 recovery codes left" in again.content
    assert codes_on(again) == []
    # Sessions that began with the password alone are nobody's now.
    assert is_in(client)
    assert not is_in(other)
    assert whats() == ["login.succeeded", "login.succeeded", "second_factor.switched_on"]


def test_a_code_of_a_factor_before_counts_for_nothing_once_there_is_a_new_one(ada, secret):
    old, thief = Client(), Client()
    for browser, ago in ((old, 1), (thief, 0)):
        give_password(browser)
        browser.post(CODE, {"code": code(secret, ago)})
        assert is_in(browser)
    old.post(OWN, {"proof": PASSWORD, "switch_off": "1"})
    assert is_in(thief)
    new = second_factors.new_secret()
    SecondFactor.objects.switch_on(ada, new, NOW - 9)
    assert not is_in(thief)
    assert not is_in(old)
    give_password(thief)
    assert not is_in(thief)


@pytest.mark.parametrize(
    "after", ["foo", "//evil.example", "https://evil.example/", "javascript:x"]
)
def test_an_address_to_go_on_to_that_is_none_of_ours_leads_to_no_error(half, secret, after):
    elsewhere = Client().get(CODE, {"next": after})
    assert elsewhere.status_code == 302
    assert "evil" not in elsewhere.headers["Location"]
    given = half.post(CODE, {"code": code(secret), "next": after})
    assert given.status_code == 302
    assert "evil" not in given.headers["Location"]
    assert is_in(half)


def test_under_attack_wrong_codes_are_no_quicker(half, secret, settings):
    limits = {"second_factor": "3/hour", "wrong": "2/day", "typos": "1/day", "slow": "99/minute"}
    settings.RATE_LIMITS = {name: parse(limit) for name, limit in limits.items()}
    answers = [
        half.post(CODE, {"code": wrong(secret)}, REMOTE_ADDR="192.0.2.1").status_code
        for _ in range(12)
    ]
    assert answers.count(200) <= 6
    assert answers[-1] == 429


def test_the_code_is_asked_for_after_the_password(client, secret):
    asked = give_password(client)
    assert asked.headers["Location"] == f"{CODE}?next=%2Fadmin%2Frooms%2Froom%2F"
    page = client.get(asked.headers["Location"])
    assert b'autocomplete="one-time-code"' in page.content
    assert "no-store" in page.headers["Cache-Control"]
    assert not is_in(client)
    assert client.get(LOGIN).headers["Location"].startswith(CODE)
    given = client.post(CODE, {"code": code(secret), "next": "/admin/rooms/room/"})
    assert given.headers["Location"] == "/admin/rooms/room/"
    assert is_in(client)
    assert whats() == ["login.succeeded"]


def test_a_session_with_the_password_alone_is_nobodys(half, opentok, secret):
    for page in ("/admin/", "/admin/rooms/room/", "/admin/dashboard/now/", OWN):
        assert half.get(page).headers["Location"].startswith(LOGIN)
    changed = half.post(OWN, {"proof": PASSWORD, "switch_off": "1"})
    assert changed.headers["Location"].startswith(LOGIN)
    assert SecondFactor.objects.exists()


def test_recordings_are_not_seen_with_the_password_alone(half, secret, settings):
    settings.ANONYMOUS_ACCESS = []
    watch = "/archive/3c5dbd2c-2a2e-4d5a-9f5a-0c5b2f2f7a01/view"
    assert half.get(watch).status_code == 401
    half.post(CODE, {"code": code(secret)})
    assert half.get(watch).status_code != 401


def test_another_person_can_log_in_in_the_place_of_the_first(half):
    assert half.post(CODE, {"leave": "yes"}).headers["Location"] == LOGIN
    assert half.get(LOGIN).status_code == 200


@pytest.mark.parametrize(("ago", "is_right"), [(2, False), (1, True), (-1, True), (-2, False)])
def test_clocks_may_differ_by_one_step(half, secret, ago, is_right):
    half.post(CODE, {"code": code(secret, ago)})
    assert is_in(half) == is_right


def test_a_code_is_used_once_and_none_before_it_any_more(half, secret):
    half.post(CODE, {"code": code(secret)})
    for ago in (0, 1):
        other = Client()
        give_password(other)
        assert other.post(CODE, {"code": code(secret, ago)}).status_code == 200
        assert not is_in(other)


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_many_requests_with_one_code_one_gets_in(half, ada, secret, kind, settings):
    settings.RATE_LIMITS = {}
    factor = SecondFactor.objects.of(ada)
    text = code(secret) if kind == "app" else factor.new_recovery_codes()[0]
    browsers = [half, *(Client() for _ in range(3))]
    for browser in browsers[1:]:
        give_password(browser)
    start = Barrier(len(browsers))

    def give(browser):
        start.wait()
        try:
            return browser.post(CODE, {"code": text}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(browsers)) as crowd:
        assert sorted(crowd.map(give, browsers)) == [200, 200, 200, 302]


def test_a_recovery_code_lets_in_once(half, ada):
    one, *_ = SecondFactor.objects.of(ada).new_recovery_codes()
    half.post(CODE, {"code": one.lower()})
    assert is_in(half)
    other = Client()
    give_password(other)
    other.post(CODE, {"code": one})
    assert not is_in(other)
    entry = Entry.objects.get(what="recovery_code.used")
    assert (entry.subject_name, entry.details) == ("ada", {"left": 9})


def test_wrong_codes_are_limited_like_wrong_passwords(half, secret, settings):
    settings.RATE_LIMITS = {"login": parse("3/hour")}
    here = {"REMOTE_ADDR": "192.0.2.77"}
    answers = [half.post(CODE, {"code": wrong(secret)}, **here).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert half.post(CODE, {"code": code(secret)}, **here).status_code == 429
    assert not is_in(half)
    assert Entry.objects.get(what="second_factor.failed").subject_name == "ada"
    GuessWindow.objects.all().delete()
    half.post(CODE, {"code": code(secret)}, **here)
    assert is_in(half)


def test_wrong_codes_of_a_person_are_limited_from_all_addresses_together(half, secret, settings):
    settings.RATE_LIMITS = {"second_factor": parse("3/hour")}
    answers = [
        half.post(CODE, {"code": wrong(secret)}, REMOTE_ADDR=f"192.0.2.{number}").status_code
        for number in range(4)
    ]
    assert answers == [200, 200, 200, 429]


@pytest.mark.parametrize("proof", ["password", "code", "recovery"])
def test_switching_off_asks_for_the_password_or_a_code(half, ada, secret, proof):
    half.post(CODE, {"code": code(secret, 1)})
    refused = half.post(OWN, {"proof": "babbage", "switch_off": "1"})
    assert b"neither your password nor a code" in refused.content
    assert SecondFactor.objects.exists()
    recovery = SecondFactor.objects.of(ada).new_recovery_codes()[0]
    right = {"password": PASSWORD, "code": code(secret), "recovery": recovery}[proof]
    half.post(OWN, {"proof": right, "switch_off": "1"})
    assert not SecondFactor.objects.exists()
    assert is_in(half)
    assert whats()[-1] == "second_factor.switched_off"


def test_new_recovery_codes_end_those_before(half, ada, secret):
    before = SecondFactor.objects.of(ada).new_recovery_codes()
    half.post(CODE, {"code": code(secret)})
    after = codes_on(half.post(OWN, {"proof": PASSWORD, "renew": "1"}))
    assert len(after) == 10
    assert not set(before) & set(after)
    factor = SecondFactor.objects.of(ada)
    assert not factor.take_recovery_code(before[0])
    assert factor.take_recovery_code(after[0])
    assert "recovery_codes.renewed" in whats()


def test_if_it_is_required_the_page_to_set_it_up_comes_first(client, ada, settings):
    settings.SECOND_FACTOR = "required"
    assert give_password(client).headers["Location"].startswith(CODE)
    shown = client.get("/admin/rooms/room/", follow=True)
    assert shown.redirect_chain[-1][0].startswith(f"{OWN}?next=%2Fadmin%2Frooms%2Froom%2F")
    assert b"You need a second factor" in shown.content
    assert not is_in(client)
    client.post(OWN, {"code": code(secret_on(shown))})
    assert is_in(client)
    # It can be changed for another app, and then that comes before anything else.
    client.post(OWN, {"proof": PASSWORD, "switch_off": "1"})
    assert not is_in(client)


def test_people_whose_phone_is_lost_get_it_removed_by_superusers(client, ada, secret):
    ben = User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    ben.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(ben)
    address = f"/admin/auth/user/{ada.pk}/"
    assert b"Remove the second factor" not in client.get(f"{address}change/").content
    assert client.post(f"{address}act/remove_second_factor/").status_code == 403
    root = User.objects.create_superuser("root")
    client.force_login(root)
    assert b"Remove the second factor" in client.get(f"{address}change/").content
    client.post(f"{address}act/remove_second_factor/")
    assert not SecondFactor.objects.exists()
    entry = Entry.objects.get(what="second_factor.removed")
    assert (entry.actor_name, entry.subject_name) == ("root", "ada")
    assert b"Remove the second factor" not in client.get(f"{address}change/").content


def test_the_operator_removes_that_of_the_only_superuser(ada, secret, capsys):
    call_command("second_factor", "remove", "ada")
    assert not SecondFactor.objects.exists()
    assert "second_factor.removed" in whats()


def test_after_a_change_of_secret_key_no_code_is_right(half, secret, settings):
    settings.SECRET_KEY = "another"
    give_password(half)
    assert half.post(CODE, {"code": code(secret)}).status_code == 200
    assert not is_in(half)


def test_nothing_secret_is_stored_or_logged(client, ada, caplog):
    client.force_login(ada)
    page = client.get(OWN)
    secret = secret_on(page)
    sessions = json.dumps(client.session._session)
    codes = codes_on(client.post(OWN, {"code": code(secret)}))
    client.post(OWN, {"proof": wrong(secret), "renew": "1"})
    kept = [*SecondFactor.objects.values(), *RecoveryCode.objects.values()]
    kept = str([*kept, *Entry.objects.values()]) + sessions + caplog.text
    for text in (secret, code(secret), wrong(secret), *codes, *(c.replace("-", "") for c in codes)):
        assert f"'{text}'" not in kept
        assert text not in kept or len(text) == 6  # which is in a time or a hash by chance
    assert "A second factor was not right, from " in caplog.text


def test_the_page_leads_nowhere_else(half, secret):
    given = half.post(CODE, {"code": code(secret), "next": "https://evil.example/"})
    assert given.headers["Location"] == "/admin/"


def _log_in(server, browser):
    browser.trust_env = False
    browser.get(f"{server.url}{LOGIN}")
    form = {"username": "ada", "password": PASSWORD, "next": "/admin/"}
    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
    return browser.post(f"{server.url}{LOGIN}", form)


def test_a_real_server_asks_for_it_and_takes_each_code_once(
    server, hashed_as_by_the_server, ada, monkeypatch
):
    monkeypatch.undo()
    secret = second_factors.new_secret()
    SecondFactor.objects.switch_on(ada, secret, 0)
    step = int(time.time()) // second_factors.SECONDS + 1  # good for a minute
    text = second_factors.code_at(secret, step)
    for is_let_in in (True, False):
        with requests.Session() as browser:
            asked = _log_in(server, browser)
            assert CODE in asked.url
            form = {"code": text, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            browser.post(asked.url, form)
            shown = browser.get(f"{server.url}/admin/", allow_redirects=False)
            assert (shown.status_code == 200) is is_let_in
    assert text not in server.output()


def test_switched_off_it_has_no_pages_and_the_password_is_enough(
    hashed_as_by_the_server, ada, secret
):
    with Server(SECOND_FACTOR="off") as server, requests.Session() as browser:
        shown = _log_in(server, browser)
        assert shown.status_code == 200
        assert shown.url == f"{server.url}/admin/"
        assert "second-factor" not in shown.text
        assert browser.get(f"{server.url}{OWN}").status_code == 404

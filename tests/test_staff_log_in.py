"""How staff log in to the admin, how guessing is kept from it, and what is known of what they did."""

import logging
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import global_settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from limits import parse

from rooms.models import Room
from tests.server_process import Server

PASSWORD = "lovelace-1815"
LOG = "/admin/admin/logentry/"


@pytest.fixture
def ada(transactional_db):
    return User.objects.create_superuser(f"ada-{uuid.uuid4().hex}", password=PASSWORD)


@pytest.fixture
def hashed_as_by_the_server(settings):
    """Passwords, while the tests' own process has a quicker way."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS


@pytest.fixture
def log_in(client, settings):
    """Sends the form, from an address of the test's own, under these limits."""
    network = uuid.uuid4().hex[:12]

    def send(user, password, *, host=1, **limits):
        settings.RATE_LIMITS = {name: parse(limit) for name, limit in limits.items()}
        address = f"{network[:4]}:{network[4:8]}:{network[8:]}:{host}::1"
        form = {"username": str(user), "password": password, "next": "/admin/"}
        return client.post("/admin/login/", form, REMOTE_ADDR=address)

    return send


def test_passwords_are_not_guessed_at_full_speed(limited, hashed_as_by_the_server, ada):
    server = limited("login=5/hour", WEB_CONCURRENCY="2")
    form = server.get("/admin/login/")
    token = form.cookies["csrftoken"]

    def guess(number):
        return server.post(
            "/admin/login/",
            data={"username": ada.username, "password": str(number), "csrfmiddlewaretoken": token},
            cookies={"csrftoken": token},
            headers={"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"},
        ).status_code

    with ThreadPoolExecutor(16) as crowd:
        assert Counter(crowd.map(guess, range(60))) == {200: 5, 429: 55}


def test_the_right_password_is_refused_until_the_limit_is_over(log_in, ada):
    limits = {"login": "3/hour"}
    for _ in range(3):
        assert log_in(ada, "wrong", **limits).status_code == 200
    refused = log_in(ada, PASSWORD, **limits)
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == '"login";q=3;w=3600'
    assert "Please try again in" in refused.content.decode()
    # Only from that address.
    assert log_in(ada, PASSWORD, host=2, **limits).status_code == 302


def test_one_name_is_not_guessed_at_from_everywhere(log_in, ada):
    limits = {"login": "2/hour", "login_name": "4/hour"}
    codes = [log_in(ada, "wrong", host=host, **limits).status_code for host in range(6)]
    assert codes == [200] * 4 + [429] * 2
    assert log_in(uuid.uuid4(), "wrong", host=5, **limits).status_code == 200


@pytest.mark.parametrize("name", ["zzz::/64", "address:zzz::/64", "2001:db8::/64"])
def test_a_name_that_looks_like_a_network_is_a_name(log_in, db, name):
    limits = {"login": "9/hour", "login_name": "1/hour"}
    codes = [log_in(name, "wrong", host=host, **limits).status_code for host in (1, 2)]
    assert codes == [200, 429]


def test_logging_in_is_not_counted(log_in, ada):
    for _ in range(5):
        assert log_in(ada, PASSWORD, login="1/hour", login_name="1/hour").status_code == 302


@pytest.mark.parametrize("after", ["//evil.example/", "https://evil.example/", "javascript:0", ""])
def test_a_log_in_leads_to_the_admin_and_nowhere_else(client, ada, after):
    form = {"username": ada.username, "password": PASSWORD, "next": after}
    answer = client.post("/admin/login/", form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_a_failed_log_in_is_logged_without_what_was_typed(log_in, ada, caplog):
    caplog.set_level(logging.INFO)
    log_in("my-password", "another-password")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "access.login"]
    assert line.startswith("A log-in to the admin failed, from ")
    assert "password" not in caplog.text.replace(line, "")


@pytest.mark.parametrize("fields", [{}, {"username": "ada"}, {"username": "\0", "password": "\0"}])
def test_a_form_that_is_not_filled_in_is_shown_again(client, db, fields):
    assert client.post("/admin/login/", fields).status_code == 200


def test_a_cookie_that_no_database_can_hold_is_no_session(server):
    cookie = {"Cookie": r'sessionid="\000aaaaaaaaaaaa"'}
    assert server.get("/admin/login/", headers=cookie).status_code == 200
    assert server.get("/admin/", headers=cookie).headers["Location"].startswith("/admin/login/")


def test_cookies_of_the_admin_are_for_the_server_alone(hashed_as_by_the_server, ada):
    with Server(SECURE_SSL_REDIRECT="on") as server:
        https = {"X-Forwarded-Proto": "https", "Referer": f"{server.url.replace('http', 'https')}/"}
        form = server.get("/admin/login/", headers=https)
        token = form.cookies["csrftoken"]
        sent = server.post(
            "/admin/login/",
            data={"username": ada.username, "password": PASSWORD, "csrfmiddlewaretoken": token},
            headers=https | {"Cookie": f"csrftoken={token}"},
        )
    assert sent.status_code == 302
    for cookie in [*form.cookies, *sent.cookies]:
        assert cookie.secure
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_the_admin_is_where_admin_url_says_and_nobody_is_told(limited):
    server = limited("off", ADMIN_URL="back/office/")
    assert server.get("/back/office").headers["Location"] == "/back/office/"
    assert server.get("/back/office/").headers["Location"].startswith("/back/office/login/")
    assert "csrftoken" in server.get("/back/office/login/").cookies
    assert server.get("/admin/").status_code == 404
    assert "admin/" not in server.get("/").text
    assert "office" not in server.get("/").text


def test_staff_see_who_did_what_and_when(admin_client, opentok):
    room = Room.objects.open("standup")
    action = {"action": "new_session", "_selected_action": [room.pk], "confirmed": "yes"}
    admin_client.post("/admin/rooms/room/", action)
    page = admin_client.get(LOG).content.decode()
    entry = LogEntry.objects.get()
    assert ">admin<" in page
    assert "Gave the room a new session." in page
    assert entry.action_time.strftime("%H:%M") in page or "p.m." in page or "a.m." in page
    assert admin_client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_log_is_not_for_all_staff(client, db):
    ben = User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    client.force_login(ben)
    assert client.get(LOG).status_code == 403
    ben.user_permissions.add(Permission.objects.get(codename="view_logentry"))
    assert client.get(LOG).status_code == 200


def test_who_did_something_cannot_be_deleted_along_with_the_log_of_it(admin_client, ada):
    LogEntry.objects.create(user=ada, action_flag=2, object_repr="standup")
    admin_client.post(f"/admin/auth/user/{ada.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=ada.pk).exists()


@pytest.mark.parametrize(("scheme", "times"), [("https", 1), ("http", 0)])
def test_the_log_knows_why_nobody_can_log_in_behind_a_proxy_that_ends_tls(scheme, times, caplog):
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/admin/login/", {}, headers={"Origin": f"{scheme}://rooms.example.com"})
    assert answer.status_code == 403
    assert caplog.text.count("set SECURE_SSL_REDIRECT=on") == times

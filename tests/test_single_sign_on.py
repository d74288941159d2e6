"""Staff log in by an OpenID Connect provider."""

import os
import subprocess
import sys

import pytest
import requests
from django.contrib.auth.models import User

from audit.models import Entry
from staff import second_factors
from staff.models import SecondFactor
from tests import forked
from tests.openid_provider import OpenIDProvider
from tests.server_process import ROOT, Server, url_of_test_database

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def _running(django_db_setup, django_db_blocker):
    with OpenIDProvider() as provider, django_db_blocker.unblock():
        variables = provider.variables() | {
            "OIDC_NAME": "Example ID",
            "OIDC_DOMAINS": "example.org",
        }
        settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}
        database = {"DATABASE_URL": url_of_test_database()}
        command = ["manage.py", "migrate", "--verbosity=0"]
        environment = os.environ | settings | database | variables
        assert forked.run(command, env=environment, cwd=ROOT).returncode == 0
        with Server(**variables) as server:
            yield provider, server


@pytest.fixture
def provider(_running):
    _running[0].broken = ""
    return _running[0]


@pytest.fixture
def server(_running, transactional_db):
    return _running[1]


@pytest.fixture
def browser(server):
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def log_in(browser, server, provider):
    """Takes what the provider says of a person all the way; the server's last answer."""

    def walk(email="ada@example.com", *, verified=True, after="/admin/"):
        provider.claims = {"sub": "248289", "email": email, "email_verified": verified}
        page = f"{server.url}/admin/sso/?next={after}"
        there = browser.get(page, allow_redirects=False)
        assert there.headers["Location"].startswith(f"{provider.url}/authorization_endpoint?")
        back = provider.log_in(there.headers["Location"])
        return browser.get(back, headers=HTML, allow_redirects=False)

    return walk


def make(name="ada", **fields):
    return User.objects.create_user(
        name, **{"email": f"{name}@example.com", "is_staff": True} | fields
    )


def code(answer):
    return answer.status_code, answer.headers.get("Location")


def test_the_log_in_page_offers_it(server):
    page = server.get("/admin/login/?next=/admin/rooms/room/").text
    assert 'href="/admin/sso/?next=%2Fadmin%2Frooms%2Froom%2F"' in page
    assert "Log in with Example ID" in page


def test_staff_get_in_by_their_verified_address(log_in, browser, server):
    user = make(password="lovelace-1815")
    assert code(log_in("Ada@Example.com", after="/admin/rooms/room/")) == (
        302,
        "/admin/rooms/room/",
    )
    assert "ada" in browser.get(f"{server.url}/admin/").text
    user.refresh_from_db()
    assert user.last_login
    # As another way in, and not in the place of the password.
    assert user.check_password("lovelace-1815")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [{"is_staff": False}, {"is_active": False}, {"email": "ada@example.net"}, {"email": ""}],
    ids=str,
)
def test_others_do_not_get_in_and_nothing_is_made_of_them(log_in, browser, server, fields):
    user = make(**fields)
    before = User.objects.values().get()
    refused = log_in()
    assert refused.status_code == 403
    assert "No staff account" in refused.text
    assert browser.get(f"{server.url}/admin/", allow_redirects=False).status_code == 302
    assert User.objects.values().get() == before
    assert user.last_login is None


def test_it_takes_the_place_of_the_second_factor(log_in, browser, server):
    SecondFactor.objects.switch_on(make(), second_factors.new_secret(), 0)
    log_in()
    assert browser.get(f"{server.url}/admin/", allow_redirects=False).status_code == 200
    assert Entry.objects.filter(what="login.succeeded").count() == 1


@pytest.mark.parametrize("verified", [False, None, "false"])
def test_an_address_that_is_not_verified_opens_nothing(log_in, verified):
    make()
    make("eve@example.org", email="eve@example.org")
    for email in "ada@example.com", "eve@example.org", "new@example.org":
        assert log_in(email, verified=verified).status_code == 403
    assert User.objects.count() == 2


def test_an_address_of_two_accounts_opens_neither(log_in):
    make()
    make("ada-too", email="ADA@example.com")
    assert log_in().status_code == 403


def test_letters_that_look_alike_are_not_the_same(log_in):
    make("mike", email="mike@example.com")
    assert log_in("m\u0131ke@example.com").status_code == 403


def test_members_of_the_domain_get_an_account_that_may_do_nothing(log_in, browser, server):
    assert code(log_in("New.One@example.org")) == (302, "/admin/")
    made = User.objects.get()
    assert (made.username, made.email) == ("new.one@example.org", "new.one@example.org")
    assert (made.is_staff, made.is_superuser, made.has_usable_password()) == (True, False, False)
    assert made.get_all_permissions() == set()
    assert browser.get(f"{server.url}/admin/rooms/room/").status_code == 403
    assert code(log_in("new.one@example.org")) == (302, "/admin/")
    assert User.objects.count() == 1


@pytest.mark.parametrize("fields", [{"is_staff": False}, {"is_active": False}], ids=str)
def test_an_account_of_the_domain_is_not_opened_again(log_in, fields):
    make("ben", email="ben@example.org", **fields)
    assert log_in("ben@example.org").status_code == 403
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "email", ["eve@example.org.evil.test", "eve@notexample.org", "x" * 150 + "@example.org"]
)
def test_other_domains_get_no_account(log_in, email):
    assert log_in(email).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example/", "javascript:0", ""])
def test_it_leads_to_the_admin_and_nowhere_else(log_in, after):
    make()
    assert code(log_in(after=after)) == (302, "/admin/")


def test_an_answer_for_another_browser_is_not_taken(log_in, server, provider):
    make()
    provider.claims = {"sub": "1", "email": "ada@example.com", "email_verified": True}
    there = server.get("/admin/sso/").headers["Location"]
    back = provider.log_in(there).removeprefix(server.url)
    assert code(server.get(back)) == (302, "/admin/login/")
    assert code(server.get("/admin/sso/callback/?code=x&state=y")) == (302, "/admin/login/")


def test_giving_up_at_the_provider_leads_back_to_the_log_in(browser, server, provider):
    there = browser.get(f"{server.url}/admin/sso/", allow_redirects=False).headers["Location"]
    state = provider.log_in(there).rpartition("=")[2]
    back = f"{server.url}/admin/sso/callback/?error=access_denied&state={state}"
    assert code(browser.get(back, allow_redirects=False)) == (302, "/admin/login/")


def test_a_provider_that_fails_is_said_so(browser, server, provider, log_in):
    make()
    provider.broken = "/.well-known/openid-configuration"
    failed = browser.get(f"{server.url}/admin/sso/")
    assert (failed.status_code, failed.json()["code"]) == (502, "sso_failed")
    for path in "/token_endpoint", "/userinfo_endpoint":
        provider.broken = path
        assert log_in().status_code == 502
    assert "502 sso_failed" in server.output()


def test_nothing_secret_is_logged(server, log_in, provider):
    make()
    log_in()
    log_in("someone@example.net")
    for secret in "tests-only-client-secret", "example.com", "example.net", "code=", "Bearer":
        assert secret not in server.output()


def test_its_tables_have_no_pages(server, log_in, browser):
    make(is_superuser=True)
    log_in()
    index = browser.get(f"{server.url}/admin/").text
    assert "/admin/rooms/room/" in index
    assert "socialaccount" not in index
    assert "/admin/account/" not in index


def test_without_it_there_is_no_way_and_no_button(client, db):
    assert client.get("/admin/sso/").status_code in {302, 404}
    assert "Log in with" not in client.get("/admin/login/").content.decode()


def test_without_it_its_library_is_not_imported():
    asked = (
        "import django, sys; django.setup(); from django.urls import get_resolver; "
        "print(len(get_resolver().url_patterns) > 5, 'allauth' in sys.modules)"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    told = subprocess.check_output([sys.executable, "-c", asked], cwd=ROOT, env=environment)
    assert told.split() == [b"True", b"False"]


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"OIDC_SERVER_URL": "http://id.example.com"}, "OIDC_SERVER_URL must start with https://"),
        ({"OIDC_SERVER_URL": "id.example.com"}, "OIDC_SERVER_URL must be a URL"),
        ({"OIDC_DOMAINS": "@example.org"}, "OIDC_DOMAINS must be domains such as example.com"),
        ({"OIDC_CLIENT_ID": "rooms"}, "OIDC_SERVER_URL is not set"),
        ({"OIDC_SERVER_URL": "https://id.example.com", "OIDC_CLIENT_ID": "rooms"}, "OIDC_CLIENT_SECRET is not set"),
    ],
)  # fmt: skip
def test_what_is_set_wrongly_is_named(environment, complaint):
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = forked.run(["manage.py", "check"], env=os.environ | settings | environment, cwd=ROOT)
    assert done.returncode == 1
    assert complaint in done.stderr

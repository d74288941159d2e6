"""Staff who have forgotten their password choose another one by a link that is mailed to them."""

import re

import pytest
import requests
from django.contrib.auth.models import User

from config import environment
from config.environment import MailServer as Read
from tests.mail_server import MailServer
from tests.test_start_up import start

ASK = "/admin/password_reset/"


@pytest.fixture
def mail_server():
    with MailServer() as mail_server:
        yield mail_server


@pytest.fixture
def mailing(limited, mail_server):
    return limited(
        "login=3/minute",
        EMAIL_URL=mail_server.url,
        DEFAULT_FROM_EMAIL="Rooms <rooms@example.com>",
        ALLOWED_HOSTS="127.0.0.1",
        WORKER="on",
    )


@pytest.fixture
def ada(transactional_db):
    return User.objects.create_user("ada", "Ada@example.com", "lovelace-1815", is_staff=True)


class Browser(requests.Session):
    def __init__(self, server):
        super().__init__()
        self.server = server

    def send_form(self, address, **fields):
        """To the page that has the form."""
        url = address if address.startswith("http") else f"{self.server.url}{address}"
        page = self.get(url)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        headers = {"Referer": page.url, "Accept": "text/html"}
        return self.post(page.url, {"csrfmiddlewaretoken": token, **fields}, headers=headers)


def test_the_log_in_page_leads_there_only_with_a_mail_server(mailing, server):
    assert f'href="{ASK}"' in mailing.get("/admin/login/").text
    assert "password_reset" not in server.get("/admin/login/").text
    assert server.get(ASK).status_code in {302, 404}
    assert "Email address" not in server.get(ASK).text


def test_a_mailed_link_sets_a_new_password_once(mailing, mail_server, ada):
    asked = Browser(mailing).send_form(ASK, email="ada@EXAMPLE.com")
    assert "emailed you instructions" in asked.text
    mail = mail_server.mails.get(timeout=20)
    assert (mail["To"], mail["From"]) == ("Ada@example.com", "Rooms <rooms@example.com>")
    link = re.search(r"http://127\.0\.0\.1:\S+", mail.get_content())[0]
    browser = Browser(mailing)
    chosen = {"new_password1": "analytical-engine-7", "new_password2": "analytical-engine-7"}
    assert "Password reset complete" in browser.send_form(link, **chosen).text
    assert "unsuccessful" in requests.get(link).text
    # The way into the admin is the log-in, as ever.
    assert (
        "/login/" in browser.get(f"{mailing.url}/admin/", allow_redirects=False).headers["Location"]
    )
    secret = link.rstrip("/").rpartition("/")[2]
    told = {"username": "ada", "password": "analytical-engine-7", "next": "/admin/"}
    assert browser.send_form("/admin/login/", **told).url == f"{mailing.url}/admin/"
    assert secret not in mailing.stop()


@pytest.mark.parametrize(
    "changed",
    [{"is_staff": False}, {"is_active": False}, {"password": "!"}, {"email": ""}],
    ids=str,
)
def test_nobody_else_gets_mail_and_all_are_told_the_same(mailing, mail_server, ada, changed):
    for name, value in changed.items():
        setattr(ada, name, value)
    ada.save()
    other = User.objects.create_superuser("grace", "grace@example.com", "hopper-1906")
    told = {Browser(mailing).send_form(ASK, email=email).text
            for email in ("ada@example.com", "nobody@example.com", other.email)}  # fmt: skip
    assert len(told) == 1
    assert mail_server.mails.get(timeout=20)["To"] == other.email
    assert mail_server.mails.empty()


def test_a_mail_server_that_is_down_tells_nothing(limited, ada):
    down = limited("login=9/minute", EMAIL_URL="smtp://127.0.0.1:9", ALLOWED_HOSTS="127.0.0.1",
                   DEFAULT_FROM_EMAIL="rooms@example.com")  # fmt: skip
    asked = Browser(down).send_form(ASK, email="ada@example.com")
    assert "emailed you instructions" in asked.text


def test_it_is_limited_as_log_ins_are_for_known_addresses_and_others(mailing, ada):
    for email in "ada@example.com", "nobody@example.com", "ada@example.com":
        assert Browser(mailing).send_form(ASK, email=email).status_code == 200
    refused = Browser(mailing).send_form(ASK, email="ada@example.com")
    assert refused.status_code == 429


def test_the_host_of_a_link_is_one_of_ours(mailing, ada):
    assert mailing.get(ASK, headers={"Host": "evil.example.com"}).status_code == 400


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"ALLOWED_HOSTS": "*"}, "EMAIL_URL is set, and ALLOWED_HOSTS is not."),
        ({"DEFAULT_FROM_EMAIL": " "}, "EMAIL_URL is set, and DEFAULT_FROM_EMAIL is not."),
        ({"DEFAULT_FROM_EMAIL": "rooms"}, "DEFAULT_FROM_EMAIL must be like"),
        ({"EMAIL_URL": "mail.example.com"}, "EMAIL_URL must be like"),
        ({"EMAIL_URL": "smtp://:hunter2@"}, "EMAIL_URL must be like"),
        ({"EMAIL_URL": "smtp://u:hunter2@x:port"}, "EMAIL_URL must be like"),
        ({"EMAIL_URL": "memorymail://x"}, "EMAIL_URL must be like"),
    ],
)  # fmt: skip
def test_a_server_does_not_start_with_half_of_it(variables, complaint):
    good = {"EMAIL_URL": "smtp://x", "ALLOWED_HOSTS": "x", "DEFAULT_FROM_EMAIL": "a@x"}
    status, written = start("-m", "config.server", **(good | variables))
    assert status
    assert complaint in written
    assert "hunter2" not in written


@pytest.mark.parametrize(
    ("url", "read"),
    [
        (" ", Read()),
        ("smtp://x", Read("x", 587)),
        ("smtp+tls://u:p%40ss@x", Read("x", 587, "u", "p@ss", starts_tls=True)),
        ("smtp+ssl://x", Read("x", 465, is_tls=True)),
        ("smtp://x:25", Read("x", 25)),
    ],
)
def test_a_mail_server_is_read_from_its_url(monkeypatch, url, read):
    monkeypatch.setenv("EMAIL_URL", url)
    assert environment.mail_server("EMAIL_URL") == read

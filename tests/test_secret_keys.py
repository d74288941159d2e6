"""Secrets that take others' places while the server runs: what was made before stays good."""

import json
import time
import uuid

import pytest
from django.conf import settings as of_tests
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from config import environment
from rooms.models import Room
from staff import second_factors
from staff.models import SecondFactor
from tests.api_client import Program, refusal
from tests.emulator_process import Emulator
from tests.raw_page import RawPage
from tests.server_process import Server
from tests.test_callbacks import sign, told
from tests.test_idempotency import post
from video.redaction import without_secrets
from video.tokens import generate_token

OLD, NEW = of_tests.SECRET_KEY, "another-secret-key-of-more-than-fifty-characters-0123456789"


@pytest.fixture
def made(server, opentok):
    """What was made with the old key: a session of staff, an invitation, an answer to repeat."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    program = Program(server)
    program.post("rooms", name="exam")
    invited = program.post("rooms/exam/invitations").json()
    answer = post(program, "rooms", key="1", name="lab")
    cookie = {"sessionid": browser.cookies["sessionid"].value}
    return program, cookie, invited["invitation"], answer


def survivors(server, program, cookie, invitation, answer):
    """Of what was made, what is good at this server."""
    joined = server.get("/room/exam", headers={"Authorization": f"Bearer {invitation}"})
    again = post(program, "rooms", key="1", server=server, name="lab")
    found = {
        "session": server.get("/admin/", cookies=cookie).status_code == 200,
        "invitation": joined.status_code == 200,
        "answer": (again.status_code, again.content) == (201, answer.content),
    }
    return {name for name, is_good in found.items() if is_good}


def test_after_a_change_of_the_secret_key_the_old_one_is_good_as_long_as_it_is_named(made):
    with Server(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD) as both:
        assert survivors(both, *made) == {"session", "invitation", "answer"}
    with Server(SECRET_KEY=NEW) as only_new:
        assert survivors(only_new, *made) == set()
        again = post(made[0], "rooms", key="1", server=only_new, name="lab")
        assert refusal(again) == (422, "idempotency_key_reused")


def test_second_factors_are_encrypted_with_the_new_key(db, settings, capsys):
    secret = second_factors.new_secret()
    user = User.objects.create_superuser("ada")
    factor, _ = SecondFactor.objects.switch_on(user, secret, 0)
    codes = factor.new_recovery_codes()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert factor.take_recovery_code(codes[0])
    call_command("encrypt_again")
    assert "1 second factor" in capsys.readouterr().out
    settings.SECRET_KEY_FALLBACKS = []
    factor.refresh_from_db()
    assert factor.take_code(
        second_factors.code_at(secret, int(time.time()) // second_factors.SECONDS)
    )
    assert not factor.take_recovery_code(codes[1])


def test_what_cannot_be_read_is_counted(db, settings, capsys):
    SecondFactor.objects.switch_on(
        User.objects.create_superuser("ada"), second_factors.new_secret(), 0
    )
    settings.SECRET_KEY = NEW
    call_command("encrypt_again")
    said = capsys.readouterr()
    assert "0 second factors encrypted again" in said.out
    assert "1 second factor could not be read" in said.err


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("", []),
        ("old", ["old"]),
        ("old,secret=key", ["old,secret=key"]),
        (f"{OLD}, {NEW}", [f"{OLD}, {NEW}", OLD, NEW]),
        (f"{OLD},", [f"{OLD},", OLD]),
    ],
)
def test_an_old_key_may_have_commas(monkeypatch, value, keys):
    monkeypatch.setenv("WANTED", value)
    assert environment.old_keys("WANTED") == keys


def test_a_callback_may_be_signed_with_the_secret_before(server, opentok):
    old, new = of_tests.CALLBACK_SECRET, "the-secret-of-callbacks-from-now-on"
    room = Room.objects.open("standup")
    with Server(CALLBACK_SECRET=new, CALLBACK_SECRET_OLD=old) as both:
        for secret in old, new:
            assert call_back(both, room, secret).status_code == 200
        assert refusal(call_back(both, room, "x" * 40)) == (401, "callback_refused")
    with Server(CALLBACK_SECRET=new) as only_new:
        assert refusal(call_back(only_new, room, old)) == (401, "callback_refused")


def test_opentoks_secret_changes_while_people_are_in_a_call(transactional_db, opentok):
    old, new = opentok.secret, "0ddba11f00dfacade0ff1ce0c0ffee005ca1ab1e"

    def works(server, token):
        headers = {"Authorization": f"Bearer {token}"}
        return server.get("/api/v1/rooms/exam/connections", headers=headers).status_code == 200

    # 1. OpenTok knows both.
    with Emulator("--second-secret", new) as both:
        with Server(OPENTOK_API_URL=both.url) as before:
            session = before.get("/room/exam").json()["sessionId"]
            first = generate_token(session, role="moderator", lifetime=600)
            both.connect(session)
            assert works(before, first)
        # 2. The server signs with the new one, and knows the old one.
        secrets = {"TOKBOX_SECRET": new, "TOKBOX_SECRET_OLD": old}
        with Server(OPENTOK_API_URL=both.url, **secrets) as meanwhile:
            assert works(meanwhile, first)
            for token in first, meanwhile.get("/room/exam").json()["token"]:
                with RawPage(both, session, token) as page:
                    page.enter()
            assert meanwhile.get("/room/another").status_code == 200  # a call, signed anew
        # 3. Both forget the old one.
        with Server(OPENTOK_API_URL=both.url, TOKBOX_SECRET=new) as after:
            assert not works(after, first)
            assert after.get("/room/exam").json()["sessionId"] == session


def test_old_secrets_are_kept_out_of_the_log(settings):
    settings.OPENTOK = settings.OPENTOK | {"TOKBOX_SECRET_OLD": "an old secret of OpenTok"}
    assert "an old secret of OpenTok" not in without_secrets("It says: an old secret of OpenTok.")
    settings.SECRET_KEY_FALLBACKS = ["an old secret key of the server"]
    settings.CALLBACK_SECRET_OLD = "an old secret of callbacks"
    for secret in *settings.SECRET_KEY_FALLBACKS, settings.CALLBACK_SECRET_OLD:
        assert secret not in without_secrets(f"It says: {secret}.")


def call_back(server, room, secret):
    body = json.dumps(told(id=str(uuid.uuid4()), sessionId=room.session_id)).encode()
    headers = {"Authorization": f"Bearer {sign(body, secret=secret)}"}
    return server.post(
        "/callbacks", data=body, headers=headers | {"Content-Type": "application/json"}
    )

"""API keys: made once, checked with each call, ended when they have to be."""

import hashlib
import os
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.utils import timezone

from access.models import ApiKey
from rooms.models import Room
from tests import forked
from tests.server_process import ROOT, Server, url_of_test_database

KEYS = "/admin/access/apikey/"


def issue(*capabilities, **fields):
    key = ApiKey(name="a program", capabilities=list(capabilities), **fields)
    key.issue()
    return key


def bearer(key):
    return {"Authorization": f"Bearer {key.text}"}


# What is sent


@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", "otr_", "otr__", "{text}x", "{text} x", "otr_0123456789_{secret}", "{prefix}",
        "otr_{prefix}_" + 40 * "0", "{upper}", 70_000 * "x", "Bearer {text}",
    ],
)  # fmt: skip
def test_a_wrong_key_is_refused_even_where_none_is_needed(server, opentok, wrong):
    key = issue("join")
    secret = key.text.rpartition("_")[2]
    sent = wrong.format(text=key.text, prefix=key.prefix, secret=secret, upper=key.text.upper())
    headers = {"Authorization": f"Bearer {sent}"}
    refused = server.get("/room/lobby", headers=headers)
    if len(sent) > 60_000:
        assert 400 <= refused.status_code < 500
        return
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="rooms", error="invalid_token"'
    assert refused.json()["code"] == "key_invalid"
    assert opentok.requests() == []


def test_an_ended_key_is_told_so(server):
    revoked, expired = issue("join"), issue("join", expires_at=timezone.now())
    revoked.revoke()
    for key, code in ((revoked, "key_revoked"), (expired, "key_expired")):
        refused = server.get("/room/lobby", headers=bearer(key))
        assert (refused.status_code, refused.json()["code"]) == (401, code)
    later = issue("join", expires_at=timezone.now() + timedelta(minutes=5))
    assert server.get("/room/lobby", headers=bearer(later)).status_code == 200


@pytest.mark.parametrize("header", ["Basic b3RyOng=", "Token x", "otr_0123456789", "", "bearer"])
def test_what_is_no_bearer_is_none_of_our_business(server, header):
    answer = server.get("/room/lobby", headers={"Authorization": header})
    assert answer.status_code == (401 if header == "bearer" else 200)


def test_a_key_costs_one_query_and_no_key_costs_none(
    client, opentok, django_assert_num_queries, db
):
    Room.objects.open("lobby")
    key = issue("join", last_used_at=timezone.now())
    with django_assert_num_queries(1):
        client.get("/room/lobby")
    with django_assert_num_queries(2):
        assert client.get("/room/lobby", headers=bearer(key)).status_code == 200


def test_the_last_use_of_a_key_is_noted_once_a_minute_at_most(server):
    key = issue("join")
    server.get("/room/lobby", headers=bearer(key))
    key.refresh_from_db()
    first = key.last_used_at
    assert timezone.now() - first < timedelta(minutes=1)
    server.get("/room/lobby", headers=bearer(key))
    key.refresh_from_db()
    assert key.last_used_at == first


def test_a_key_is_in_no_log_and_no_table(opentok, transactional_db):
    key = issue("join")
    secret = key.text.rpartition("_")[2]
    with Server(OPENTOK_API_URL=opentok.url) as server:
        assert server.get("/room/lobby", headers=bearer(key)).status_code == 200
        opentok.fault(status=500)
        assert server.get("/room/other", headers=bearer(key)).status_code == 502
        server.get("/room/lobby", headers={"Authorization": f"Bearer {key.text}0"})
        assert secret not in server.stop()
    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert row["secret_hash"] == hashlib.sha256(secret.encode()).hexdigest()


# A key for some rooms


@pytest.fixture
def inside(server, opentok):
    """A key for the rooms that start with "class-"."""
    return bearer(issue("join", "record", "view", "list", room_prefix="class-"))


def start(server, opentok, room, **options):
    session = server.get(f"/room/{room}").json()["sessionId"]
    opentok.connect(session)
    return session, server.post("/archive/start", json={"sessionId": session}, **options)


def test_a_key_for_some_rooms_works_in_those(server, opentok, inside):
    assert server.get("/room/class-1", headers=inside).status_code == 200
    assert server.request("HEAD", "/room/class-1", headers=inside).status_code == 200
    session, started = start(server, opentok, "class-1", headers=inside)
    archive = started.json()["id"]
    for method, path in [
        ("GET", f"/archive/{archive}"), ("POST", f"/archive/{archive}/stop"),
        ("GET", f"/archive/{archive}/view"), ("GET", f"/archive?sessionId={session}"),
    ]:  # fmt: skip
        assert server.request(method, path, headers=inside).status_code == 200, path
    # Also of a session that the room does not have any more.
    Room.objects.get().rotate_session()
    assert server.get(f"/archive/{archive}", headers=inside).status_code == 200


def test_a_key_for_some_rooms_gets_at_nothing_of_others(server, opentok, inside):
    session, started = start(server, opentok, "staff")
    archive = started.json()["id"]
    for method, path, body in [
        ("GET", "/room/staff", None), ("GET", "/room/new", None), ("HEAD", "/room/staff", None),
        ("POST", "/archive/start", {"sessionId": session}),
        ("POST", "/archive/start", {"sessionId": "1_nobodys"}),
        ("POST", f"/archive/{archive}/stop", None), ("GET", f"/archive/{archive}", None),
        ("GET", f"/archive/{archive}/view", None), ("GET", f"/archive?sessionId={session}", None),
    ]:  # fmt: skip
        refused = server.request(method, path, json=body, headers=inside)
        assert refused.status_code == 403, path
        if method != "HEAD":
            assert refused.json()["code"] == "room_not_covered", path
    assert server.get(f"/archive/{archive}").json()["status"] == "started"
    assert [room.name for room in Room.objects.all()] == ["staff"]


def test_a_key_for_some_rooms_is_not_told_what_was_deleted_of_others(server, opentok, inside):
    archive = start(server, opentok, "staff")[1].json()["id"]
    opentok.reset()
    for path in (f"/archive/{archive}", f"/archive/{archive}/view"):
        refused = server.get(path, headers=inside)
        assert (refused.status_code, refused.json()["code"]) == (403, "room_not_covered")
        assert server.get(path).status_code == 410


def test_a_key_for_some_rooms_lists_the_recordings_of_one_session(server, inside):
    refused = server.get("/archive", headers=inside)
    assert (refused.status_code, refused.json()["code"]) == (400, "session_not_named")


# How staff make them


def test_staff_make_a_key_which_is_shown_once_and_kept_nowhere(admin_client):
    form = admin_client.get(f"{KEYS}add/").content.decode()
    assert "_addanother" not in form
    fields = {
        "name": "Back office", "capabilities": ["list", "view"], "room_prefix": "class-",
        "expires_at_0": "", "expires_at_1": "", "_save": "Save",
    }  # fmt: skip
    shown = admin_client.post(f"{KEYS}add/", fields)
    key = ApiKey.objects.get()
    text = next(word for word in shown.content.decode().split() if f"otr_{key.prefix}" in word)
    secret = text.partition("<")[0].rpartition("_")[2]
    assert hashlib.sha256(secret.encode()).hexdigest() == key.secret_hash
    assert "no-store" in shown.headers["Cache-Control"]
    assert secret not in str(shown.cookies)
    assert secret not in str(LogEntry.objects.values())
    for path in (KEYS, f"{KEYS}{key.pk}/change/", f"{KEYS}{key.pk}/history/"):
        later = admin_client.get(path).content.decode()
        assert "Back office" in later
        assert secret not in later
    assert key.capabilities == ["list", "view"]


def test_staff_change_and_revoke_a_key(admin_client, server):
    key = issue("list")
    fields = {
        "name": "Renamed", "capabilities": ["join"], "room_prefix": "Zu\u0308rich",
        "expires_at_0": "2999-12-31", "expires_at_1": "00:00:00", "_save": "Save",
    }  # fmt: skip
    assert admin_client.post(f"{KEYS}{key.pk}/change/", fields).status_code == 302
    key.refresh_from_db()
    assert (key.name, key.capabilities, key.room_prefix) == ("Renamed", ["join"], "Z\u00fcrich")
    assert server.get("/room/Zürich 1", headers=bearer(key)).status_code == 200
    chosen = {"action": "revoke_selected", "_selected_action": [key.pk]}
    assert "There is no way back." in admin_client.post(KEYS, chosen).content.decode()
    assert server.get("/room/Zürich 1", headers=bearer(key)).status_code == 200
    admin_client.post(KEYS, chosen | {"confirmed": "yes"})
    assert server.get("/room/Zürich 1", headers=bearer(key)).json()["code"] == "key_revoked"
    assert LogEntry.objects.first().get_change_message() == "Revoked the key."
    assert ">revoked<" in admin_client.get(KEYS).content.decode()
    again = admin_client.post(KEYS, chosen | {"confirmed": "yes"}, follow=True)
    assert "“Renamed”: The key was revoked before." in again.content.decode()


def test_a_key_is_revoked_on_its_page(admin_client):
    key = issue("list")
    page, button = f"{KEYS}{key.pk}/change/", f"{KEYS}{key.pk}/act/revoke/"
    assert button in admin_client.get(page).content.decode()
    told = admin_client.post(button, follow=True).content.decode()
    assert "Revoked the key." in told
    assert button not in told


@pytest.mark.parametrize("prefix", ["class a ", " "])
def test_white_space_counts_in_the_beginning_of_a_name(admin_client, prefix):
    form = {
        "name": "x", "capabilities": ["join"], "room_prefix": prefix, "expires_at_0": "",
        "expires_at_1": "",
    }  # fmt: skip
    assert admin_client.post(f"{KEYS}add/", form).status_code == 200
    assert ApiKey.objects.get().room_prefix == prefix


@pytest.mark.parametrize(
    "fields", [{"capabilities": []}, {"capabilities": ["fly"]}, {"name": "\0"}, {"name": ""},
               # Composed, it has twice as many characters.
               {"room_prefix": "\u0958" * 200}]
)  # fmt: skip
def test_a_form_that_makes_no_sense_makes_no_key(admin_client, fields):
    form = {"name": "x", "capabilities": ["join"], "expires_at_0": "", "expires_at_1": ""} | fields
    assert admin_client.post(f"{KEYS}add/", form).status_code == 200
    assert not ApiKey.objects.exists()


def apikey(*arguments):
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url_of_test_database(),
           "TOKBOX_SECRET": " "}  # fmt: skip
    return forked.run(["manage.py", "apikey", *arguments], cwd=ROOT, env=os.environ | own)


def test_the_command_makes_lists_and_revokes_keys(server):
    made = apikey("create", "Cron", "--can", "join,list", "--expires", "2999-01-31", "--rooms", "c")
    text = made.stdout.strip()
    headers = {"Authorization": f"Bearer {text}"}
    assert server.get("/room/class", headers=headers).status_code == 200
    key = ApiKey.objects.get()
    assert key.expires_at.isoformat() == "2999-02-01T00:00:00+00:00"
    listed = apikey("list").stdout
    for word in ("Cron", key.prefix, "active", "join,list", "2999-02-01"):
        assert word in listed
    assert text not in listed + made.stderr
    assert apikey("revoke", key.prefix).returncode == 0
    assert server.get("/room/class", headers=headers).json()["code"] == "key_revoked"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["create", "x", "--can", "fly"], "'fly' is none of join, record, view, list"),
        (["create", "x", "--can", "join", "--rooms", ""], "'' would be for all rooms"),
        (["create", "x", "--can", "join", "--rooms", "\u0958" * 200], "at most 200 characters"),
        (["create", "x", "--can", "join", "--expires", "soon"], "'soon' is no date such as"),
        (["create", "x", "--can", "join", "--expires", "9999-12-31"], "is no date such as"),
        (["create", 101 * "x", "--can", "join"], "at most 100 characters"),
        (["revoke", "0123456789"], "There is no key with the prefix 0123456789."),
    ],
)
def test_the_command_says_what_is_wrong_and_makes_nothing(arguments, complaint, db, capsys):
    with pytest.raises(CommandError) as refused:
        call_command("apikey", *arguments)
    assert complaint in str(refused.value)
    assert capsys.readouterr().out == ""
    assert not ApiKey.objects.exists()


def test_staff_see_what_is_open_without_a_key(admin_client, settings):
    settings.ANONYMOUS_ACCESS = frozenset(["call", "join"])
    assert "Without a key all clients may: join, call (" in admin_client.get(KEYS).content.decode()

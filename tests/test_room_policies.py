"""What staff set for a room holds whenever somebody asks for its credentials."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import jwt
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from access import codes
from access.models import ApiKey
from audit.models import Entry
from rooms import hours_text
from rooms.hours import as_column
from rooms.models import Room
from tests.html_forms import Form
from tests.server_process import Server

PATH = "/room/lobby"
# A session of another project: whoever gets in has it replaced, which is a call to OpenTok.
FOREIGN = "1_MX4xMjM0NTY3OH5-MTczOTUzODg5NDk1OX5ROW1jWEcxUXJOM1RJWXU4eStwcHgvZ3N-fn4"


def make(**policy):
    room = Room(name="lobby", session_id=FOREIGN)
    room.set_code(policy.pop("code", ""))
    for name, value in policy.items():
        setattr(room, name, value)
    room.full_clean()
    room.save()
    return room


def ago(**span):
    return timezone.now() - timedelta(**span)


def later(**span):
    return timezone.now() + timedelta(**span)


def bearer(*capabilities):
    key = ApiKey(name="a program", capabilities=list(capabilities))
    key.issue()
    return {"Authorization": f"Bearer {key.text}"}


def refusal(answer):
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("policy", "code", "words"),
    [
        ({"closed": True}, "room_closed", "closed"),
        ({"closed": True, "opens_at": later(days=1)}, "room_closed", "closed"),
        ({"opens_at": later(days=1)}, "room_not_open_yet", "opens on"),
        ({"closes_at": ago(seconds=1)}, "room_over", "closed on"),
        ({"code": "open sesame"}, "access_code_required", "?code="),
    ],
)
def test_who_is_kept_out_is_told_why_and_opentok_is_not_asked(server, opentok, policy, code, words):
    make(**policy)
    for headers in ({}, bearer("join")):
        answer = server.get(PATH, headers=headers)
        assert refusal(answer) == (403, code)
        assert words in answer.json()["error"]
    assert opentok.requests() == []
    assert Room.objects.get().session_id == FOREIGN
    # Whether it is there is no secret.
    assert server.request("HEAD", PATH).status_code == 200


def test_a_room_that_opens_later_says_when_and_for_how_long_to_wait(server):
    room = make(opens_at=later(hours=1))
    answer = server.get(PATH)
    assert 3500 < int(answer.headers["Retry-After"]) <= 3601
    assert f"{room.opens_at:%B %Y at %H:%M UTC}" in answer.json()["detail"]


@pytest.mark.parametrize(
    "policy", [{}, {"opens_at": ago(seconds=1)}, {"opens_at": ago(days=1), "closes_at": later(days=1)}]
)  # fmt: skip
def test_an_open_room_is_open(server, policy):
    make(**policy)
    assert server.get(PATH).status_code == 200


def test_no_token_outlives_its_room(server, opentok):
    for policy, seconds in [
        ({"token_lifetime": 600}, 600),
        ({"closes_at": later(days=3)}, 86_400),
        ({"closes_at": later(minutes=3)}, 180),
        ({"closes_at": later(minutes=3), "token_lifetime": 60}, 60),
    ]:
        room = make(**policy)
        claims = jwt.decode(server.get(PATH).json()["token"], opentok.secret, algorithms=["HS256"])
        assert seconds - 60 < claims["exp"] - claims["iat"] <= seconds
        assert room.closes_at is None or claims["exp"] <= room.closes_at.timestamp()
        room.delete()


def test_a_room_that_closes_while_opentok_is_asked_hands_out_nothing(server, opentok):
    make(closes_at=later(seconds=1.5))
    opentok.fault(path="/session/create", delay=2)
    assert refusal(server.get(PATH)) == (403, "room_over")


# Access codes


@pytest.mark.parametrize("code", ["1234", "open sesame", "Zu\u0308rich-会议", "%2F&?=#", "x" * 128])
def test_the_code_lets_in_as_query_and_through_the_redirect(server, code):
    make(code=code)
    query = f"?code={quote(code, safe='')}"
    assert server.get(PATH + query).status_code == 200
    Room.objects.update(name="session")
    redirect = server.get("/session" + query)
    assert server.get(redirect.headers["Location"]).status_code == 200


def test_the_code_lets_in_as_a_header_that_a_preflight_allows(server):
    make(code="1234")
    asked = {"Origin": "https://web.example", "Access-Control-Request-Headers": "x-access-code"}
    allowed = server.request("OPTIONS", PATH, headers=asked)
    assert "x-access-code" in allowed.headers["Access-Control-Allow-Headers"]
    assert server.get(PATH, headers={"X-Access-Code": "1234"}).status_code == 200


@pytest.mark.parametrize("code", ["1235", "12345", "x" * 5000, "%FF", "1234%20%31", "0"])
def test_a_wrong_code_is_refused(server, opentok, code):
    make(code="1234")
    assert refusal(server.get(f"{PATH}?code={code}")) == (403, "access_code_wrong")
    assert opentok.requests() == []


def test_a_code_is_compared_as_people_type_it(server):
    make(code="Zu\u0308rich")
    assert server.get(f"{PATH}?code=%20Z%C3%BCrich%20").status_code == 200
    assert server.get(f"{PATH}?code=z%C3%BCrich").status_code == 403
    assert server.get(f"{PATH}?code=%00").status_code == 400


@pytest.mark.parametrize("typed", ["\u0958" * 128, "\u0915\u093c" * 128])
def test_a_code_that_composing_makes_longer_lets_in(server, typed):
    make(code="\u0958" * 128)  # which NFC takes apart
    assert server.get(f"{PATH}?code={quote(typed)}").status_code == 200


def test_a_changed_code_counts_at_once(server):
    room = make(code="1234")
    assert server.get(f"{PATH}?code=1234").status_code == 200
    room.set_code("5678")
    room.save(update_fields=["access_code"])
    assert server.get(f"{PATH}?code=1234").status_code == 403
    assert server.get(f"{PATH}?code=5678").status_code == 200


def test_whoever_may_set_the_code_is_not_asked_for_it_but_for_nothing_more(server):
    room = make(code="1234")
    manager = bearer("join", "manage")
    assert server.get(PATH, headers=manager).status_code == 200
    room.closed = True
    room.save(update_fields=["closed"])
    assert refusal(server.get(PATH, headers=manager)) == (403, "room_closed")


def test_a_code_is_in_no_log_and_no_column(opentok, transactional_db):
    make(code="hunter2-1815")
    with Server(OPENTOK_API_URL=opentok.url) as server:
        opentok.fault(status=500, times=1)
        assert server.get(f"{PATH}?code=hunter2-1815").status_code == 502
        assert server.get(PATH, headers={"X-Access-Code": "hunter2-1815"}).status_code == 200
        assert server.get(f"{PATH}?code=hunter2-1816").status_code == 403
        written = server.stop()
    assert "hunter2" not in written + str(Room.objects.values())


def test_a_class_that_comes_at_once_does_not_wait_for_a_slow_hash_each():
    stored = codes.hashed("1234")
    before = time.process_time()
    assert not codes.matches("1235", stored)
    once = time.process_time() - before
    with ThreadPoolExecutor(30) as everybody:
        assert all(everybody.map(lambda _: codes.matches("1234", stored), range(400)))
    assert time.process_time() - before < 100 * once


# Staff


def form(**fields):
    empty = dict.fromkeys(
        ["opens_at_0", "opens_at_1", "closes_at_0", "closes_at_1", "new_code", "token_role",
         "token_lifetime"], ""
    )  # fmt: skip
    inlines = {
        "past_sessions-TOTAL_FORMS": 0, "past_sessions-INITIAL_FORMS": 0,
        "archives-TOTAL_FORMS": 0, "archives-INITIAL_FORMS": 0,
    }  # fmt: skip
    return empty | inlines | {"_save": "Save"} | fields


@pytest.mark.parametrize(
    ("written", "seconds", "shown"),
    [
        ("90 min", 5400, "1 h 30 min"), ("1:30", 5400, "1 h 30 min"), (" 2h ", 7200, "2 h"),
        ("1 h 30 min", 5400, "1 h 30 min"), ("30 d", 2_592_000, "30 d"), ("", None, None),
        ("90s", 90, "1 min 30 s"),
    ],
)  # fmt: skip
def test_staff_write_a_tokens_lifetime_as_hours_and_minutes(admin_client, written, seconds, shown):
    page = f"/admin/rooms/room/{make(token_lifetime=600).pk}/change/"
    assert 'value="10 min"' in admin_client.get(page).content.decode()
    assert admin_client.post(page, form(token_lifetime=written)).status_code == 302
    assert Room.objects.get().token_lifetime == seconds
    assert shown is None or f'value="{shown}"' in admin_client.get(page).content.decode()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("600", "Write hours and minutes"), ("1 h h", "Write hours"), ("-1 h", "Write hours"),
        ("30 min 1 h", "Write hours"), ("0 h", "Between 1 min and 30 d."),
        ("31 d", "Between 1 min and 30 d."), ("99999999999999999999 h", "Between 1 min"),
    ],
)  # fmt: skip
def test_staff_are_told_how_a_tokens_lifetime_is_written(admin_client, written, sentence):
    page = f"/admin/rooms/room/{make(token_lifetime=600).pk}/change/"
    assert sentence in admin_client.post(page, form(token_lifetime=written)).content.decode()
    assert Room.objects.get().token_lifetime == 600


def test_a_page_that_is_older_than_another_change_does_not_undo_it(admin_client):
    day = timezone.now() + timedelta(days=1)
    room = make(code="1234", opens_at=day, token_lifetime=600, notes="Ask Ada.\nOr Bo.")
    page = f"/admin/rooms/room/{room.pk}/change/"
    shown = Form(admin_client.get(page).content.decode()).fields
    made = {"closed": True, "opens_at": None, "closes_at": day, "token_lifetime": 5400,
            "max_participants": 3, "token_role": "publisher", "notes": "Ask Bo.",
            "weekly_hours": as_column(hours_text.read("Mon 08:00-10:00", "Europe/Berlin"))}  # fmt: skip
    Room.objects.filter(pk=room.pk).update(**made)
    assert admin_client.post(page, shown | {"max_meeting_minutes": "45"}).status_code == 302
    room.refresh_from_db()
    assert {name: getattr(room, name) for name in made} == made
    assert room.max_meeting_minutes == 45
    (entry,) = Entry.objects.filter(what="room.changed")
    assert entry.details["after"] == {"max_meeting_minutes": 45}
    # What both have changed is as the last one says.
    sent = shown | {"notes": "Ask Cy.", "_save": "Save"}
    assert admin_client.post(page, sent).status_code == 302
    assert Room.objects.get().notes == "Ask Cy."


def test_a_refused_form_still_knows_what_the_page_has_shown(admin_client):
    room = make()
    page = f"/admin/rooms/room/{room.pk}/change/"
    wrong = Form(admin_client.get(page).content.decode()).fields | {"max_participants": "x"}
    Room.objects.filter(pk=room.pk).update(closed=True)
    again = admin_client.post(page, wrong)
    assert again.status_code == 200
    right = Form(again.content.decode()).fields | {"max_participants": "3"}
    assert admin_client.post(page, right).status_code == 302
    room.refresh_from_db()
    assert (room.closed, room.max_participants) == (True, 3)


def test_a_lifetime_that_stays_as_it_is_is_no_change(admin_client):
    room = make(token_lifetime=5400)
    page = f"/admin/rooms/room/{room.pk}/change/"
    admin_client.post(page, form(token_lifetime="1 h 30 min"))
    assert not Entry.objects.filter(what="room.changed").exists()


def test_staff_set_a_policy_and_take_it_back(admin_client, server):
    page = f"/admin/rooms/room/{make().pk}/change/"
    assert b"remove_code" not in admin_client.get(page).content
    chosen = {
        "closes_at_0": "2999-12-31", "closes_at_1": "18:00:00", "token_lifetime": "10 min",
        "new_code": " open sesame ",
    }  # fmt: skip
    assert admin_client.post(page, form(**chosen)).status_code == 302
    assert refusal(server.get(PATH)) == (403, "access_code_required")
    assert server.get(f"{PATH}?code=open%20sesame").status_code == 200
    room = Room.objects.get()
    assert (room.closes_at.year, room.token_lifetime) == (2999, 600)
    shown = admin_client.get(page).content.decode()
    assert "open</span> with a code" in shown
    assert "sesame" not in shown + str(LogEntry.objects.values())
    assert room.access_code not in shown
    # Saved again with nothing in its field, the code stays.
    admin_client.post(page, form(closed="on"))
    assert Room.objects.get().access_code == room.access_code
    assert refusal(server.get(f"{PATH}?code=open%20sesame")) == (403, "room_closed")
    admin_client.post(page, form(remove_code="on"))
    assert server.get(PATH).status_code == 200
    messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert "New access code" in messages[0]
    assert "closed" in messages[1].lower()


def test_staff_set_the_limits_of_a_room_and_take_them_back(admin_client, opentok):
    page = f"/admin/rooms/room/{make().pk}/change/"
    for sent, limits in [(("5", "60"), (5, 60)), (("", ""), (None, None))]:
        fields = dict(zip(("max_participants", "max_meeting_minutes"), sent, strict=True))
        assert admin_client.post(page, form(**fields)).status_code == 302
        room = Room.objects.get()
        assert (room.max_participants, room.max_meeting_minutes) == limits


def test_staff_are_shown_a_new_code_each_time_that_nobody_guesses(admin_client, opentok):
    page = f"/admin/rooms/room/{make().pk}/change/"
    made_up = [
        re.search(r"such as (\d{8}),", admin_client.get(page).content.decode())[1] for _ in range(5)
    ]
    assert len(set(made_up)) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens_at_0": "2030-01-02", "opens_at_1": "00:00", "closes_at_0": "2030-01-01",
         "closes_at_1": "00:00"},
        {"token_lifetime": "59"}, {"token_lifetime": "2592001"}, {"token_lifetime": "x"},
        {"max_participants": "0"}, {"max_participants": "15001"}, {"max_meeting_minutes": "10081"},
        {"new_code": "x" * 129}, {"new_code": "\0"}, {"closes_at_0": "tomorrow"},
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_not_saved(admin_client, wrong):
    page = f"/admin/rooms/room/{make().pk}/change/"
    answer = admin_client.post(page, form(**wrong))
    assert answer.status_code == 200
    assert b"errorlist" in answer.content
    assert not Room.objects.exclude(closes_at=None, access_code="", token_lifetime=None).exists()


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        ({}, "open"), ({"closed": True}, "closed"), ({"opens_at": later(days=1)}, "not open yet"),
        ({"closes_at": ago(days=1), "code": "1"}, "over"),
    ],
)  # fmt: skip
def test_the_list_of_rooms_shows_who_gets_in(admin_client, policy, state):
    make(**policy)
    assert f">{state}</span>" in admin_client.get("/admin/rooms/room/").content.decode()


def test_staff_who_may_only_look_can_look(client, transactional_db):
    room = make(code="1234")
    user = User.objects.create_user("eve", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_room"))
    client.force_login(user)
    page = client.get(f"/admin/rooms/room/{room.pk}/change/").content.decode()
    assert "open</span> with a code" in page


# The database


def test_a_server_that_knows_no_policies_yet_goes_on_making_rooms(server):
    columns = ["name", "session_id", "e2ee", "token_role", "created_at", "last_used_at"]
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO rooms_room ({', '.join(columns)}) VALUES (%s, %s, %s, %s, %s, %s)",
            ["lobby", "1_old", False, "", now, now],
        )
    assert server.get(PATH).json()["sessionId"] == "1_old"


def test_the_policies_can_be_taken_out_of_the_database_and_put_back(transactional_db):
    make()
    try:
        call_command("migrate", "rooms", "0001", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert Room.objects.get().name == "lobby"

"""Rooms that are open at some hours of the week, wherever the clocks of their zone stand."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.utils import timezone

from rooms import hours_text
from rooms.hours import DAYS, Hours, as_column, from_column
from rooms.models import Room
from tests.test_room_owners import FORM
from tests.test_room_policies import refusal

BERLIN = {"timeZone": "Europe/Berlin", "week": {"mon": ["08:00-10:00"]}, "dates": {}}
ALWAYS = {day: ["00:00-24:00"] for day in DAYS}
ROOMS = "/admin/rooms/room/"


def hours(**fields):
    return Hours.read(BERLIN | fields)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def today(*spans, day=None):
    """Only on this date, which is today in UTC."""
    named = (day or timezone.now().date()).isoformat()
    return {"timeZone": "UTC", "week": {}, "dates": {named: list(spans)}}


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        # Monday, 2 March 2026, in winter; clocks are set forward on 29 March and back on 25 October.
        ("2026-03-02 06:59:59", "2026-03-02 07:00"),
        ("2026-03-02 07:00", "2026-03-02 07:00"),
        ("2026-03-02 08:59:59", "2026-03-02 08:59:59"),
        ("2026-03-02 08:59:59.5", "2026-03-09 07:00"),
        ("2026-03-02 09:00", "2026-03-09 07:00"),
        ("2026-03-23 09:00", "2026-03-30 06:00"),
        ("2026-10-19 09:00", "2026-10-26 07:00"),
    ],
)
def test_a_room_opens_at_the_time_of_its_zone_in_summer_and_winter(moment, opening):
    assert hours().opening(utc(moment)) == utc(opening)


@pytest.mark.parametrize(
    ("span", "opens", "closes"),
    [
        # In the night of 29 March there is no 02:30, and in that of 25 October there are two.
        ("2026-03-29 01:00-02:30", "2026-03-29 00:00", "2026-03-29 01:30"),
        ("2026-03-29 02:00-02:30", "2026-03-29 01:00", "2026-03-29 01:30"),
        ("2026-03-29 03:00-04:00", "2026-03-29 01:00", "2026-03-29 02:00"),
        ("2026-10-25 02:00-03:00", "2026-10-25 00:00", "2026-10-25 02:00"),
        ("2026-10-25 01:00-02:30", "2026-10-24 23:00", "2026-10-25 01:30"),
        ("2026-10-25 00:00-24:00", "2026-10-24 22:00", "2026-10-25 23:00"),
    ],
)
def test_an_hour_is_skipped_or_twice_as_long_when_clocks_change(span, opens, closes):
    day, times = span.split()
    of_day = hours(week={}, dates={day: [times]})
    opening = of_day.opening(utc("2026-03-01" if "-03-" in day else "2026-10-01"))
    assert (opening, of_day.closing(opening)) == (utc(opens), utc(closes))


def test_a_date_has_its_own_hours_in_place_of_its_day():
    holidays = hours(dates={"2026-03-02": [], "2026-03-04": ["12:00-13:00"]})
    assert holidays.opening(utc("2026-03-02 07:30")) == utc("2026-03-04 11:00")
    assert holidays.opening(utc("2026-03-04 12:00")) == utc("2026-03-09 07:00")


def test_hours_that_touch_are_one_opening():
    night = hours(week={"mon": ["22:00-24:00"], "tue": ["00:00-02:00", "02:00-03:00"]})
    assert night.closing(utc("2026-03-02 21:30")) == utc("2026-03-03 02:00")
    week = hours(week=ALWAYS)
    assert week.opening(utc("2026-03-02")) == utc("2026-03-02")
    assert week.closing(utc("2026-03-02")) > utc("2026-04-01")


def test_what_is_more_than_a_year_away_or_after_all_calendars_is_never():
    assert hours(week={}, dates={"2026-03-02": ["08:00-09:00"]}).opening(utc("2026-03-03")) is None
    assert hours().opening(utc("9999-12-31 12:00")) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "Name timeZone"),
        ({"week": {"mon": ["08:00-10:00"]}}, "Name timeZone"),
        (BERLIN | {"more": 1}, "Name timeZone"),
        (BERLIN | {"timeZone": 1}, "timeZone"),
        (BERLIN | {"timeZone": "Europe/Nowhere"}, "no time zone"),
        (BERLIN | {"timeZone": "../../etc/passwd"}, "no time zone"),
        (BERLIN | {"timeZone": "Europe"}, "no time zone"),
        (BERLIN | {"timeZone": "\0"}, "no time zone"),
        (BERLIN | {"timeZone": ""}, "no time zone"),
        (BERLIN | {"timeZone": "\ud800"}, "no time zone"),
        (BERLIN | {"timeZone": "x" * 5000}, "no time zone"),
        (BERLIN | {"week": []}, "week"),
        (BERLIN | {"week": {"monday": []}}, "week"),
        (BERLIN | {"week": {"mon": None}}, "mon"),
        (BERLIN | {"week": {"mon": "08:00-10:00"}}, "mon"),
        (BERLIN | {"week": {"mon": [8]}}, "mon"),
        (BERLIN | {"week": {"mon": ["8:00-10:00"]}}, "mon"),
        (BERLIN | {"week": {"mon": ["٠٨:00-10:00"]}}, "mon"),
        (BERLIN | {"week": {"mon": ["22:00-02:00"]}}, "ends before it begins"),
        (BERLIN | {"week": {"mon": ["08:00-10:00", "09:00-11:00"]}}, "begins before"),
        (BERLIN | {"week": {"mon": ["08:00-08:01"] * 11}}, "at most 10"),
        (BERLIN | {"week": {}}, "never open"),
        (BERLIN | {"week": {"mon": []}}, "never open"),
        (BERLIN | {"dates": []}, "dates"),
        (BERLIN | {"dates": {"2026-02-30": []}}, "no date"),
        (BERLIN | {"dates": {"20260228": []}}, "no date"),
        (BERLIN | {"dates": {f"{year}-01-01": [] for year in range(2000, 2101)}}, "100"),
    ],
    ids=repr,
)
def test_what_makes_no_hours_is_refused_with_a_reason(value, words):
    with pytest.raises(ValueError, match=words):
        Hours.read(value)


def test_hours_are_read_from_the_lines_that_people_write():
    read = hours_text.read("mon-Wed, fri  08:00-10:00, 13:00 - 17:00\nSat–Sun 10:00-12:00\n\n"
                           "2026-12-24 closed\n2026-12-31 08:00-24:00", "Europe/Berlin")  # fmt: skip
    assert str(read) == (
        "Mon-Wed 08:00-10:00, 13:00-17:00\nFri 08:00-10:00, 13:00-17:00\nSat-Sun 10:00-12:00\n"
        "2026-12-24 closed\n2026-12-31 08:00-24:00"
    )
    assert hours_text.read(str(read), "Europe/Berlin") == read
    assert from_column(as_column(read)) == read
    assert hours_text.read(" \n", "UTC") is None
    assert str(hours_text.read("Sun-Mon 08:00-09:00", "UTC")) == "Mon 08:00-09:00\nSun 08:00-09:00"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("from eight to ten", "no line"),
        ("Monday 08:00-10:00", "no day"),
        ("Mon 08-10", "no time"),
        ("Mon-Tue-Wed 08:00-10:00", "no range"),
        ("Mon 08:00-10:00\nMon-Fri 09:00-10:00", "two lines"),
        ("2026-12-24 closed\n2026-12-24 closed", "two lines"),
        ("24.12.2026 closed", "no line"),
        ("Mon closed", "never open"),
        ("Mon " + "a-" * 5000, "no line"),
    ],
    ids=str,
)
def test_a_line_that_cannot_be_read_is_named(line, words):
    with pytest.raises(ValueError, match=words):
        hours_text.read(line, "UTC")


def test_visitors_come_within_the_hours_and_are_told_of_the_next(program, server, opentok):
    """The quick way as well as Django's: an answer that was kept would let them in for a second."""
    assert server.get("/room/lobby").status_code == 200
    now = timezone.now()
    tomorrow = (now + timedelta(days=1)).date()
    program.patch("rooms/lobby", weeklyHours=today("08:00-10:00", day=tomorrow))
    opens = f"{tomorrow}T08:00:00Z"
    for headers in {}, {"X-Access-Code": "x"}:
        answer = server.get("/room/lobby", headers=headers)
        assert refusal(answer) == (403, "room_not_open_yet")
        assert answer.json()["opensAt"] == opens
        wait = (datetime.fromisoformat(opens) - now).total_seconds()
        assert abs(int(answer.headers["Retry-After"]) - wait) < 60
        assert "at 08:00 UTC" in answer.json()["error"]
    program.patch("rooms/lobby", weeklyHours=None)
    assert server.get("/room/lobby").status_code == 200


def test_an_open_room_is_asked_for_at_each_visit(program, server, opentok):
    program.post("rooms", name="lobby", weeklyHours={"timeZone": "UTC", "week": ALWAYS})
    assert server.get("/room/lobby").status_code == 200
    # Past Django and all that tells other processes: what was kept would go on letting people in.
    far = {"timeZone": "UTC", "week": {}, "dates": {"2020-01-01": ["08:00-10:00"]}}
    super(type(Room.objects.all()), Room.objects.all()).update(
        weekly_hours=as_column(Hours.read(far))
    )
    assert refusal(server.get("/room/lobby")) == (403, "room_closed")


def test_no_token_is_good_for_longer_than_the_room_is_open(program, server, opentok):
    now = timezone.now()
    ends = min(now + timedelta(hours=2), now.replace(hour=23, minute=59)).replace(second=0)
    span = f"00:00-{ends:%H:%M}" if ends - now > timedelta(minutes=1) else "00:00-24:00"
    program.post("rooms", name="lobby", weeklyHours=today(span))
    token = server.get("/room/lobby").json()["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] <= ends.timestamp() + 60


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"closes_at": timedelta(hours=-1)}, "room_over"),
        # It ends before it would open again.
        ({"closes_at": timedelta(hours=1)}, "room_closed"),
        ({"closes_at": timedelta(days=9)}, "room_not_open_yet"),
        ({"opens_at": timedelta(hours=1)}, "room_not_open_yet"),
        ({"closed": True}, "room_closed"),
    ],
)
def test_hours_and_the_other_policies_hold_together(policy, code):
    now = utc("2026-03-02 09:30")
    fields = {
        name: now + held if isinstance(held, timedelta) else held for name, held in policy.items()
    }
    room = Room(name="lobby", weekly_hours=as_column(hours()), **fields)
    shut = room.shut(now=now)
    assert shut.code == code
    if code == "room_not_open_yet":
        assert "9 March 2026 at 08:00 CET" in str(shut.detail)
    assert room.is_restricted


def test_programs_set_and_read_hours(program):
    made = program.post("rooms", name="lobby", weeklyHours=BERLIN).json()
    assert made["weeklyHours"] == BERLIN
    assert program.get("rooms").json()["items"][0]["weeklyHours"] == BERLIN
    for wrong in BERLIN | {"timeZone": "Nowhere"}, "always", [], {}:
        answer = program.patch("rooms/lobby", weeklyHours=wrong)
        assert refusal(answer) == (400, "invalid")
        assert answer.json()["detail"].startswith("weeklyHours: ")
    assert program.patch("rooms/lobby", weeklyHours=None).json()["weeklyHours"] is None


@pytest.mark.django_db
def test_staff_set_hours_without_json(admin_client):
    room = Room.objects.create(name="lobby", session_id="1_x")
    page = f"{ROOMS}{room.pk}/change/"
    sent = {"hours": "Mon 08:00-10:00\n2026-12-24 closed", "hours_zone": "Europe/Berlin"}
    assert admin_client.post(page, FORM | sent).status_code == 302
    room.refresh_from_db()
    assert room.hours == hours(dates={"2026-12-24": []})
    shown = admin_client.get(page).content.decode()
    assert "Mon 08:00-10:00\n2026-12-24 closed</textarea>" in shown
    assert '<option value="Europe/Berlin" selected>' in shown
    wrong = admin_client.post(page, FORM | sent | {"hours": "Mon 8-10"})
    assert "is no time such as 08:00-10:00" in wrong.content.decode()
    assert admin_client.post(page, FORM | {"hours_zone": "UTC"}).status_code == 302
    room.refresh_from_db()
    assert room.weekly_hours == ""

"""The admin's times are in everybody's time zone or in one's own; the API's stay in UTC."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from archives.models import Archive
from config import environment
from rooms.models import Room
from staff.models import TimeZone
from tests.test_room_owners import FORM
from web import zones

ROOMS, PAGE = "/admin/rooms/room/", "/admin/auth/user/time-zone/"
ARCHIVES = "/admin/archives/archive/"


@pytest.fixture
def room(db):
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    return Room.objects.create(name="lobby", session_id="1_x", last_used_at=moment)


def text(client, path):
    return client.get(path).content.decode()


def test_each_page_says_in_which_zone_its_times_are(admin_client, room, settings):
    assert f'<a href="{PAGE}">Times in UTC</a>' in text(admin_client, ROOMS)
    settings.LOCAL_TIME_ZONE = ZoneInfo("Europe/Berlin")
    assert "Times in Europe/Berlin" in text(admin_client, "/admin/")
    assert ">2026-07-02 00:30<" in text(admin_client, ROOMS)


def test_people_choose_their_own(admin_client, room):
    assert admin_client.post(PAGE, {"name": "Asia/Tokyo"}).headers["Location"] == "/admin/"
    assert "Times are in Asia/Tokyo for you now." in text(admin_client, "/admin/")
    assert ">2026-07-02 07:30<" in text(admin_client, ROOMS)
    assert '<option value="Asia/Tokyo" selected>' in text(admin_client, PAGE)
    other = Client()
    other.force_login(User.objects.create_superuser("other"))
    assert ">2026-07-01 22:30<" in text(other, ROOMS)
    admin_client.post(PAGE, {"name": ""})
    assert ">2026-07-01 22:30<" in text(admin_client, ROOMS)


@pytest.mark.parametrize("name", ["Nowhere", "../../etc/passwd", "\0", "x" * 5000])
def test_a_made_up_zone_is_refused(admin_client, name):
    assert admin_client.post(PAGE, {"name": name}).status_code == 200
    assert not TimeZone.objects.exists()


def test_the_page_that_asks_about_recordings_has_the_times_of_the_list(admin_client, room):
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    row = Archive.objects.create(pk=uuid4(), session_id="1_x", created_at=moment, status="started")
    admin_client.post(PAGE, {"name": "Asia/Tokyo"})
    asked = {"action": "stop_selected", "_selected_action": str(row.pk)}
    assert "2026-07-02 07:30" in admin_client.post(ARCHIVES, asked).content.decode()


def test_a_zone_that_the_machine_no_longer_has_is_everybodys(admin_client, admin_user):
    TimeZone.objects.create(user=admin_user, name="Europe/Atlantis")
    assert "Times in UTC" in text(admin_client, "/admin/")


def test_only_staff_have_the_page(client, db):
    assert client.get(PAGE).headers["Location"].startswith("/admin/login/")
    client.force_login(User.objects.create_user("visitor"))
    assert client.post(PAGE, {"name": "Asia/Tokyo"}).status_code == 302
    assert not TimeZone.objects.exists()
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    client.post(PAGE, {"name": "Asia/Tokyo"})
    assert TimeZone.objects.get().user == viewer


def test_times_are_entered_in_ones_own_zone(admin_client, room):
    admin_client.post(PAGE, {"name": "Asia/Tokyo"})
    sent = {"opens_at_0": "2026-07-01", "opens_at_1": "09:00"}
    admin_client.post(f"{ROOMS}{room.pk}/change/", FORM | sent)
    room.refresh_from_db()
    assert room.opens_at == datetime(2026, 7, 1, tzinfo=UTC)
    assert "Times are in Asia/Tokyo." in text(admin_client, f"{ROOMS}{room.pk}/change/")


def test_visitors_are_told_in_the_local_zone_and_programs_in_utc(client, room, settings):
    settings.LOCAL_TIME_ZONE = ZoneInfo("Europe/Berlin")
    Room.objects.update(opens_at=datetime(2099, 7, 1, 8, tzinfo=UTC))
    told = client.get("/room/lobby").json()
    assert "1 July 2099 at 10:00 CEST" in told["error"]
    assert told["opensAt"] == "2099-07-01T08:00:00Z"


def test_the_variable_is_checked_at_the_start(monkeypatch):
    monkeypatch.setenv("TIME_ZONE", "Europe/Berlin")
    assert environment.time_zone("TIME_ZONE", "UTC") == ZoneInfo("Europe/Berlin")
    for wrong in "Berlin", "Europe", "/etc/passwd", "CEST+2":
        monkeypatch.setenv("TIME_ZONE", wrong)
        with pytest.raises(ImproperlyConfigured, match=r"TIME_ZONE: .* is no time zone"):
            environment.time_zone("TIME_ZONE", "UTC")


def test_people_choose_from_places():
    offered = [name for name, _ in zones.choices()]
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(offered)
    assert not [name for name in offered if name.startswith(("Etc/", "posix/"))]

"""Filters, orders and what is said of a list where nothing was found."""

import html
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from archives.models import Archive
from rooms import search
from rooms.models import Room
from staff.large_tables import CappedPaginator
from tests.plans import forbid

pytestmark = pytest.mark.django_db

ROOMS, ARCHIVES = "/admin/rooms/room/", "/admin/archives/archive/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_room(name, **fields):
    return Room.objects.create(name=name, session_id=f"1_{uuid.uuid4().hex}", **fields)


def make_archive(**fields):
    return Archive.objects.create(
        **{"id": uuid.uuid4(), "session_id": "1_x", "status": "available"} | fields
    )


def listed(client, path, **query):
    answer = client.get(path, query)
    assert answer.status_code == 200
    return [str(row) for row in answer.context["cl"].result_list]


def text(client, path, **query):
    return html.unescape(client.get(path, query).content.decode())


@pytest.fixture
def days():
    """A room and a recording of each."""
    for day in range(1, 6):
        moment = NOON + timedelta(days=day - 1)
        make_room(f"{day}", last_used_at=moment)
        make_archive(name=f"{day}", created_at=moment)


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-03-02", "2026-03-04", ["4", "3", "2"]),
        ("2026-03-04", "", ["5", "4"]),
        ("", "2026-03-01", ["1"]),
        ("2026-03-03", "2026-03-03", ["3"]),
        ("", "", ["5", "4", "3", "2", "1"]),
    ],
)
def test_a_list_is_of_a_range_of_days(admin_client, days, since, until, found):
    for path, field in ((ROOMS, "last_used_at"), (ARCHIVES, "created_at")):
        chosen = {f"{field}-since": since, f"{field}-until": until}
        assert listed(admin_client, path, **chosen) == found


def test_the_list_of_rooms_has_closed_ones_or_open_ones(admin_client):
    make_room("shut", closed=True)
    make_room("hall")
    assert listed(admin_client, ROOMS, closed__exact="1") == ["shut"]
    assert listed(admin_client, ROOMS, closed__exact="0") == ["hall"]
    forbid("seqscan", "bitmapscan")
    assert "room_closed_last_used" in Room.objects.filter(closed=True)[:50].explain()


def test_days_are_those_of_the_admins_time_zone(admin_client):
    make_archive(name="late", created_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    day = {"created_at-since": "2026-03-02", "created_at-until": "2026-03-02"}
    assert listed(admin_client, ARCHIVES, **day) == []
    admin_client.post("/admin/auth/user/time-zone/", {"name": "Europe/Berlin"})
    assert listed(admin_client, ARCHIVES, **day) == ["late"]


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        ("2026-02-30", "", "created, from: Enter a valid date."),
        ("x", "2026-03-01", "created, from: Enter a valid date."),
        ("0001-01-01", "", "created, from: Ensure this value is greater than"),
        ("", "9999-12-31", "created, to: Ensure this value is less than"),
        ("2026-03-02", "2026-03-01", "created, to: This is before the first day."),
    ],
)
def test_nonsense_in_place_of_days_is_told_and_finds_nothing(
    admin_client, days, since, until, told
):
    chosen = {"created_at-since": since, "created_at-until": until, "o": "4"}
    page = text(admin_client, ARCHIVES, **chosen)
    assert told in page
    assert "There is no recording, with the filters: created" in page


def test_filters_keep_the_search_and_the_search_keeps_the_filters(admin_client, days):
    page = text(admin_client, ROOMS, q="room", e2ee__exact="1", o="1", **{"owner-name": "admin"})
    forms = re.findall(r"<form[^>]*(?:changelist-search|filter-form).*?</form>", page, re.DOTALL)
    assert len(forms) == 3
    for form, own in zip(forms, ({"q"}, set(), {"owner-name"}), strict=True):
        held = set(re.findall(r'type="hidden" name="([^"]+)"', form))
        assert held == {"q", "e2ee__exact", "o", "owner-name"} - own
    assert "?e2ee__exact=1&last_used_at=today&o=1&owner-name=admin&q=room" in page


def test_pages_keep_the_search_and_the_filters(admin_client):
    for number in range(60):
        make_room(f"room {number}")
    page = text(admin_client, ROOMS, q="room", **{"last_used_at-since": "2026-01-01"})
    assert '"?last_used_at-since=2026-01-01&p=2&q=room"' in page


def test_where_nothing_is_found_the_page_says_what_was_searched_and_drops_filters(admin_client):
    make_archive(name="concert")
    query = {"q": "conc<b>", "status__exact": "failed", "created_at": "today"}
    page = admin_client.get(ARCHIVES, query).content.decode()
    assert "No recording has “<bdi>conc&lt;b&gt;</bdi>” in its name or its room&#x27;s" in page
    assert "with the filters: created today; status failed." in html.unescape(page)
    link = re.search(r'<a href="([^"]+)">Search all, without the filters</a>', page)[1]
    assert link == "?q=conc%3Cb%3E"
    assert "No recording has" not in text(admin_client, ARCHIVES, q="conc")
    assert "filters" not in text(admin_client, ARCHIVES, q="zzz").split("nothing-found")[1]


def test_rooms_are_listed_by_owner(admin_client, admin_user):
    make_room("mine", owner=admin_user)
    make_room("hers", owner=User.objects.create_user("ada"))
    make_room("nobody's")
    assert listed(admin_client, ROOMS, owner="me") == ["mine"]
    assert listed(admin_client, ROOMS, owner="nobody") == ["nobody's"]
    assert listed(admin_client, ROOMS, **{"owner-name": "ada"}) == ["hers"]
    assert "There is no user of this name." in text(admin_client, ROOMS, **{"owner-name": "x"})


@pytest.mark.parametrize("most", [5000, 0], ids=["few", "many"])
def test_recordings_are_listed_by_the_owner_of_their_room(
    admin_client, admin_user, monkeypatch, most
):
    monkeypatch.setattr(search, "MOST", most)
    ada = User.objects.create_user("ada")
    for name, owner in [("mine", admin_user), ("hers", ada), ("nobody's", None)]:
        make_archive(name=name, room=make_room(name, owner=owner))
    make_archive(name="of a deleted room")
    assert listed(admin_client, ARCHIVES, owner="me") == ["mine"]
    assert listed(admin_client, ARCHIVES, owner="nobody") == ["nobody's"]
    assert listed(admin_client, ARCHIVES, **{"owner-name": "ada"}) == ["hers"]
    assert listed(admin_client, ARCHIVES, owner="me", q="hers") == []


def test_staff_with_own_rooms_only_are_offered_no_owners_and_told_no_foreign_name():
    user = User.objects.create_user("ada", is_staff=True)
    named = ["view_room", "view_archive", "only_own_rooms"]
    user.user_permissions.set(Permission.objects.filter(codename__in=named))
    client = Client()
    client.force_login(user)
    foreign = make_room("secret")
    make_archive(room=foreign, room_name=foreign.name)
    assert "By owner" not in text(client, ROOMS)
    assert "secret" not in text(client, ARCHIVES, room=foreign.pk)


def test_a_rooms_page_links_to_all_of_its_recordings(admin_client):
    room, other = make_room("lobby"), make_room("other")
    make_archive(name="own", room=room)
    make_archive(name="foreign", room=other)
    link = f"{ARCHIVES}?room={room.pk}"
    assert f'href="{link}"' in text(admin_client, f"{ROOMS}{room.pk}/change/")
    assert listed(admin_client, link) == ["own"]
    page = text(admin_client, ARCHIVES, room=room.pk, q="foreign")
    assert "with the filters: room lobby." in page


def test_more_than_are_counted_are_not_sorted_and_the_page_says_so(admin_client, monkeypatch):
    monkeypatch.setattr(CappedPaginator, "most", 3)
    for day in range(4):
        make_archive(name=f"{day}", size=day, created_at=NOON - timedelta(days=day))
    too_many = "More than 3 recordings were found, which is too many to sort."
    query = {"status__exact": "available", "o": "-5"}
    assert listed(admin_client, ARCHIVES, o="-5") == ["3", "2", "1", "0"]
    assert listed(admin_client, ARCHIVES, **query) == ["0", "1", "2", "3"]
    assert too_many in text(admin_client, ARCHIVES, **query)
    Archive.objects.filter(size=0).update(status="failed")
    assert listed(admin_client, ARCHIVES, **query) == ["3", "2", "1"]
    assert too_many not in text(admin_client, ARCHIVES, **query)


def test_recordings_are_sorted_by_length_and_size(admin_client):
    for name, seconds, size in (("a", 3, 20), ("b", 1, 30), ("c", 2, 10)):
        make_archive(name=name, duration=seconds, size=size, created_at=timezone.now())
    for order, found in {"4": "bca", "-4": "acb", "5": "cab", "-5": "bac"}.items():
        assert "".join(listed(admin_client, ARCHIVES, o=order)) == found


def test_where_no_user_is_found_the_page_says_so_as_well(admin_client):
    page = text(admin_client, "/admin/auth/user/", q="zzz")
    assert "No user has “<bdi>zzz</bdi>” in what is searched." in " ".join(page.split())


def test_a_list_with_rows_has_a_link_to_them_and_its_script(admin_client):
    skip = '<a href="#rows" class="skip-to-content-link">'
    assert skip not in admin_client.get("/admin/rooms/room/").content.decode()
    Room.objects.create(name="standup", session_id="1_a")
    for path in "rooms/room", "auth/user":
        text = admin_client.get(f"/admin/{path}/").content.decode()
        assert skip in text
        assert "lists.js" in text


@pytest.mark.parametrize(
    "path", ["rooms/room/{room}/change", "access/apikey/add", "auth/user/{user}/change"]
)
def test_both_parts_of_a_time_have_labels(admin_client, admin_user, path):
    room = Room.objects.create(name="standup", session_id="1_a")
    text = admin_client.get(f"/admin/{path.format(room=room.pk, user=admin_user.pk)}/").content
    inputs = re.findall('<input type="text"[^>]*class="v(?:Date|Time)Field"[^>]*>', text.decode())
    assert inputs
    assert all("aria-label=" in field for field in inputs)


def test_permissions_are_chosen_in_a_field_that_screen_readers_name(admin_client, admin_user):
    for path in f"user/{admin_user.pk}/change", "group/add":
        text = admin_client.get(f"/admin/auth/{path}/").content.decode()
        assert "selectfilter" not in text

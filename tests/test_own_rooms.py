"""Staff who work with their own rooms only: nothing else is there for them."""

import uuid
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from archives.models import Archive
from audit.models import Entry
from live.models import Activity
from meetings.models import Meeting
from rooms import search
from rooms.closed_names import ClosedName
from rooms.models import PastSession, Room
from rooms.own_rooms import OwnRoomsOnly
from tests.test_room_owners import FORM

pytestmark = pytest.mark.django_db

ROOMS, ARCHIVES = "/admin/rooms/room/", "/admin/archives/archive/"
ACTIVITIES, NAMES = "/admin/live/activity/", "/admin/rooms/closedname/"
ACTS = ["invite_moderator", "invite_guest", "revoke_invitations", "start_recording", "mute_all",
        "stop_everything", "close_room"]  # fmt: skip


@pytest.fixture
def teacher():
    """Somebody who may do everything with rooms, but with own rooms only."""
    user = User.objects.create_user("teacher", is_staff=True)
    apps = ["rooms", "archives", "live", "meetings"]
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=apps))
    return user


@pytest.fixture
def browser(teacher):
    client = Client()
    client.force_login(teacher)
    return client


def make(name, owner=None):
    """A room with a recording and a broadcast."""
    room = Room.objects.create(name=name, session_id=f"1_{name}", owner=owner)
    named = {"room": room, "room_name": name, "session_id": room.session_id}
    archive = Archive.objects.create(id=uuid.uuid4(), status="available", **named)
    activity = Activity.objects.create(
        id=uuid.uuid4(), kind="broadcast", status="started", ends_at=room.created_at, **named
    )
    return room, archive, activity


@pytest.fixture(params=[5000, 0], ids=["few", "many"])
def own_rooms_are(request, monkeypatch):
    """Few, or more than what counts as few: they are found in another way then."""
    monkeypatch.setattr(search, "MOST", request.param)


def listed(browser, path, **query):
    return {row.pk for row in browser.get(path, query).context["cl"].result_list}


@pytest.mark.parametrize("query", [{}, {"q": "lesson"}, {"q": "1_lesson"}, {"o": "1"}], ids=str)
@pytest.mark.usefixtures("own_rooms_are")
def test_lists_have_own_rooms_and_what_belongs_to_them(browser, teacher, query):
    own, _ = make("lesson 1", teacher), make("lesson 2", User.objects.create_user("other"))
    make("lesson 3")
    for path, row in zip((ROOMS, ARCHIVES, ACTIVITIES), own, strict=True):
        assert listed(browser, path, **query) <= {row.pk}, path
        assert listed(browser, path) == {row.pk}, path


@pytest.mark.usefixtures("own_rooms_are")
def test_rooms_whose_names_begin_as_set_for_a_person_are_own_ones(browser, teacher, admin_client):
    page = f"/admin/auth/user/{teacher.pk}/change/"
    rows = {"_prefix_set-TOTAL_FORMS": 2, "_prefix_set-INITIAL_FORMS": 0}
    inline = next(iter(admin_client.get(page).context["inline_admin_formsets"])).formset.prefix
    sent = {name.replace("_prefix_set", inline): value for name, value in rows.items()}
    sent |= {f"{inline}-0-prefix": "Zu\u0308rich", f"{inline}-1-prefix": "4b_"}
    user = {"username": "teacher", "is_staff": "on", "is_active": "on",
            "date_joined_0": "2026-01-01", "date_joined_1": "10:00",
            "user_permissions": [each.pk for each in teacher.user_permissions.all()]}  # fmt: skip
    assert admin_client.post(page, user | sent).status_code == 302
    own = [make("4b_maths"), make("4b_"), make("Z\u00fcrich"), make("lesson", teacher)]
    foreign = [make(name) for name in ("4bxmaths", "4B_maths", "4a_", "maths 4b_", "zürich")]
    for place, path in enumerate((ROOMS, ARCHIVES, ACTIVITIES)):
        assert listed(browser, path) == {each[place].pk for each in own}
    for room, archive, _ in own:
        assert browser.get(f"{ROOMS}{room.pk}/change/").status_code == 200
        assert browser.get(f"{ARCHIVES}{archive.pk}/change/").status_code == 200
    for room, archive, _ in foreign:
        assert browser.get(f"{ROOMS}{room.pk}/change/").status_code == 302
        assert browser.post(f"{ROOMS}{room.pk}/act/close_room/").status_code == 404
        assert browser.get(f"{ARCHIVES}{archive.pk}/watch/").status_code == 404
    assert listed(browser, ROOMS, q="4b_m") == {own[0][0].pk}


def test_a_beginning_keeps_the_space_at_its_end(browser, teacher, admin_client):
    page = f"/admin/auth/user/{teacher.pk}/change/"
    form = admin_client.get(page).context
    sent = {"username": "teacher", "is_staff": "on", "is_active": "on",
            "date_joined_0": "2026-01-01", "date_joined_1": "10:00",
            "user_permissions": [each.pk for each in teacher.user_permissions.all()]}  # fmt: skip
    inline = next(iter(form["inline_admin_formsets"])).formset.prefix
    sent |= {f"{inline}-TOTAL_FORMS": 1, f"{inline}-INITIAL_FORMS": 0}
    assert admin_client.post(page, sent | {f"{inline}-0-prefix": "class a "}).status_code == 302
    own, _ = make("class a 1"), make("class action")
    assert listed(browser, ROOMS) == {own[0].pk}


def test_staff_who_may_not_change_users_set_no_beginnings(browser, teacher):
    page = f"/admin/auth/user/{teacher.pk}/change/"
    assert browser.get(page).status_code == 403
    teacher.user_permissions.add(Permission.objects.get(codename="view_user"))
    shown = browser.get(page).content.decode()
    assert "eginnings of names of own rooms" in shown
    assert "-0-prefix" not in shown


@pytest.mark.usefixtures("own_rooms_are")
def test_a_search_by_session_finds_no_foreign_room(browser):
    foreign, archive, _ = make("lesson")
    for term in foreign.session_id, foreign.name, str(archive.pk):
        for path in ROOMS, ARCHIVES, ACTIVITIES:
            assert listed(browser, path, q=term) == set()
    assert listed(browser, ARCHIVES, room=foreign.pk) == set()


def test_closed_names_belong_to_nobody_and_are_not_offered(browser):
    name = ClosedName.objects.create(name="lesson")
    assert NAMES not in browser.get("/admin/").content.decode()
    assert listed(browser, NAMES) == set()
    browser.post(NAMES, {"action": "open_again", "_selected_action": [name.pk]})
    assert ClosedName.objects.exists()


def test_making_a_room_opens_no_closed_name(browser, opentok):
    ClosedName.objects.create(name="lesson")
    shown = browser.post(f"{ROOMS}add/", {"name": "lesson"}).content.decode()
    assert "This name was kept closed when its room was deleted. Choose another name" in shown
    assert ClosedName.objects.exists()
    assert not Room.objects.exists()
    assert opentok.requests() == []


def test_a_name_that_is_closed_while_opentok_is_asked_stays_closed(browser, monkeypatch):
    def create_session(**asked):
        ClosedName.objects.create(name="lesson")
        return "1_new"

    monkeypatch.setattr("video.sessions.create_session", create_session)
    assert "kept closed" in browser.post(f"{ROOMS}add/", {"name": "lesson"}).content.decode()
    assert ClosedName.objects.exists()
    assert not Room.objects.exists()


@pytest.mark.parametrize("may_open", [True, False])
def test_the_right_to_open_closed_names_decides_whether_a_new_room_does(
    may_open, browser, teacher, opentok
):
    lost = ["only_own_rooms"] if may_open else ["only_own_rooms", "delete_closedname"]
    teacher.user_permissions.remove(*Permission.objects.filter(codename__in=lost))
    ClosedName.objects.create(name="lesson")
    answer = browser.post(f"{ROOMS}add/", {"name": "lesson"})
    assert answer.status_code == (302 if may_open else 200)
    assert (Room.objects.exists(), ClosedName.objects.exists()) == (may_open, not may_open)


def test_pages_of_foreign_rows_are_as_if_there_were_none(browser, teacher):
    for path, row in zip((ROOMS, ARCHIVES, ACTIVITIES), make("lesson"), strict=True):
        for page in "change", "delete", "history":
            found = browser.get(f"{path}{row.pk}/{page}/")
            # Django's answer to an unknown id, or that this is not done with such rows at all.
            assert found.status_code in {302, 403}, (path, page)
            assert found.headers.get("Location") in {"/admin/", None}
    for path, row in zip((ROOMS, ARCHIVES, ACTIVITIES), make("own", teacher), strict=True):
        assert browser.get(f"{path}{row.pk}/change/").status_code == 200


@pytest.mark.usefixtures("own_rooms_are")
def test_foreign_rooms_are_neither_changed_nor_deleted(browser, teacher):
    foreign, own = make("lesson")[0], make("own", teacher)[0]
    browser.post(f"{ROOMS}{foreign.pk}/change/", FORM | {"closed": "on"})
    browser.post(f"{ROOMS}{foreign.pk}/delete/", {"post": "yes"})
    for action in "delete_selected", "new_session":
        chosen = {"action": action, "_selected_action": [foreign.pk, own.pk]}
        asked = browser.post(ROOMS, chosen).content.decode()
        assert ">lesson<" not in asked
    browser.post(ROOMS, chosen | {"action": "delete_selected", "post": "yes"})
    assert [room.closed for room in Room.objects.all()] == [False]
    assert Room.objects.get() == foreign


@pytest.mark.parametrize("name", ACTS)
def test_the_buttons_of_foreign_rooms_are_404(browser, name):
    room = make("lesson")[0]
    assert browser.post(f"{ROOMS}{room.pk}/act/{name}/").status_code == 404


def test_the_console_of_foreign_rooms_is_404(browser, teacher, opentok):
    room, archive, _ = make("lesson")
    for path in (
        f"{ROOMS}{room.pk}/people/",
        f"{ARCHIVES}{archive.pk}/watch/",
        f"{ARCHIVES}{archive.pk}/download/",
    ):
        assert browser.get(path).status_code == 404
    for what in "remove", "mute", "admit", "refuse":
        assert browser.post(f"{ROOMS}{room.pk}/people/{what}/{uuid.uuid4()}/").status_code == 404
    for name in "stop", "remove":
        assert browser.post(f"{ARCHIVES}{archive.pk}/act/{name}/").status_code == 404
    assert opentok.requests() == []
    own = make("own", teacher)[0]
    assert browser.get(f"{ROOMS}{own.pk}/people/").status_code == 200


def test_they_make_rooms_and_keep_them(browser, teacher, opentok):
    browser.post(f"{ROOMS}add/", {"name": "lesson"})
    room = Room.objects.get()
    page = browser.get(f"{ROOMS}{room.pk}/change/").content.decode()
    assert 'name="owner"' not in page
    browser.post(f"{ROOMS}{room.pk}/change/", FORM | {"owner": "", "notes": "ours"})
    room.refresh_from_db()
    assert (room.owner, room.notes) == (teacher, "ours")


def test_superusers_and_staff_without_the_permission_work_with_all_rooms(admin_client, teacher):
    room, archive, activity = make("lesson")
    teacher.user_permissions.remove(Permission.objects.get(codename="only_own_rooms"))
    browser = Client()
    browser.force_login(teacher)
    for client in admin_client, browser:
        for path, row in ((ROOMS, room), (ARCHIVES, archive), (ACTIVITIES, activity)):
            assert listed(client, path) == {row.pk}


def test_a_group_can_be_for_own_rooms_only(browser, teacher):
    make("lesson")
    permission = Permission.objects.get(codename="only_own_rooms")
    teacher.user_permissions.remove(permission)
    group = Group.objects.create(name="Teachers")
    group.permissions.add(permission)
    teacher.groups.add(group)
    assert listed(browser, ROOMS) == set()


def test_no_page_about_rooms_forgets_it():
    about_rooms = {"rooms", "archives", "live", "meetings"}
    for model, page in admin.site._registry.items():
        if model._meta.app_label in about_rooms:
            assert isinstance(page, OwnRoomsOnly), model
            shown_inline = [inline.fk_name for inline in page.inlines]
            assert shown_inline == [None] * len(page.inlines)  # rows of that room


@pytest.mark.usefixtures("own_rooms_are")
def test_meetings_entries_and_the_dashboard_tell_of_no_foreign_room(browser, teacher):
    teacher.user_permissions.add(Permission.objects.get(codename="view_entry"))
    make("lesson 1", teacher)
    make("lesson 2")
    own, foreign = [
        Meeting.objects.create(session_id=f"1_{name}", room_name=name, started_at=timezone.now())
        for name in ("lesson 1", "lesson 2")
    ]
    meetings, entries = "/admin/meetings/meeting/", "/admin/audit/entry/"
    assert listed(browser, meetings) == {own.pk}
    assert browser.get(f"{meetings}{own.pk}/attendance.csv").status_code == 200
    assert browser.get(f"{meetings}{foreign.pk}/attendance.csv").status_code == 404
    for name in ("lesson 1", "lesson 2"):
        Entry.objects.record("room.closed", Room.objects.get(name=name), room=name)
    assert {entry.room_name for entry in Entry.objects.filter(pk__in=listed(browser, entries))} == {
        "lesson 1"
    }
    assert "lesson 2" not in browser.get(f"{entries}csv/").content.decode()
    for path in ("", "dashboard/now/", "dashboard/use/"):
        assert "lesson 2" not in browser.get(f"/admin/{path}").content.decode()


@pytest.mark.usefixtures("own_rooms_are")
def test_the_dashboard_tells_of_what_happens_in_own_rooms(browser, teacher):
    now = timezone.now()
    for name, owner in (("lesson 1", teacher), ("lesson 2", None)):
        room, expiring, _ = make(name, owner)
        Meeting.objects.create(session_id=room.session_id, room_name=name, started_at=now)
        two_days_ago = now - timedelta(hours=60)
        Archive.objects.filter(pk=expiring.pk).update(
            created_at=two_days_ago, updated_at=two_days_ago
        )
        for status in ("started", "failed"):
            Archive.objects.create(id=uuid.uuid4(), room=room, room_name=name, status=status,
                                   session_id=room.session_id, updated_at=now)  # fmt: skip
    for path in ("", "dashboard/now/"):
        shown = browser.get(f"/admin/{path}").content.decode()
        assert shown.count(">lesson 1</a>") == 4
        assert "1 room, 0 people." in shown
        assert "lesson 2" not in shown
        assert "Calls to OpenTok" not in shown
    assert "Last 24 hours" not in browser.get("/admin/").content.decode()


def test_own_recordings_are_watched_in_the_admin_alone(browser, teacher, settings):
    settings.ANONYMOUS_ACCESS = set()
    _, archive, _ = make("lesson", teacher)
    assert browser.get(f"/archive/{archive.pk}/view").status_code == 401


@pytest.mark.usefixtures("own_rooms_are")
def test_a_name_used_again_shows_nothing_of_the_room_that_had_it(browser, teacher):
    teacher.user_permissions.add(Permission.objects.get(codename="view_entry"))
    old = make("board", User.objects.create_user("other"))[0]
    met = Meeting.objects.create(
        session_id=old.session_id, room_name="board", started_at=timezone.now()
    )
    Entry.objects.record("room.changed", old, notes="secret")
    Room.objects.remove([old])
    room = Room.objects.create(name="board", session_id="1_new", owner=teacher)
    Entry.objects.record("room.made", room)
    meetings, entries = "/admin/meetings/meeting/", "/admin/audit/entry/"
    assert listed(browser, meetings) == set()
    assert browser.get(f"{meetings}{met.pk}/change/").status_code == 302
    assert browser.get(f"{meetings}{met.pk}/attendance.csv").status_code == 404
    assert listed(browser, entries) == {Entry.objects.get(what="room.made").pk}
    assert "secret" not in browser.get(f"{entries}csv/").content.decode()


@pytest.mark.usefixtures("own_rooms_are")
def test_meetings_of_an_own_rooms_past_sessions_are_own_ones(browser, teacher):
    own, foreign = make("own", teacher)[0], make("foreign")[0]
    PastSession.objects.create(room=own, session_id="1_own_past")
    PastSession.objects.create(room=foreign, session_id="1_foreign_past")
    met = [
        Meeting.objects.create(session_id=session_id, started_at=timezone.now())
        for session_id in ("1_own", "1_own_past", "1_foreign", "1_foreign_past", "1_nobodys")
    ]
    assert listed(browser, "/admin/meetings/meeting/") == {meeting.pk for meeting in met[:2]}

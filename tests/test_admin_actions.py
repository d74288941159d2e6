"""What staff do with one row by the buttons on its page."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from archives.models import Archive
from audit.models import Entry
from rooms.guests import Guest
from rooms.hours import Hours, as_column
from rooms.models import Room
from web.errors import CODES

pytestmark = pytest.mark.django_db

ARCHIVES = "/admin/archives/archive/"
ROOMS = "/admin/rooms/room/"


@pytest.fixture
def room(opentok):
    return Room.objects.open("standup")


@pytest.fixture
def recording(room, opentok):
    """One that runs."""
    opentok.connect(room.session_id)
    return Archive.objects.get(pk=Archive.objects.start(room.session_id)["id"])


@pytest.fixture
def available(recording, opentok):
    Archive.objects.stop(str(recording.pk))
    opentok.advance(10)
    Archive.objects.fetch(str(recording.pk))
    recording.refresh_from_db()
    return recording


def staff(*permissions):
    """The browser of somebody who may do this and nothing else."""
    user = User.objects.create_user("mod", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def act(client, base, row, name, **data):
    return client.post(f"{base}{row.pk}/act/{name}/", data, follow=True)


def offered(client, base, row):
    page = client.get(f"{base}{row.pk}/change/")
    assert page.status_code == 200
    return set(re.findall(r"/act/(\w+)/", page.content.decode()))


def test_a_running_recording_is_stopped_on_its_page(admin_client, recording):
    assert offered(admin_client, ARCHIVES, recording) == {"share", "revoke_shares", "stop", "hold"}
    page = admin_client.get(f"{ARCHIVES}{recording.pk}/change/").content.decode()
    assert '<button type="submit">Stop recording</button>' in page
    told = act(admin_client, ARCHIVES, recording, "stop")
    assert "Stopped the recording." in told.content.decode()
    recording.refresh_from_db()
    assert recording.status == "stopped"
    assert LogEntry.objects.get().get_change_message() == "Stopped the recording."
    assert offered(admin_client, ARCHIVES, recording) == {"share", "revoke_shares", "hold"}


def test_an_available_recording_is_watched_by_a_fresh_link_each_time(
    admin_client, available, opentok
):
    page = admin_client.get(f"{ARCHIVES}{available.pk}/change/")
    watch = f"{ARCHIVES}{available.pk}/watch/"
    text = page.content.decode()
    assert f'<video class="recording" controls preload="none" src="{watch}"' in text
    assert "OpenTok keeps files for 72 hours" in text
    assert "media-src http: https:" in page.headers["Content-Security-Policy"]
    links = {admin_client.get(watch).headers["Location"] for _ in range(2)}
    assert len(links) == 2
    assert all(link.startswith(opentok.url) for link in links)


def test_staff_who_may_see_recordings_open_the_view_without_a_key(available, settings):
    settings.ANONYMOUS_ACCESS = []
    view = f"/archive/{available.pk}/view"
    assert Client().get(view).status_code == 401
    assert staff_without_rights().get(view).status_code == 401
    client = staff("view_archive")
    assert client.get(view).status_code == client.get(f"{view}/").status_code == 302
    # A key that came with the request is what counts.
    wrong = {"Authorization": "Bearer otr_wrong"}
    assert client.get(view, headers=wrong).status_code == 401
    User.objects.update(is_staff=False)
    assert client.get(view).status_code == 401


def test_a_session_of_the_admin_counts_nowhere_else(admin_client, available, settings):
    settings.ANONYMOUS_ACCESS = []
    for path in ("/archive", f"/archive/{available.pk}", "/room/standup", "/api/v1/rooms"):
        assert admin_client.get(path).status_code == 401
    for path in ("/archive/start", f"/archive/{available.pk}/stop"):
        assert admin_client.post(path).status_code == 401


def test_an_available_recordings_file_is_deleted_after_asking(admin_client, available):
    text = admin_client.get(f"{ARCHIVES}{available.pk}/change/").content.decode()
    assert "is gone for good then" in text
    act(admin_client, ARCHIVES, available, "remove")
    available.refresh_from_db()
    assert available.status == "deleted"
    again = act(admin_client, ARCHIVES, available, "remove")
    assert "The recording is deleted by now: it was left as it is." in again.content.decode()


def test_a_link_to_share_is_shown_once_and_revoked(admin_client, available, client):
    told = act(admin_client, ARCHIVES, available, "share").content.decode()
    link = re.search(r'<a href="http://testserver(/shared/[^"]+)"', told)[1]
    assert client.get(link).status_code == 302
    assert link not in admin_client.get(f"{ARCHIVES}{available.pk}/change/").content.decode()
    assert not any(link in entry.change_message for entry in LogEntry.objects.all())
    act(admin_client, ARCHIVES, available, "revoke_shares")
    assert client.get(link).status_code == 410
    said = {entry.get_change_message() for entry in LogEntry.objects.all()}
    assert "Revoked all links to the recording." in said


def test_what_opentok_refuses_is_told_and_changes_nothing(admin_client, recording, opentok):
    opentok.fault(status=500, path="/archive", times=5)
    told = act(admin_client, ARCHIVES, recording, "stop")
    assert "The video service" in told.content.decode()
    recording.refresh_from_db()
    assert recording.status == "started"
    assert not LogEntry.objects.exists()


def test_staff_are_offered_what_they_may_do_and_held_to_it(recording):
    client = staff("view_archive")
    assert offered(client, ARCHIVES, recording) == set()
    assert act(client, ARCHIVES, recording, "stop").status_code == 403
    outsider = Client()
    assert "/login/" in outsider.post(f"{ARCHIVES}{recording.pk}/act/stop/").headers["Location"]
    nobody = staff_without_rights()
    for path in (f"{recording.pk}/watch/", f"{recording.pk}/download/", f"{recording.pk}/change/"):
        assert nobody.get(ARCHIVES + path).status_code == 403
    assert act(nobody, ARCHIVES, recording, "stop").status_code == 403


def staff_without_rights():
    client = Client()
    client.force_login(User.objects.create_user("new", is_staff=True))
    return client


@pytest.mark.parametrize("path", ["x/act/stop/", "x/act/x/", f"{'0' * 32}/act/stop/"])
def test_a_made_up_address_of_an_action_is_a_404(admin_client, path):
    assert admin_client.post(ARCHIVES + path).status_code == 404
    assert admin_client.get(ARCHIVES + path).status_code == 404


def test_a_button_that_is_pressed_once_the_session_is_over_does_nothing_and_that_is_said(recording):
    client = staff("view_archive", "change_archive")
    client.session.flush()
    pressed = client.post(f"{ARCHIVES}{recording.pk}/act/stop/")
    wanted = parse_qs(urlsplit(pressed.headers["Location"]).query)["next"][0]
    client.force_login(User.objects.get())
    told = client.get(wanted, follow=True)
    assert told.redirect_chain == [(f"{ARCHIVES}{recording.pk}/change/", 302)]
    assert "“Stop recording” was not done, as you had been logged out." in told.content.decode()
    recording.refresh_from_db()
    assert recording.status == "started"
    assert client.get(f"{ARCHIVES}{recording.pk}/act/remove/").status_code == 403


def test_an_action_that_there_is_none_of_is_refused(admin_client, recording):
    for name in ("x", "delete_model", "get_urls"):
        assert act(admin_client, ARCHIVES, recording, name).status_code == 403


# Rooms


def test_a_room_is_made_with_a_session_and_its_page_shown(admin_client, opentok):
    told = admin_client.post(f"{ROOMS}add/", {"name": "Class 7b", "e2ee": "on"}, follow=True)
    room = Room.objects.get()
    assert (room.name, room.e2ee) == ("Class 7b", True)
    assert told.redirect_chain == [(f"{ROOMS}{room.pk}/change/", 302)]
    assert "Made the room “Class 7b”." in told.content.decode()
    assert LogEntry.objects.get().is_addition()


@pytest.mark.parametrize(
    ("name", "words"),
    [("standup", "A room with this name already exists"), (" ", "1 to 200 characters"),
     ("", "required"), ("x" * 201, "at most 200")],
)  # fmt: skip
def test_a_room_that_cannot_be_made_is_said_and_what_was_typed_stays(
    admin_client, room, name, words
):
    page = admin_client.post(f"{ROOMS}add/", {"name": name})
    assert page.status_code == 200
    assert words in page.content.decode()
    assert f'value="{name}"' in page.content.decode() or not name
    assert Room.objects.count() == 1


def test_a_room_is_made_only_by_staff_who_may(room):
    client = staff("view_room", "change_room")
    assert client.get(f"{ROOMS}add/").status_code == 403
    assert client.post(f"{ROOMS}add/", {"name": "x"}).status_code == 403


def test_links_of_both_kinds_are_made_and_revoked(admin_client, room, client):
    links = []
    for name in ("invite_moderator", "invite_guest"):
        text = act(admin_client, ROOMS, room, name).content.decode()
        links.append(re.search(r'<a href="http://testserver/join/standup#(invite_[^"]+)"', text)[1])
    headers = [{"Authorization": f"Bearer {link}"} for link in links]
    assert [client.get("/room/standup", headers=each).status_code for each in headers] == [200] * 2
    assert not any(links[0] in entry.change_message for entry in LogEntry.objects.all())
    act(admin_client, ROOMS, room, "revoke_invitations")
    assert [client.get("/room/standup", headers=each).status_code for each in headers] == [401] * 2


def test_a_recording_is_started_on_a_rooms_page(admin_client, room, opentok):
    told = act(admin_client, ROOMS, room, "start_recording")
    assert "Nobody is connected" in told.content.decode()
    opentok.connect(room.session_id)
    act(admin_client, ROOMS, room, "start_recording")
    assert Archive.objects.get().status == "started"


def test_closing_a_room_disconnects_those_in_it_and_says_how_many(admin_client, recording, room):
    told = act(admin_client, ROOMS, room, "close_room")
    assert "Disconnected 1 person. Stopped: recording." in told.content.decode()
    room.refresh_from_db()
    recording.refresh_from_db()
    assert (room.closed, recording.status) == (True, "stopped")


def people(client, room):
    return client.get(f"{ROOMS}{room.pk}/people/").json()


def moderate(client, room, what, which):
    return client.post(f"{ROOMS}{room.pk}/people/{what}/{which}/")


def test_a_rooms_page_tells_who_is_in_it_and_moderates(admin_client, room, opentok):
    assert people(admin_client, room) == {
        "people": [], "streams": [], "running": [], "joining": None, "guests": [], "bans": [],
        "has_more_bans": False,
    }  # fmt: skip
    opentok.connect(room.session_id)
    stream = opentok.publish(room.session_id)
    Guest.objects.ask(room, "Ben")
    guest = Guest.objects.get()
    told = people(admin_client, room)
    assert [each["id"] for each in told["streams"]] == [stream]
    assert told["guests"] == [{"id": str(guest.pk), "name": "Ben"}]
    assert moderate(admin_client, room, "mute", stream).json() == {
        "done": "Muted somebody in the room."
    }
    assert moderate(admin_client, room, "admit", guest.pk).json() == {"done": "Let Ben in."}
    for person in told["people"]:
        assert "done" in moderate(admin_client, room, "remove", person["id"]).json()
    assert people(admin_client, room)["people"] == []
    guest.refresh_from_db()
    assert guest.is_admitted


def test_a_guest_who_is_removed_on_a_rooms_page_has_to_ask_again(admin_client, room, opentok):
    room.change_policy(waiting_room=True)
    ticket = Guest.objects.ask(room, "Ben")
    moderate(admin_client, room, "admit", Guest.objects.get().pk)
    assert admin_client.get("/room/standup", headers={"X-Ticket": ticket}).status_code == 200
    connection = opentok.connect(room.session_id)
    assert "done" in moderate(admin_client, room, "remove", connection).json()
    answer = admin_client.get("/room/standup", headers={"X-Ticket": ticket})
    assert answer.json()["code"] == "admission_required"


@pytest.mark.parametrize(
    ("what", "which", "status"),
    [("mute", "x", 200), ("admit", "x", 200), ("remove", "x", 200), ("dance", "x", 404)],
)
def test_what_cannot_be_moderated_is_said(admin_client, room, what, which, status):
    answer = moderate(admin_client, room, what, which)
    assert answer.status_code == status
    assert status == 404 or "problem" in answer.json()


def test_staff_who_may_only_look_see_people_and_change_nothing(room):
    client = staff("view_room")
    assert people(client, room)["people"] == []
    assert offered(client, ROOMS, room) == set()
    assert moderate(client, room, "mute", "x").status_code == 403
    nobody = staff_without_rights()
    assert nobody.get(f"{ROOMS}{room.pk}/people/").status_code == 403
    assert act(nobody, ROOMS, room, "close_room").status_code == 403


def test_an_opentok_that_is_away_is_said_on_a_rooms_page(admin_client, room, opentok):
    opentok.fault(status=500, path="/connection", times=5)
    assert "The video service" in people(admin_client, room)["problem"]


def test_pages_that_are_not_there_or_not_for_this_person_lead_back_to_the_admin(room):
    client = staff("view_room")
    for path, status in (("nothing/", 404), (f"rooms/room/{room.pk}/delete/", 403)):
        refused = client.get(f"/admin/{path}", headers={"Accept": "text/html"})
        assert refused.status_code == status
        assert 'href="/admin/">To the admin</a>' in refused.content.decode()
    assert "To the admin" not in client.get("/nothing", headers={"Accept": "text/html"}).text


def test_staff_who_may_only_look_get_no_fields_or_columns_of_those_who_may_more(room):
    client = staff("view_room")
    page = client.get(f"{ROOMS}{room.pk}/change/").content.decode()
    for absent in ("New access code", "Hours zone", ">None<", ">Do</th>"):
        assert absent not in page
    mondays = {"timeZone": "Europe/Berlin", "week": {"mon": ["08:00-10:00"]}, "dates": {}}
    room.change_policy(weekly_hours=as_column(Hours.read(mondays)))
    page = client.get(f"{ROOMS}{room.pk}/change/").content.decode()
    assert "Mon 08:00-10:00<br>(Europe/Berlin)" in page


# Pages that are older than what has happened


@pytest.mark.parametrize("kind", ["recording", "captions", "broadcast"])
def test_what_opentok_cannot_do_with_encrypted_streams_is_not_offered_and_that_is_said(
    admin_client, opentok, kind
):
    room = Room.objects.open("secret", e2ee=True)
    opentok.connect(room.session_id)
    assert f"start_{kind}" not in offered(admin_client, ROOMS, room)
    told = act(admin_client, ROOMS, room, f"start_{kind}").content.decode()
    assert "The room is end-to-end encrypted, so that OpenTok cannot" in told
    assert people(admin_client, room)["running"] == []
    assert "mute_all" in offered(admin_client, ROOMS, room)


@pytest.mark.parametrize("kind", ["recording", "captions", "broadcast"])
def test_what_runs_already_or_has_ended_is_said_and_shown(admin_client, room, opentok, kind):
    opentok.connect(room.session_id)
    act(admin_client, ROOMS, room, f"start_{kind}")
    again = act(admin_client, ROOMS, room, f"start_{kind}")
    assert again.status_code == 200
    assert "already." in again.content.decode()
    assert f"stop_{kind}" in offered(admin_client, ROOMS, room)
    act(admin_client, ROOMS, room, f"stop_{kind}")
    ended = act(admin_client, ROOMS, room, f"stop_{kind}")
    assert re.search(r"(There are no|No) .* any more.", ended.content.decode())
    assert f"start_{kind}" in offered(admin_client, ROOMS, room)
    whats = Entry.objects.filter(what__startswith=f"{kind}.").values_list("what", flat=True)
    assert sorted(whats) == [f"{kind}.started", f"{kind}.stopped"]


def test_a_recording_that_another_app_has_started_is_shown_after_the_refusal(
    admin_client, room, opentok
):
    opentok.connect(room.session_id)
    opentok.call("POST", opentok.archives_path, json={"sessionId": room.session_id})
    told = act(admin_client, ROOMS, room, "start_recording")
    assert "recorded already" in told.content.decode()
    assert "stop_recording" in offered(admin_client, ROOMS, room)


def test_a_recording_that_has_ended_without_our_knowing_is_shown_as_ended(
    admin_client, room, recording, opentok
):
    opentok.call("POST", f"{opentok.archives_path}/{recording.pk}/stop")
    opentok.advance(10)
    told = act(admin_client, ROOMS, room, "stop_recording")
    assert CODES["archive_not_running"].advice in told.content.decode()
    recording.refresh_from_db()
    assert recording.status == "available"
    assert "start_recording" in offered(admin_client, ROOMS, room)


def test_what_staff_may_not_do_is_refused_whatever_runs(room):
    client = staff("view_room", "change_room")
    for name in ("start_recording", "stop_recording", "start_captions", "stop_broadcast"):
        assert act(client, ROOMS, room, name).status_code == 403

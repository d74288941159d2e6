"""What staff do with one row by the buttons on its page."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from archives.models import Archive
from rooms.models import Room

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
    assert offered(admin_client, ARCHIVES, recording) == {"stop"}
    page = admin_client.get(f"{ARCHIVES}{recording.pk}/change/").content.decode()
    assert '<button type="submit">Stop recording</button>' in page
    told = act(admin_client, ARCHIVES, recording, "stop")
    assert "Stopped the recording." in told.content.decode()
    recording.refresh_from_db()
    assert recording.status == "stopped"
    assert LogEntry.objects.get().get_change_message() == "Stopped the recording."
    assert offered(admin_client, ARCHIVES, recording) == set()


def test_an_available_recording_is_watched_by_a_fresh_link_each_time(
    admin_client, available, opentok
):
    page = admin_client.get(f"{ARCHIVES}{available.pk}/change/")
    watch = f"{ARCHIVES}{available.pk}/watch/"
    text = page.content.decode()
    assert f'<video class="recording" controls preload="none" src="{watch}"' in text
    assert "unless your own storage" in text
    assert "media-src http: https:" in page.headers["Content-Security-Policy"]
    links = {admin_client.get(watch).headers["Location"] for _ in range(2)}
    assert len(links) == 2
    assert all(link.startswith(opentok.url) for link in links)


def test_an_available_recordings_file_is_deleted_after_asking(admin_client, available):
    text = admin_client.get(f"{ARCHIVES}{available.pk}/change/").content.decode()
    assert "is gone for good then" in text
    act(admin_client, ARCHIVES, available, "remove")
    available.refresh_from_db()
    assert available.status == "deleted"
    again = act(admin_client, ARCHIVES, available, "remove")
    assert again.status_code == 403


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
    for path in (f"{recording.pk}/watch/", f"{recording.pk}/change/"):
        assert nobody.get(ARCHIVES + path).status_code == 403
    assert act(nobody, ARCHIVES, recording, "stop").status_code == 403


def staff_without_rights():
    client = Client()
    client.force_login(User.objects.create_user("new", is_staff=True))
    return client


@pytest.mark.parametrize("path", ["x/act/stop/", "x/act/x/", f"{'0' * 32}/act/stop/"])
def test_a_made_up_address_of_an_action_is_a_404(admin_client, path):
    assert admin_client.post(ARCHIVES + path).status_code == 404
    assert admin_client.get(ARCHIVES + path).status_code == 405


def test_an_action_that_there_is_none_of_is_refused(admin_client, recording):
    for name in ("x", "delete_model", "get_urls"):
        assert act(admin_client, ARCHIVES, recording, name).status_code == 403

"""How many clicks the tasks of a teacher's and a support agent's day take after a search.

A press of Enter and typing are none; the answer to a question is one.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests_call.rooms import room_with

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 3
ROOMS, RECORDINGS = "rooms/room/", "archives/archive/"


@pytest.fixture
def in_room(enter, server, staff):
    """A class with Anna in it, found by the list of rooms, and its page."""
    room = room_with(server, "class 4b")
    anna = enter("Anna", room="class%204b")
    staff.search(ROOMS, "class")
    staff.page.get_by_role("link", name="class 4b").click()
    staff.person("Anna").wait_for()
    return room, anna


@pytest.fixture
def recording(server, emulator):
    """Of the class, made yesterday; with a file at OpenTok."""
    from archives.models import Archive

    room = room_with(server, "class 4b")
    emulator.connect(room.session_id)
    emulator.publish(room.session_id)
    made = server.post("/archive/start", json={"sessionId": room.session_id}).json()["id"]
    emulator.advance(60)
    server.post(f"/archive/{made}/stop")
    emulator.advance(10)
    assert server.get(f"/archive/{made}").json()["status"] == "available"
    day_before = timezone.now() - timedelta(days=1)
    Archive.objects.filter(pk=made).update(created_at=day_before)
    for number in range(3):
        others = {"session_id": room.session_id, "room_name": "class 4b", "status": "available"}
        old = timezone.now() - timedelta(days=5 + number)
        Archive.objects.create(id=uuid.uuid4(), created_at=old, updated_at=old, **others)
    return Archive.objects.get(pk=made)


def few(staff):
    return 0 < staff.clicks <= MOST


def test_a_room_is_found_and_made(server, staff):
    from rooms.models import Room

    room_with(server, "class 4b")
    staff.search(ROOMS, "class")
    staff.page.get_by_role("link", name="class 4b").click()
    staff.page.wait_for_url("**/change/**")
    assert few(staff)
    staff.open("")
    staff.page.locator("a[href$='/rooms/room/add/']").first.click()
    staff.page.locator("#id_name").fill("class 5c")
    staff.page.keyboard.press("Enter")
    staff.message("Made the room “class 5c”.")
    assert few(staff)
    assert Room.objects.get(name="class 5c").owner == User.objects.get()


def test_hours_and_a_code_are_set(server, staff):
    room = room_with(server, "class 4b")
    staff.search(ROOMS, "class")
    staff.page.get_by_role("link", name="class 4b").click()
    staff.page.locator("#id_hours").fill("Mon 08:00-10:00")
    staff.page.get_by_role("button", name="Save", exact=True).click()
    staff.message("was changed successfully")
    assert few(staff)
    staff.search(ROOMS, "class")
    staff.page.get_by_role("link", name="class 4b").click()
    staff.press("Make one up")
    assert re.fullmatch("[0-9]{8}", staff.page.locator("#id_new_code").input_value())
    staff.page.get_by_role("button", name="Save", exact=True).click()
    staff.message("was changed successfully")
    assert few(staff)
    room.refresh_from_db()
    assert (str(room.hours), bool(room.access_code)) == ("Mon 08:00-10:00", True)


def test_a_guest_is_invited(server, staff, enter):
    room_with(server, "class 4b")
    staff.search(ROOMS, "class")
    staff.page.get_by_role("link", name="class 4b").click()
    staff.press("Link for a guest")
    link = staff.page.locator(".messagelist a").get_attribute("href")
    assert few(staff)
    enter("Ben", room=link.split("/join/")[1])


def test_who_is_in_is_seen_and_muted(staff, in_room):
    _, anna = in_room
    assert few(staff)
    staff.press("Mute: Anna")
    anna.get_by_text("A moderator has muted you.").wait_for()
    assert few(staff)


def test_somebody_is_removed(staff, in_room):
    _, anna = in_room
    staff.press("Remove: Anna")
    anna.get_by_text("You were removed from the call, or it has ended.").wait_for()
    assert few(staff)


def test_a_class_is_recorded(staff, in_room):
    _, anna = in_room
    staff.press("Start recording")
    anna.get_by_text("This call is being recorded.").wait_for()
    assert few(staff)


def test_who_did_it_is_seen(staff, in_room):
    staff.press("Mute: Anna")
    staff.says("Muted")
    staff.page.locator(".object-tools").get_by_role("link", name="Who did what").click()
    staff.page.locator("#result_list").get_by_text("person.muted").first.wait_for()
    staff.page.locator("#result_list").get_by_text("ada").first.wait_for()
    assert few(staff)


def test_yesterdays_recording_of_a_class_is_found_and_watched(staff, recording):
    staff.search(RECORDINGS, "class")
    staff.page.get_by_role("link", name="Yesterday").click()
    staff.page.wait_for_url("**yesterday**")
    staff.page.locator("#result_list tbody th a").click()
    player = staff.page.locator("video.recording")
    player.wait_for()
    assert few(staff)
    staff.clicks = 1  # the link to its page
    at = player.bounding_box()
    player.click(position={"x": 24, "y": at["height"] - 48})  # on its own button
    staff.page.wait_for_function("video => video.currentTime > 0", arg=player.element_handle())
    assert few(staff)


def test_the_file_of_a_recording_is_opened(staff, recording):
    staff.search(RECORDINGS, "class")
    staff.page.locator("#result_list tbody th a").first.click()
    with staff.page.expect_response(re.compile("archive.mp4")) as answered:
        staff.page.get_by_role("link", name="Open the file").click()
    assert answered.value.header_value("content-type") == "video/mp4"
    assert few(staff)


def test_a_recording_is_shared(staff, recording):
    staff.search(RECORDINGS, "class")
    staff.page.locator("#result_list tbody th a").first.click()
    staff.press("Link to share")
    assert "/shared/" in staff.page.locator(".messagelist a").get_attribute("href")
    assert few(staff)


def test_a_recording_is_deleted(staff, recording):
    staff.search(RECORDINGS, "class")
    staff.page.locator("#result_list tbody th a").first.click()
    staff.press("Delete the file")
    asked = staff.page.locator(".ask:popover-open")
    asked.get_by_role("button", name="Delete the file").click()
    staff.message("Deleted the file of the recording.")
    assert few(staff)
    recording.refresh_from_db()
    assert recording.status == "deleted"

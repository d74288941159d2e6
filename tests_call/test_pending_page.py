"""The page of a recording that has no file yet, in a browser."""

from __future__ import annotations

import pytest

from tests_call.rooms import room_with

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_says_how_things_are_and_opens_the_recording_in_the_end(staff, server, emulator):
    room = room_with(server, "standup")
    emulator.publish(room.session_id)
    made = server.post("/archive/start", json={"sessionId": room.session_id}).json()["id"]
    page = staff.page
    page.goto(f"{server.url}/archive/{made}/view")
    page.get_by_role("heading", name="Still recording").wait_for()
    page.evaluate("document.body.dataset.stays = 'yes'")
    elapsed = page.locator("#elapsed").inner_text()
    page.wait_for_function(
        "old => document.getElementById('elapsed').innerText !== old", arg=elapsed
    )
    assert page.locator("body").get_attribute("data-stays") == "yes"
    server.post(f"/archive/{made}/stop")
    page.get_by_role("heading", name="The recording is being prepared").wait_for()
    emulator.fault(status=500, path="/archive", times=1)
    emulator.advance(10)
    page.wait_for_url(f"{emulator.url}/**")


def test_it_says_so_if_the_recording_is_deleted(staff, server, emulator):
    room = room_with(server, "standup")
    emulator.publish(room.session_id)
    made = server.post("/archive/start", json={"sessionId": room.session_id}).json()["id"]
    staff.page.goto(f"{server.url}/archive/{made}/view")
    server.post(f"/archive/{made}/stop")
    emulator.advance(10)
    emulator.call("DELETE", f"{emulator.archives_path}/{made}")
    staff.page.get_by_role("heading", name="deleted").wait_for()

"""The join page, on the real server and the local OpenTok, in a real browser."""

from __future__ import annotations

import os
import re
import signal
import time
from datetime import UTC, datetime

import pytest

from tests_call.participants import SECONDS
from tests_call.rooms import ask_to_join, invitation, let_in, room_with

pytestmark = pytest.mark.django_db(transaction=True)
PLAYING = """tile => { const video = tile.querySelector('video');
    return video && video.currentTime > 0 && video.videoWidth > 0 }"""

SLOW_CAMERA = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (kinds) => {
        await new Promise((resolve) => setTimeout(resolve, 3000));
        return ask(kinds);
    };"""
NO_CAMERA = """navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('none', 'NotFoundError'));"""


def test_two_people_see_each_other_and_chat(enter):
    anna, ben = enter("Anna"), enter("Ben")
    for page, other in ((anna, "Ben"), (ben, "Anna")):
        tile = page.locator("#tiles li", has_text=other)
        tile.wait_for()
        page.wait_for_function(PLAYING, arg=tile.element_handle())
    for page in (anna, ben):
        page.get_by_role("button", name="Chat").click()
    anna.get_by_label("Message").fill("Good morning")
    anna.get_by_role("button", name="Send").click()
    ben.locator("#messages").get_by_text("Good morning").wait_for()
    assert (anna.violations, ben.violations) == ([], [])


def test_a_person_who_joins_before_the_camera_is_there_is_seen(enter):
    page = enter("Anna", joins=False, script=SLOW_CAMERA)
    page.get_by_role("button", name="Join").click()
    page.get_by_text("Waiting for camera and microphone").wait_for()
    page.get_by_text("Anna (you)").wait_for()


def test_a_person_who_leaves_and_joins_again_is_in_the_call_once(enter):
    anna, ben = enter("Anna"), enter("Ben")
    ben.get_by_role("button", name="Leave").click()
    ben.get_by_text("You have left the call.").wait_for()
    anna.locator("#tiles li", has_text="Ben").wait_for(state="detached")
    ben.get_by_role("button", name="Join").click()
    anna.locator("#tiles li", has_text="Ben").wait_for()
    ben.locator("#tiles li", has_text="Anna").wait_for()
    assert ben.locator("#tiles li").count() == 2
    ben.get_by_role("button", name="Chat").click()
    ben.get_by_label("Message").fill("Back again")
    ben.get_by_role("button", name="Send").click()
    ben.locator("#messages").get_by_text("Back again").wait_for()
    assert ben.locator("#messages li").count() == 1
    ben.get_by_role("button", name="Mute", exact=True).click()
    anna.locator("#tiles li", has_text="Ben").get_by_text("muted").wait_for()


def test_a_moderator_mutes_and_removes(enter):
    anna, ben = enter("Anna"), enter("Ben")
    anna.get_by_role("button", name="Mute Ben").click()
    ben.get_by_text("A moderator has muted you.").wait_for()
    anna.locator("#tiles li", has_text="Ben").get_by_text("muted").wait_for()
    anna.on("dialog", lambda dialog: dialog.accept())
    anna.get_by_role("button", name="Remove Ben").click()
    ben.get_by_text("You were removed from the call, or it has ended.").wait_for()
    anna.locator("#tiles li", has_text="Ben").wait_for(state="detached")


def test_a_recording_shows_to_all(enter):
    anna, ben = enter("Anna"), enter("Ben")
    anna.get_by_role("button", name="Record").click()
    for page in (anna, ben):
        page.get_by_text("This call is being recorded.").wait_for()
    ben.get_by_role("button", name="Record").click()
    anna.get_by_text("This call is being recorded.").wait_for(state="hidden")


def test_a_recording_is_in_the_catalogue_and_ends_without_people(enter, server, emulator):
    from archives.models import Archive

    anna = enter("Anna")
    anna.get_by_role("button", name="Record").click()
    anna.get_by_text("This call is being recorded.").wait_for()
    # The page is told by OpenTok, and may be before the server has noted it.
    until = time.monotonic() + SECONDS
    while not Archive.objects.exists() and time.monotonic() < until:
        time.sleep(0.1)
    archive = Archive.objects.get()
    assert (archive.status, archive.room_name) == ("started", "standup")
    anna.get_by_role("button", name="Leave").click()
    anna.get_by_text("You have left the call.").wait_for()
    emulator.advance(70)
    assert server.get(f"/archive/{archive.pk}").json()["status"] in {"stopped", "available"}


def test_a_killed_process_of_the_server_does_not_end_the_call(enter, server):
    anna, ben = enter("Anna"), enter("Ben")
    before = server.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    server.workers_once(lambda pids: len(pids) == len(before) and not set(pids) & set(before))
    anna.get_by_role("button", name="Chat").click()
    anna.get_by_label("Message").fill("Still here")
    anna.get_by_role("button", name="Send").click()
    ben.get_by_role("button", name="Chat").click()
    ben.locator("#messages").get_by_text("Still here").wait_for()
    enter("Cora")
    anna.locator("#tiles li", has_text="Cora").wait_for()


def test_a_code_is_asked_for(enter, server):
    room_with(server, "secret", access_code="18151210")
    page = enter("Anna", room="secret", joins=False)
    page.get_by_role("button", name="Join").click()
    page.get_by_label("Access code").fill("18151210")
    page.get_by_role("button", name="Join").click()
    page.get_by_text("Anna (you)").wait_for()


def test_a_wrong_code_is_said_and_stays_to_be_read(enter, server):
    room_with(server, "secret", access_code="18151210")
    page = enter("Anna", room="secret", joins=False)
    page.get_by_role("button", name="Join").click()
    page.get_by_label("Access code").fill("1")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("alert").get_by_text("not the access code").wait_for()
    page.wait_for_timeout(1000)
    assert page.get_by_role("alert").get_by_text("not the access code").is_visible()


def test_a_closed_room_says_so_also_where_there_is_no_camera(enter, server):
    room_with(server, "closed", closed=True)
    page = enter("Anna", room="closed", joins=False, script=NO_CAMERA)
    page.get_by_role("alert").get_by_text("No camera or microphone was found").wait_for()
    page.get_by_role("button", name="Join").click()
    page.get_by_role("alert").get_by_text("closed").wait_for()
    page.wait_for_timeout(1000)
    assert page.get_by_role("alert").get_by_text("closed").is_visible()
    assert page.get_by_role("alert").get_by_text("No camera or microphone was found").is_visible()


def test_the_hours_of_a_room_are_said_in_the_time_zone_of_the_person(chromium, server):
    room_with(server, "later", opens_at=datetime(2099, 7, 1, 12, tzinfo=UTC))
    context = chromium.new_context(timezone_id="Asia/Kolkata")
    try:
        page = context.new_page()
        page.goto(f"{server.url}/join/later")
        page.get_by_label("Your name").fill("Anna")
        page.get_by_role("button", name="Join").click()
        page.get_by_text(re.compile("opens on .* 1 July 2099 at 17:30")).wait_for()
        page.get_by_text("Opens in").wait_for()
    finally:
        context.close()


def test_consent_is_asked_for_before_joining(enter, server):
    room_with(server, "taped", recording_consent=True)
    page = enter("Anna", room="taped", joins=False)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("alert").get_by_text("agree to being recorded").wait_for()
    page.get_by_label("I agree to being recorded").check()
    page.get_by_role("button", name="Join").click()
    page.get_by_text("Anna (you)").wait_for()


def test_an_invited_person_joins_without_the_code_and_in_the_role_of_the_link(enter, server):
    room = room_with(server, "party", access_code="18151210")
    page = enter("Anna", room=invitation(room, "subscriber"), joins=False)
    # The SDK tells its maker's servers the address of the page.
    assert "invite_" not in page.url
    told = []
    page.on("request", lambda request: told.append(request.post_data or ""))
    page.reload()
    page.get_by_label("Your name").fill("Anna")
    page.get_by_role("button", name="Join").click()
    page.get_by_text("You are in the call.").wait_for()
    assert told
    assert not any("invite_" in each for each in told)
    assert page.get_by_role("button", name="Share screen").is_disabled()


def test_guests_wait_until_a_moderator_lets_them_in_or_turns_them_away(enter, server):
    room = room_with(server, "exam", waiting_room=True, token_role="publisher")
    anna = enter("Anna", room=invitation(room, "moderator"))
    ben, eve = (enter(name, room="exam", joins=False) for name in ("Ben", "Eve"))
    for page, name in ((ben, "Ben"), (eve, "Eve")):
        page.get_by_role("button", name="Join").click()
        page.get_by_text("Waiting to be let in by a moderator").wait_for()
        anna.get_by_role("status").get_by_text(f"Waiting to be let in: {name}").wait_for()
    ben.route("**/room/exam", lambda route: route.abort(), times=1)
    anna.get_by_role("button", name="Let in: Ben").press("Enter")
    ben.get_by_text("Ben (you)").wait_for()
    anna.locator("#tiles li", has_text="Ben").wait_for()
    has_focus(anna, "Let in: Eve")
    anna.get_by_role("button", name="Turn away: Eve").press("Enter")
    eve.get_by_role("alert").get_by_text("did not let you in").wait_for()
    anna.get_by_role("heading", name="Waiting to be let in").wait_for(state="hidden")
    has_focus(anna, "exam")


def has_focus(page, name):
    """The element of this label or text has, or gets, the keyboard's focus."""
    page.wait_for_function(
        """name => (document.activeElement.getAttribute('aria-label')
        || document.activeElement.textContent) === name""",
        arg=name,
    )


@pytest.mark.parametrize("how", ["button", "address", "closing"])
def test_a_guest_who_cancels_or_leaves_the_page_waits_no_more(enter, server, how):
    from rooms.guests import Guest

    room = room_with(server, "queue", waiting_room=True, token_role="publisher")
    anna = enter("Anna", room=invitation(room, "moderator"))
    ben = ask_to_join(enter, "Ben", room)
    anna.get_by_role("button", name="Let in: Ben").wait_for()
    has_focus(ben, "Cancel")
    if how == "button":
        ben.get_by_role("button", name="Cancel").click()
        ben.get_by_text("You no longer wait to be let in.").wait_for()
        assert ben.get_by_role("button", name="Cancel").is_hidden()
        has_focus(ben, "Join")
    elif how == "address":
        ben.goto("about:blank")
    else:
        ben.close()
    anna.get_by_role("button", name="Let in: Ben").wait_for(state="detached")
    assert not Guest.objects.exists()
    if how == "button":
        ben.get_by_role("button", name="Join").click()
        anna.get_by_role("button", name="Let in: Ben").click()
        ben.get_by_text("Ben (you)").wait_for()


def test_a_guest_who_was_removed_has_to_be_let_in_again(enter, server):
    room = room_with(server, "exam", waiting_room=True, token_role="publisher")
    anna = enter("Anna", room=invitation(room, "moderator"))
    ben = let_in(anna, enter, "Ben", room)
    anna.locator("#tiles li", has_text="Ben").wait_for()
    anna.on("dialog", lambda dialog: dialog.accept())
    anna.get_by_role("button", name="Remove Ben").click()
    ben.get_by_text("You were removed from the call, or it has ended.").wait_for()
    ben.get_by_role("button", name="Join").click()
    ben.get_by_role("alert").get_by_text("did not let you in").wait_for()
    ben.get_by_role("button", name="Join").click()
    ben.get_by_text("Waiting to be let in by a moderator").wait_for()

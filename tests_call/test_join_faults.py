"""What goes wrong on the join page: devices, the network, other people, and the person's own keys."""

from __future__ import annotations

import json

import pytest

from tests_call.conftest import wait_until
from tests_call.rooms import ask_to_join, invitation, room_with
from tests_call.test_join_page import NO_CAMERA, has_focus

pytestmark = pytest.mark.django_db(transaction=True)

# As browsers have it where only the microphone can be had.
NO_VIDEO = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (kinds) => kinds.video
        ? Promise.reject(new DOMException('no', '%s')) : ask(kinds);"""
# The tracks that were ever opened, and cameras that answer the later, the earlier they were asked.
TRACKS = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.tracks = []; let wait = 1500;
    navigator.mediaDevices.getUserMedia = async (kinds) => {
        const stream = await ask(kinds);
        window.tracks.push(...stream.getTracks());
        await new Promise((resolve) => setTimeout(resolve, wait -= 500));
        return stream;
    };"""
SCREENS = """navigator.mediaDevices.getDisplayMedia = async () => {
        window.screen_ = document.createElement('canvas').captureStream(1);
        return window.screen_;
    };"""
LATE_CAMERA_IN_CALL = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let asked = 0;
    navigator.mediaDevices.getUserMedia = async (kinds) => {
        if (asked++) await new Promise((resolve) => setTimeout(resolve, 3000));
        return ask(kinds);
    };"""


def session_of(server, room="standup"):
    return server.get(f"/room/{room}").json()["sessionId"]


def connections(emulator, session_id):
    return emulator.control("GET", f"/sessions/{session_id}")["connections"]


def remove_all(emulator, session_id):
    for each in connections(emulator, session_id):
        path = f"/v2/project/{emulator.api_key}/session/{session_id}"
        emulator.call("DELETE", f"{path}/connection/{each['connectionId']}")


def signal(emulator, session_id, kind, data):
    path = f"/v2/project/{emulator.api_key}/session/{session_id}/signal"
    assert emulator.call("POST", path, json={"type": kind, "data": data}).status_code == 204


def is_heard(emulator, session_id):
    streams = emulator.control("GET", f"/sessions/{session_id}")["streams"]
    return [each["hasAudio"] for each in streams]


@pytest.mark.parametrize("name", ["NotFoundError", "NotReadableError"])
def test_a_person_whose_camera_cannot_be_had_is_told_so_and_heard(enter, emulator, server, name):
    page = enter("Anna", joins=False, script=NO_VIDEO % name)
    page.get_by_role("alert").get_by_text("others will hear you, but not see you").wait_for()
    page.get_by_role("button", name="Join").click()
    page.get_by_text("You are in the call.").wait_for()
    wait_until(lambda: is_heard(emulator, session_of(server)) == [True])
    assert page.get_by_text("not be seen").is_hidden()


def test_a_person_who_wants_neither_camera_nor_microphone_is_not_told_of_an_error(enter):
    page = enter("Anna", joins=False)
    page.get_by_label("Camera", exact=True).select_option(label="No camera")
    page.get_by_label("Microphone", exact=True).select_option(label="No microphone")
    page.wait_for_timeout(1000)
    chosen = [page.locator(each).input_value() for each in ("#camera", "#microphone")]
    assert chosen == ["", ""]
    assert page.locator("#device-problem").inner_text() == ""
    page.get_by_role("button", name="Join").click()
    page.get_by_text("You are in the call.").wait_for()


def test_a_camera_that_comes_late_does_not_stay_on_beside_another(enter):
    page = enter("Anna", joins=False, script=TRACKS)
    page.wait_for_function("() => document.querySelector('#camera').options.length > 1")
    page.evaluate("""for (let times = 0; times < 2; times += 1)
        document.querySelector('#microphone').dispatchEvent(new Event('change'))""")
    page.wait_for_timeout(2500)
    assert page.evaluate("tracks.filter((track) => track.readyState === 'live').length") == 2


def test_a_screen_that_is_shared_no_more_is_captured_no_more(enter):
    anna, ben = enter("Anna", script=SCREENS), enter("Ben")
    anna.get_by_role("button", name="Share screen").click()
    tile = ben.locator("#tiles li", has_text="Anna’s screen")
    tile.wait_for()
    assert "muted" not in tile.inner_text()
    anna.get_by_role("button", name="Share screen").click()
    tile.wait_for(state="detached")
    assert anna.evaluate("screen_.getTracks().map((track) => track.readyState)") == ["ended"]
    anna.get_by_role("button", name="Share screen").click()
    tile.wait_for()


def test_a_person_who_shares_no_screen_after_all_is_shown_no_error(enter):
    refuse = """navigator.mediaDevices.getDisplayMedia = () =>
        Promise.reject(new DOMException('Permission denied', 'NotAllowedError'));"""
    page = enter("Anna", script=refuse)
    page.get_by_role("button", name="Share screen").click()
    page.wait_for_timeout(1500)
    assert page.locator("#problem").inner_text() == ""


def test_a_person_who_is_removed_while_joining_is_not_told_to_be_in_the_call(
    enter, emulator, server
):
    page = enter("Anna", joins=False, script=LATE_CAMERA_IN_CALL)
    session_id = session_of(server)
    page.wait_for_function("() => document.querySelector('#camera').options.length > 1")
    page.get_by_role("button", name="Join").click()
    wait_until(lambda: connections(emulator, session_id))
    remove_all(emulator, session_id)
    page.get_by_text("You were removed from the call").wait_for()
    page.wait_for_timeout(4000)
    assert page.locator("#call").is_hidden()
    assert page.locator("#status").inner_text().startswith("You were removed from the call")


def test_people_are_warned_of_the_end_of_a_meeting(enter, emulator, server):
    page = enter("Anna")
    signal(emulator, session_of(server), "meetingEnds", json.dumps({"secondsLeft": 299}))
    page.get_by_role("status").get_by_text("This meeting ends in 5 minutes.").wait_for()


def test_a_recording_is_told_to_screen_readers(enter):
    page = enter("Anna")
    page.get_by_role("button", name="Record").click()
    page.get_by_role("status").get_by_text("This call is being recorded.").wait_for()


def test_a_person_with_no_devices_keeps_the_focus_in_the_call(enter):
    page = enter("Anna", joins=False, script=NO_CAMERA)
    page.get_by_role("button", name="Join").click()
    page.get_by_text("You are in the call.").wait_for()
    has_focus(page, "Share screen")


def test_a_person_who_is_refused_keeps_the_focus(enter, server):
    room_with(server, "closed", closed=True)
    page = enter("Anna", room="closed", joins=False)
    page.get_by_role("button", name="Join").focus()
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("closed").wait_for()
    has_focus(page, "Join")


def test_a_moderator_who_removes_somebody_keeps_the_focus(enter):
    anna, ben = enter("Anna"), enter("Ben")
    anna.on("dialog", lambda dialog: dialog.accept())
    anna.get_by_role("button", name="Remove Ben").focus()
    anna.keyboard.press("Enter")
    ben.get_by_text("You were removed from the call").wait_for()
    anna.locator("#tiles li", has_text="Ben").wait_for(state="detached")
    has_focus(anna, "standup")


def test_a_guest_joins_by_the_name_that_was_let_in(enter, server):
    room = room_with(server, "exam", waiting_room=True, token_role="publisher")
    anna = enter("Anna", room=invitation(room, "moderator"))
    ben = ask_to_join(enter, "Ben", room)
    anna.get_by_role("button", name="Let in: Ben").wait_for()
    ben.get_by_label("Your name").fill("The teacher")
    anna.get_by_role("button", name="Let in: Ben").click()
    ben.get_by_text("Ben (you)").wait_for()


def test_a_name_of_spaces_is_none(enter):
    page = enter("   ", joins=False)
    page.get_by_role("button", name="Join").click()
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelector('#name').validity.valid") is False
    assert page.locator("#status").inner_text() == ""


def test_a_chat_shows_what_other_apps_send_and_no_news_of_an_earlier_call(enter, emulator, server):
    page = enter("Anna")
    for data in ("5", "true", '{"text": "<img src=x onerror=alert(1)>", "name": "<b>Eve</b>"}'):
        signal(emulator, session_of(server), "chat", data)
    page.get_by_role("button", name="Chat (new)").wait_for()
    page.wait_for_function("() => document.querySelectorAll('#messages li').length === 3")
    told = page.locator("#messages li").all_text_contents()
    assert told == ["Guest5", "Guesttrue", "<b>Eve</b><img src=x onerror=alert(1)>"]
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="Join").click()
    page.get_by_text("You are in the call.").wait_for()
    assert page.locator("#show-chat").inner_text() == "Chat"


def test_a_message_leaves_the_page_where_it_is(enter, emulator, server):
    page = enter("Anna")
    page.set_viewport_size({"width": 390, "height": 500})
    page.get_by_role("button", name="Chat").click()
    for number in range(20):
        signal(emulator, session_of(server), "chat", f"message {number}")
    page.get_by_text("message 19").wait_for()
    page.evaluate("scrollTo(0, 0)")
    signal(emulator, session_of(server), "chat", "the last")
    page.get_by_text("the last").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") == 0
    left = "list => list.scrollHeight - list.scrollTop - list.clientHeight"
    assert page.locator("#messages").evaluate(left) <= 1


def test_the_page_can_be_used_while_the_sdk_is_loading(enter, server, chromium):
    context = chromium.new_context(permissions=["camera", "microphone"])
    try:
        page = context.new_page()
        held = []
        page.route("**/opentok.js", lambda route: held.append(route))
        page.goto(f"{server.url}/join/standup", wait_until="commit")
        page.get_by_label("Your name").fill("Anna")
        page.get_by_role("button", name="Join").click()
        page.get_by_text("Loading the video software").wait_for()
        held[0].abort()
        page.get_by_role("alert").get_by_text("video software could not be loaded").wait_for()
        page.unroute("**/opentok.js")
        page.get_by_role("button", name="Join").click()
        page.get_by_text("You are in the call.").wait_for()
    finally:
        context.close()

"""A room's page in the admin while people are in the room."""

from __future__ import annotations

import json

import pytest

from tests_call.rooms import invitation, let_in, room_with, told
from tests_call.staff import Staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(chromium, server, emulator):
    """Logs somebody in: a superuser, or one of a group."""
    told(emulator, server)
    people = []

    def log_in(**who):
        people.append(Staff(chromium, server, **who))
        return people[-1]

    yield log_in
    for each in people:
        each.close()


def page_of(room):
    return f"rooms/room/{room.pk}/change/"


def test_people_appear_are_muted_and_told_and_counted(enter, server, staff):
    room = room_with(server, "maths")
    ada = staff()
    ada.open(page_of(room))
    ada.says("No people are connected.")
    anna, ben = enter("Anna", room="maths"), enter("Ben", room="maths")
    ada.person("Anna").get_by_text("publishes camera").wait_for()
    ada.person("Ben").get_by_text("publishes camera").wait_for()
    ada.says("2 people are connected.")
    ada.page.get_by_text("People without data in their token").wait_for()
    assert ada.page.get_by_role("button", name="Ban").count() == 0
    ada.press("Mute: Ben")
    ben.get_by_text("A moderator has muted you.").wait_for()
    anna.locator("#tiles li", has_text="Ben").get_by_text("muted").wait_for()
    anna.get_by_role("button", name="Chat").click()
    ada.page.get_by_label("Message to all").fill("Five more minutes")
    ada.page.keyboard.press("Enter")
    anna.locator("#messages").get_by_text("Five more minutes").wait_for()
    ben.get_by_role("button", name="Leave").click()
    ada.person("Ben").wait_for(state="detached")
    ada.says("1 person is connected.")
    ada.page.reload()
    ada.page.get_by_role("link", name="running").or_(
        ada.page.locator(".attendance .state.started")
    ).first.wait_for()
    ada.page.locator(".attendance th a").first.click()
    attendance = ada.page.locator(".attendance")
    for name in "Anna", "Ben":
        attendance.get_by_text(name).first.wait_for()
    anna.get_by_role("button", name="Leave").click()


def test_who_is_removed_can_come_back_and_who_is_banned_cannot(enter, server, staff):
    room = room_with(server, "exam", waiting_room=True, token_role="publisher")
    ada = staff()
    anna = enter("Anna", room=invitation(room, "moderator"))
    ben = let_in(anna, enter, "Ben", room)
    ada.open(page_of(room))
    ada.press("Remove: Ben")
    ben.get_by_text("You were removed from the call, or it has ended.").wait_for()
    ada.person("Ben").wait_for(state="detached")
    ben = let_in(anna, enter, "Ben", room)
    ada.press("Ban for this meeting: Ben")
    ben.get_by_text("You were removed from the call, or it has ended.").wait_for()
    ada.person("Ben").get_by_text("banned until the meeting ends").wait_for()
    ada.press("Lift the ban: Ben")
    ada.person("Ben").wait_for(state="detached")
    assert [question.split("?")[0] for question in ada.questions] == [
        "Remove Ben from the room",
        "Remove Ben from the room, and keep them out until this meeting ends",
    ]


def test_who_is_banned_stays_out_until_the_ban_is_lifted(server, staff, routed):
    room = room_with(server, "physics")
    routed.session_id = room.session_id
    data = json.dumps({"name": "Eve", "identity": "eve-1"})
    ada = staff()
    ada.open(page_of(room))
    eve = routed.join(data=data)
    ada.press("Ban for good: Eve")
    eve.wait("sessionDisconnected", reason="forceDisconnected")
    ada.person("Eve").get_by_text("banned for good").wait_for()
    # With a token that was made before, which OpenTok cannot take back.
    again = routed.join(data=data)
    again.wait("sessionDisconnected", reason="forceDisconnected")
    ada.press("Lift the ban: Eve")
    ada.says("No people are connected.")
    routed.join(data=data)
    ada.says("1 person is connected.")


def test_pages_and_bots_are_no_people_and_are_not_banned(server, staff, routed):
    room = room_with(server, "art")
    routed.session_id = room.session_id
    ada = staff()
    ada.open(page_of(room))
    routed.join(data="render")
    routed.join(data="audio_connector")
    for bot in "A rendered page", "An audio connector":
        ada.person(bot).get_by_role("button", name="Remove").wait_for()
    ada.says("No people are connected.")
    assert ada.page.get_by_role("button", name="Ban").count() == 0
    assert ada.page.get_by_text("cannot be banned").count() == 0


def test_recording_captions_and_a_new_session_show_to_those_in_the_room(enter, server, staff):
    room = room_with(server, "chemistry")
    ada = staff()
    anna = enter("Anna", room="chemistry")
    ada.open(page_of(room))
    ada.press("Start recording")
    ada.message("Started a recording.")
    anna.get_by_text("This call is being recorded.").wait_for()
    ada.page.get_by_text("A recording is running.").wait_for()
    ada.press("Stop recording")
    anna.get_by_text("This call is being recorded.").wait_for(state="hidden")
    for action in "Start captions", "Stop captions":
        ada.press(action)
    ada.message("Stopped the captions.")
    before = room.session_id
    ada.press("New session")
    ada.page.locator(".ask:popover-open").get_by_role("button", name="New session").click()
    ada.message("Gave the room a new session.")
    room.refresh_from_db()
    assert room.session_id != before
    ada.says("No people are connected.")


def test_a_room_is_closed_and_everybody_in_it_is_told(enter, server, staff):
    room = room_with(server, "biology")
    ada, eva = staff(), staff(group="Moderators")
    anna, ben = enter("Anna", room="biology"), enter("Ben", room="biology")
    for each in ada, eva:
        each.open(page_of(room))
        each.says("2 people are connected.")
    ada.press("Close and disconnect")
    asked = ada.page.locator(".ask:popover-open")
    asked.get_by_text("Everybody in the room is disconnected").wait_for()
    asked.get_by_text(
        "2 people are there now.", exact=True
    ).wait_for()  # and not when it was opened
    asked.get_by_role("button", name="Close and disconnect").click()
    ada.message("Disconnected 2")
    for page in anna, ben:
        page.get_by_text("You were removed from the call, or it has ended.").wait_for()
    eva.says("No people are connected.")
    anna.get_by_role("button", name="Join").click()
    anna.get_by_role("alert").get_by_text("closed").wait_for()


def test_viewers_see_who_is_there_and_have_no_buttons(enter, server, staff):
    room = room_with(server, "history")
    enter("Anna", room="history")
    eva = staff(group="Viewers")
    eva.open(page_of(room))
    eva.person("Anna").wait_for()
    assert eva.page.locator("#console-people button").count() == 0
    assert eva.page.get_by_label("Message to all").count() == 0
    assert eva.page.locator(".object-tools button").count() == 0


def test_several_rooms_are_closed_one_after_the_other_with_progress(server, staff):
    from rooms.models import Room

    for name in "a", "b", "c":
        room_with(server, f"class {name}")
    ada = staff()
    ada.search("rooms/room/", "class")
    ada.page.locator("#action-toggle").check()
    ada.page.locator("select[name=action]").select_option("close_selected")
    ada.page.get_by_role("button", name="Go").click()
    sent = []
    ada.page.on("request", lambda request: sent.append(request.method))
    ada.page.evaluate("""() => {
        const said = [];
        const status = document.querySelector('#chosen [role=status]');
        new MutationObserver(() => {
            said.push(status.textContent);
            sessionStorage.setItem('said', said.join(', '));
        }).observe(status, {childList: true});
    }""")
    ada.press("Yes, close")
    ada.message("Closed")
    progress = ada.page.evaluate("sessionStorage.getItem('said')")
    assert progress == "0 of 3 done, 1 of 3 done, 2 of 3 done, All done"
    assert sent.count("POST") == 3
    assert all(Room.objects.values_list("closed", flat=True))


def test_a_button_that_is_clicked_twice_acts_once_and_its_link_is_copied(server, staff):
    room = room_with(server, "geometry")
    ada = staff()
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ada.open(page_of(room))
    sent = []
    ada.page.on("request", lambda request: sent.append(request.method))
    ada.page.get_by_role("button", name="Link for a guest", exact=True).dblclick()
    ada.message("Made a link for a guest")
    assert sent.count("POST") == 1
    link = ada.page.locator(".messagelist a").get_attribute("href")
    ada.press("Copy the link")
    ada.page.locator(".messagelist [role=status]").get_by_text("Copied.").wait_for()
    assert ada.page.evaluate("navigator.clipboard.readText()") == link


def test_a_page_whose_session_is_over_says_so_and_not_that_something_was_done(enter, server, staff):
    room = room_with(server, "algebra")
    enter("Anna", room="algebra")
    ada = staff()
    ada.open(page_of(room))
    ada.person("Anna").get_by_text("publishes camera").wait_for()
    ada.context.clear_cookies(name="sessionid")
    ada.says("You are logged out: reload the page. Who is shown may be old.")

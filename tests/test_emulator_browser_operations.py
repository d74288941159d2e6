"""What a page may do in a session of the emulator, and what the others are told of it."""

import uuid

import pytest

from tests.callback_receiver import Receiver
from tests.client_tokens import client_token
from tests.raw_page import RawPage


@pytest.fixture
def enter(emulator, session_id):
    """Lets pages of these roles into the session."""
    pages = []

    def enter(role="publisher", **claims):
        page = RawPage(emulator, session_id, client_token(emulator, session_id, role, **claims))
        page.state = page.enter()
        for other in pages:
            other.wait("created", f"/connection/{page.id}")
        pages.append(page)
        return page

    yield enter
    for page in pages:
        page.drop()


def subscribe(page, stream_id, **content):
    """Returns the subscriber's id."""
    subscriber_id = str(uuid.uuid4())
    path = f"/stream/{stream_id}/subscriber/{subscriber_id}"
    status, data = page.ask("create", path, {"id": subscriber_id, **content})
    assert status == "200", data
    return subscriber_id


# Streams


def test_a_stream_is_told_to_all_with_its_publisher(enter):
    anna, ben = enter(), enter()
    stream_id = anna.publish(name="Anna")
    for page in (anna, ben):
        stream = page.wait("created", f"/stream/{stream_id}")["content"]
        assert (stream["name"], stream["connection"]["id"]) == ("Anna", anna.id)
        assert [channel["id"] for channel in stream["channel"]] == ["audio1", "video1"]
    assert enter().state["stream"][0]["id"] == stream_id


@pytest.mark.parametrize(
    "nonsense",
    [
        {"channel": None},
        {"channel": [{}] * 9},
        {"channel": ["x"]},
        {"channel": [{"id": "a", "type": 1}]},
        {"channel": [{"id": "a", "type": "audio", "active": "yes"}]},
        {"channel": [{"id": "a", "type": "video", "width": True}]},
        {"name": 5},
        {"name": "x" * 1001},
        {"customProperties": []},
    ],
)
def test_a_stream_that_makes_no_sense_is_refused(emulator, enter, nonsense):
    page = enter()
    path = f"/stream/{uuid.uuid4()}"
    assert page.ask("create", path, {"name": "", "channel": [], **nonsense})[0] == "400"
    assert emulator.control("GET", f"/sessions/{page.session_id}")["streams"] == []


def test_a_stream_id_in_use_is_refused(enter):
    anna, ben = enter(), enter()
    stream_id = anna.publish()
    assert ben.ask("create", f"/stream/{stream_id}", {"channel": []})[0] == "409"


def test_a_change_of_a_channel_is_told_without_unknown_names(emulator, enter):
    anna, ben = enter(), enter()
    path = f"/stream/{anna.publish()}/channel/audio1"
    assert anna.ask("update", path, {"active": False, "activeReason": "auto"})[0] == "200"
    assert ben.wait("updated", path)["content"] == {"active": False}
    assert (
        emulator.control("GET", f"/sessions/{anna.session_id}")["streams"][0]["hasAudio"] is False
    )


def test_a_channel_that_stays_as_it_was_is_not_told(enter):
    anna, ben = enter(), enter()
    stream_id = anna.publish()
    ben.wait("created", f"/stream/{stream_id}")
    anna.ask("update", f"/stream/{stream_id}/channel/audio1", {"active": True})
    assert ben.hears_nothing()


def test_a_stream_that_the_control_api_gave_to_a_page_does_not_end_it(emulator, enter):
    page = enter()
    stream_id = emulator.publish(page.session_id, page.id)
    page.wait("created", f"/stream/{stream_id}")
    path = f"/stream/{stream_id}/channel/audio1"
    assert page.ask("update", path, {"active": False})[0] == "200"
    assert page.hears_nothing()


def test_only_its_publisher_changes_a_stream(enter):
    anna, ben = enter(), enter("moderator")
    path = f"/stream/{anna.publish()}/channel/audio1"
    assert ben.ask("update", path, {"active": False})[0] == "403"


def test_the_classes_of_a_token_are_those_of_its_streams(emulator, enter):
    enter(initial_layout_class_list="focus full").publish()
    path = f"/sessions/{enter().session_id}"
    assert emulator.control("GET", path)["streams"][0]["layoutClassList"] == ["focus", "full"]


# Subscriptions


def test_a_publisher_is_asked_for_an_offer_and_both_ends_then_talk(enter):
    anna, ben = enter(), enter()
    stream_id = anna.publish()
    subscriber_id = subscribe(ben, stream_id)
    path = f"/stream/{stream_id}/subscriber/{subscriber_id}"
    asked = anna.wait("generateoffer", path)
    assert asked["from"] == ben.id
    assert asked["content"]["sourceStreamId"] == "MANTIS"
    offer = {"peerId": asked["content"]["peerId"], "sdp": "v=0 …", "sourceStreamId": "MANTIS"}
    assert anna.ask("offer", path, offer)[0] == "200"
    heard = ben.wait("offer", path)
    assert (heard["content"], heard["from"]) == (offer, anna.id)
    for method in ("candidate", "answer"):
        assert ben.ask(method, path, {"x": method})[0] == "200"
        heard = anna.wait(method, path)
        assert (heard["content"], heard["from"]) == ({"x": method}, ben.id)


def test_a_third_page_cannot_speak_in_between(enter):
    anna, ben, eve = enter(), enter(), enter("moderator")
    stream_id = anna.publish()
    path = f"/stream/{stream_id}/subscriber/{subscribe(ben, stream_id)}"
    for method in ("offer", "answer", "candidate"):
        assert eve.ask(method, path, {"sdp": "evil"})[0] == "404"
    assert eve.ask("delete", path)[0] == "404"


def test_both_ends_of_a_subscription_to_an_own_stream_have_names_of_their_own(enter):
    anna = enter()
    stream_id = anna.publish()
    anna.told.clear()
    subscriber_id = subscribe(anna, stream_id)
    alias = anna.wait("generateoffer")["uri"].split("/")[-1]
    assert alias != subscriber_id
    path = f"/stream/{stream_id}/subscriber"
    anna.ask("offer", f"{path}/{alias}", {"sdp": "x"})
    anna.wait("offer", f"{path}/{subscriber_id}")
    anna.ask("answer", f"{path}/{subscriber_id}", {"sdp": "y"})
    anna.wait("answer", f"{path}/{alias}")


@pytest.mark.parametrize("leaves", ["delete", "leave", "drop"])
def test_a_publisher_is_told_when_a_subscriber_ends(emulator, enter, leaves):
    anna, ben = enter(), enter()
    stream_id = anna.publish()
    subscriber_id = subscribe(ben, stream_id)
    path = f"/stream/{stream_id}/subscriber/{subscriber_id}"
    if leaves == "delete":
        assert ben.ask("delete", path)[0] == "200"
    else:
        getattr(ben, leaves)()
        if leaves == "drop":
            emulator.disconnect(anna.session_id, ben.id)
    assert anna.wait("deleted", path)["content"] == {"id": subscriber_id}


def test_a_stream_that_is_not_there_cannot_be_had(enter):
    page = enter()
    path = f"/stream/{uuid.uuid4()}/subscriber/{uuid.uuid4()}"
    assert page.ask("create", path, {})[0] == "404"


def test_what_a_publisher_measures_goes_to_its_subscribers(enter):
    anna, ben, carl = enter(), enter(), enter()
    stream_id = anna.publish()
    subscriber_id = subscribe(ben, stream_id)
    path = f"/stream/{stream_id}/channel/downlinkStats1/data/{uuid.uuid4()}"
    assert anna.ask("data", path, {"type": "data", "data": "{}"})[0] == "200"
    heard = ben.wait("data", f"/stream/{stream_id}/subscriber/{subscriber_id}/channel")
    assert heard["content"] == {"type": "data", "data": "{}"}
    carl.wait("created", f"/stream/{stream_id}")
    assert carl.hears_nothing()


# Signals


def test_a_signal_reaches_all_with_any_json(enter):
    anna, ben = enter(), enter("subscriber")
    assert anna.ask("signal", "/signal/1", {"type": "a", "data": [1, None]})[0] == "200"
    for page in (anna, ben):
        heard = page.wait("signal")
        assert heard["content"]["data"] == [1, None]
        assert heard["from"] == anna.id


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"type": "x y", "data": ""}, "400"),
        ({"type": 5, "data": ""}, "400"),
        ({"type": "x" * 129, "data": ""}, "413"),
        ({"type": "x", "data": "x" * 8193}, "413"),
        ({"type": "x" * 128, "data": "x" * 8192}, "200"),
        ({}, "200"),
    ],
)
def test_a_signal_has_limits(enter, content, status):
    assert enter().ask("signal", "/signal/1", content)[0] == status


def test_a_signal_to_one_reaches_it_alone(enter):
    anna, ben, carl = enter(), enter(), enter()
    path = f"/connection/{ben.id}/signal/1"
    assert anna.ask("signal", path, {"type": "a", "data": "x"})[0] == "200"
    ben.wait("signal")
    assert carl.hears_nothing()
    assert anna.ask("signal", f"/connection/{uuid.uuid4()}/signal/1", {"data": "x"})[0] == "404"


def test_a_signal_of_the_server_has_no_sender(emulator, enter):
    page = enter()
    path = f"/v2/project/{emulator.api_key}/session/{page.session_id}/signal"
    assert emulator.call("POST", path, json={"type": "a", "data": "x"}).status_code == 204
    heard = page.wait("signal")
    assert (heard["from"], heard["content"]["data"]) == ("", "x")


# Roles


def operations(page, other, stream_id):
    """Each that a role may or may not do: what is asked."""
    own, sub = uuid.uuid4(), uuid.uuid4()
    mute = {"reason": "mute", "channels": ["audio"], "active": True}
    return {
        "publish": ("create", f"/stream/{own}", {"channel": []}),
        "subscribe": ("create", f"/stream/{stream_id}/subscriber/{sub}", {}),
        "signal": ("signal", "/signal/1", {"data": "x"}),
        "mute": ("update", f"/stream/{stream_id}", mute),
        "mute all": ("update", "", mute),
        "unpublish": ("delete", f"/stream/{stream_id}", {}),
        "disconnect": ("delete", f"/connection/{other.id}", {}),
    }


ALLOWED = {
    "subscriber": {"subscribe", "signal"},
    "publisher": {"publish", "subscribe", "signal"},
    "publisheronly": {"publish", "signal"},
    "moderator": {
        *("publish", "subscribe", "signal"),
        *("mute", "mute all", "unpublish", "disconnect"),
    },
}


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_may_do_its_own(enter, role):
    page, other = enter(role), enter()
    stream_id = other.publish()
    done = {
        name
        for name, asked in operations(page, other, stream_id).items()
        if page.ask(*asked)[0] == "200"
    }
    assert done == ALLOWED[role]


# Moderation


def test_a_mute_asks_the_publisher_alone_and_shows_in_the_stream(emulator, enter):
    anna, boss = enter(), enter("moderator")
    stream_id = anna.publish()
    content = {"reason": "mute", "channels": ["audio"], "active": True, "locked": False}
    boss.wait("created", f"/stream/{stream_id}")
    assert boss.ask("update", f"/stream/{stream_id}", content)[0] == "200"
    assert anna.wait("update", f"/stream/{stream_id}")["content"]["reason"] == "mute"
    assert boss.wait("updated", f"/stream/{stream_id}")["content"] == {"active": False}
    assert boss.hears_nothing()


def test_a_mute_of_all_holds_for_latecomers_until_it_ends(enter):
    anna, boss = enter(), enter("moderator")
    of_anna, of_boss = anna.publish(), boss.publish()
    content = {"reason": "mute", "active": True, "exclusion": [of_boss]}
    assert boss.ask("update", "", content)[0] == "200"
    assert anna.wait("update")["content"]["active"] is True
    assert anna.wait("update")["uri"].endswith(of_anna)
    assert enter().state["mute"] == {"active": True}
    assert boss.ask("update", "", {"reason": "mute", "active": False})[0] == "200"
    assert "mute" not in enter().state


@pytest.mark.parametrize("exclusion", ["x", [1], {"a": 1}])
def test_a_mute_that_makes_no_sense_is_refused(enter, exclusion):
    content = {"reason": "mute", "active": True, "exclusion": exclusion}
    assert enter("moderator").ask("update", "", content)[0] == "400"


def test_one_who_is_sent_away_hears_why_and_may_do_nothing_more(enter):
    anna, boss, ben = enter(), enter("moderator"), enter()
    stream_id = anna.publish()
    assert boss.ask("delete", f"/connection/{anna.id}")[0] == "200"
    for page in (anna, boss, ben):
        assert page.wait("deleted", f"/stream/{stream_id}")["reason"] == "forceDisconnected"
        assert page.wait("deleted", f"/connection/{anna.id}")["reason"] == "forceDisconnected"
    assert anna.wait_for_the_end() == 1003
    assert boss.ask("delete", f"/connection/{anna.id}")[0] == "404"


def test_one_who_was_sent_away_does_not_come_back(enter, emulator):
    anna = enter()
    emulator.disconnect(anna.session_id, anna.id)
    anna.wait_for_the_end()
    anna.come_back()
    anna.ping()
    assert anna.wait_for_the_end() == 1011


def test_the_server_sends_a_page_away(emulator, enter):
    page = enter()
    path = f"/v2/project/{emulator.api_key}/session/{page.session_id}/connection/{page.id}"
    assert emulator.call("DELETE", path).status_code == 204
    assert page.wait("deleted", f"/connection/{page.id}")["reason"] == "forceDisconnected"
    assert page.wait_for_the_end() == 1003


# The world


def test_a_recording_follows_what_pages_do_and_they_are_told(emulator, enter):
    anna = enter()
    stream_id = anna.publish()
    body = {"sessionId": anna.session_id, "name": "standup"}
    archive_id = emulator.call("POST", emulator.archives_path, json=body).json()["id"]
    started = anna.wait("created", f"/archive/{archive_id}")["content"]
    assert started == {"id": archive_id, "name": "standup", "status": "started"}
    ben = enter()
    assert ben.state["archive"] == [started]
    anna.ask("delete", f"/stream/{stream_id}")
    assert ben.wait("updated", f"/archive/{archive_id}")["content"] == {"status": "paused"}
    ben.leave()
    anna.wait("deleted", f"/connection/{ben.id}")
    anna.leave()
    anna.wait_for_the_end()
    emulator.advance(61)
    ended = emulator.call("GET", f"{emulator.archives_path}/{archive_id}").json()
    assert ended["reason"] == "session ended"


def test_a_page_hears_that_a_recording_ended_by_itself(emulator, enter):
    anna = enter()
    anna.publish()
    body = {"sessionId": anna.session_id}
    archive = emulator.call("POST", emulator.archives_path, json=body).json()
    emulator.control("POST", "/clock", {"speed": 10_000})  # four hours in 1.44 seconds
    heard = anna.wait("updated", f"/archive/{archive['id']}")["content"]
    assert heard == {"status": "stopped"}


def test_a_recording_that_was_there_before_the_first_page_is_told_to_end(
    emulator, session_id, enter
):
    emulator.connect(session_id)
    started = emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
    path = f"/archive/{started.json()['id']}"
    page = enter()
    emulator.call("POST", f"{emulator.archives_path}{path.removeprefix('/archive')}/stop")
    assert page.wait("updated", path)["content"] == {"status": "stopped"}


def test_auto_connect_steps_aside_for_pages(emulator, enter):
    emulator.control("POST", "/auto-connect", {"enabled": True})
    anna = enter()
    assert [each["id"] for each in anna.state["connection"]] == [anna.id]
    body = {"sessionId": anna.session_id}
    archive = emulator.call("POST", emulator.archives_path, json=body).json()
    emulator.advance(61)  # a minute without a stream
    ended = emulator.call("GET", f"{emulator.archives_path}/{archive['id']}").json()
    assert ended["status"] != "started"


def test_callbacks_tell_of_pages(emulator, session_id):
    with Receiver() as receiver:
        emulator.control(
            "POST", "/callback-url", {"urls": {"session": receiver.url}, "secret": "s" * 32}
        )
        page = RawPage(
            emulator, session_id, client_token(emulator, session_id, connection_data="me")
        )
        page.enter()
        page.publish(name="mine")
        page.leave()
        page.wait_for_the_end()
        events = [each["body"]["event"] for each in emulator.callbacks(attempts=6)]
    assert events == [
        *("sessionCreated", "connectionCreated", "streamCreated"),
        *("streamDestroyed", "connectionDestroyed", "sessionDestroyed"),
    ]


def test_captions_are_spoken_on_demand(emulator, enter):
    anna, ben = enter(), enter()
    stream_id = anna.publish()
    subscribe(ben, stream_id, channel=[{"id": "caption1", "type": "data", "active": True}])
    path = f"/sessions/{anna.session_id}/streams/{stream_id}/captions"
    token = client_token(emulator, anna.session_id, "moderator")
    body = {"sessionId": anna.session_id, "token": token}
    project = f"/v2/project/{emulator.api_key}"
    assert emulator.call("POST", f"{project}/captions", json=body).status_code == 202
    emulator.control("POST", path, {"text": "Grüße", "final": True})
    heard = ben.wait("data", f"/stream/{stream_id}/channel/caption1")
    assert "Gr" in heard["content"]["data"]
    anna.wait("generateoffer")
    anna.wait("created", f"/stream/{stream_id}")
    assert anna.hears_nothing()

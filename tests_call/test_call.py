"""Calls between pages of a real browser, with the unmodified SDK, through the local OpenTok."""

import pytest

from tests.emulator_process import Emulator
from tests_call.conftest import Call
from tests_call.participants import Participant, SdkError


def test_two_people_see_and_hear_each_other(call_of_each_kind):
    call = call_of_each_kind
    anna, ben = call.join(data="anna"), call.join(data="ben")
    of_anna, of_ben = anna.publish({"name": "Anna"}), ben.publish()
    ben.sees_and_hears(of_anna)
    anna.sees_and_hears(of_ben)
    people = call.people()
    assert {each["data"] for each in people["connections"]} == {"anna", "ben"}
    assert {each["streamId"] for each in people["streams"]} == {of_anna, of_ben}


def test_three_people_see_and_hear_each_other(routed):
    people = [routed.join() for _ in range(3)]
    streams = [person.publish() for person in people]
    for person, own in zip(people, streams, strict=True):
        for stream in streams:
            if stream != own:
                person.sees_and_hears(stream)


def test_five_people_hear_each_other(routed):
    people = [routed.join() for _ in range(5)]
    for person in people:
        stream = person.publish({"videoSource": None})
        for other in people:
            if other is not person:
                other.hears(stream)


def test_a_latecomer_is_told_who_is_there_and_sees_them(call):
    anna = call.join(data='{"name":"Ännä"}')
    stream = anna.publish({"name": "Anna's"})
    ben = call.join("subscriber")
    ben.wait("connectionCreated", connection=anna.id)
    assert ben.page.evaluate(f"connections['{anna.id}'].data") == '{"name":"Ännä"}'
    assert ben.page.evaluate(f"find('{stream}').name") == "Anna's"
    ben.sees_and_hears(stream)


def test_a_publisher_who_stops_and_begins_again_is_seen_again(call):
    anna, ben = call.join(), call.join()
    first = anna.publish({"stay": True})
    ben.wait("subscriber:connected", stream=first)
    anna.unpublish(first)
    ben.wait("streamDestroyed", stream=first, reason="clientDisconnected")
    anna.wait("publisher:streamDestroyed", reason="unpublished")
    second = anna.publish_again(first)
    assert second != first
    ben.sees_and_hears(second)
    assert [each["streamId"] for each in call.people()["streams"]] == [second]


def test_what_a_publisher_switches_off_is_told(routed):
    anna, ben = routed.join(), routed.join()
    stream = anna.publish()
    ben.wait("subscriber:connected", stream=stream)
    anna.set_media(stream, {"audio": False, "video": False})
    ben.wait("streamPropertyChanged", property="hasAudio", value=False)
    ben.wait("streamPropertyChanged", property="hasVideo", value=False)
    ben.wait("subscriber:videoDisabled", reason="publishVideo")
    (seen,) = routed.people()["streams"]
    assert (seen["hasAudio"], seen["hasVideo"]) == (False, False)
    anna.set_media(stream, {"audio": True, "video": True})
    ben.wait("subscriber:videoEnabled")
    ben.sees_and_hears(stream)


def test_a_stream_of_sound_alone_has_no_picture(routed):
    anna, ben = routed.join(), routed.join()
    stream = anna.publish({"videoSource": None, "name": "radio"})
    ben.wait("subscriber:connected", stream=stream)
    assert ben.page.evaluate(f"find('{stream}').hasVideo") is False
    assert routed.people()["streams"][0]["videoType"] == ""


def test_a_screen_is_a_stream_of_its_own(routed):
    anna, ben = routed.join(), routed.join()
    camera = anna.publish()
    screen = anna.publish({"videoSource": "screen", "publishAudio": False})
    ben.wait("subscriber:connected", stream=camera)
    ben.wait("subscriber:connected", stream=screen)
    assert ben.page.evaluate(f"find('{screen}').videoType") == "screen"
    kinds = {each["streamId"]: each["videoType"] for each in routed.people()["streams"]}
    assert kinds == {camera: "camera", screen: "screen"}


def test_a_subscriber_who_stops_leaves_the_publisher_as_it_was(call):
    anna, ben, carl = call.join(), call.join(), call.join()
    stream = anna.publish()
    ben.wait("subscriber:connected", stream=stream)
    carl.wait("subscriber:connected", stream=stream)
    ben.unsubscribe(stream)
    anna.page.wait_for_function(f"peers('{stream}').then(count => count === 1)")
    carl.sees_and_hears(stream)
    ben.subscribe(stream)
    ben.sees_and_hears(stream)


def test_a_page_may_subscribe_to_its_own_stream(call):
    anna = call.join(subscribing=False)
    stream = anna.publish()
    anna.subscribe(stream, {"testNetwork": True})
    anna.sees_and_hears(stream)


def test_encrypted_media_is_seen_with_the_same_secret(routed):
    routed.create_session(e2ee="true")
    secret = {"options": {"encryptionSecret": "open sesame"}}
    anna, ben = routed.join(**secret), routed.join(**secret)
    stream = anna.publish()
    ben.sees_and_hears(stream)


def test_events_of_connections_can_be_suppressed(routed):
    anna = routed.join()
    stream = anna.publish()
    ben = routed.join(options={"connectionEventsSuppressed": True})
    ben.sees_and_hears(stream)
    assert ben.events("connectionCreated") == []


def test_statistics_of_the_sender_reach_its_subscribers(relayed):
    anna, ben = relayed.join(), relayed.join()
    stream = anna.publish({"publishSenderStats": True})
    ben.wait("subscriber:connected", stream=stream)
    ben.page.wait_for_function(f"senderStats('{stream}')")


def test_a_preferred_resolution_may_be_asked_for_in_a_routed_session(routed):
    anna, ben = routed.join(), routed.join()
    stream = anna.publish()
    ben.wait("subscriber:connected", stream=stream)
    ben.prefer(stream, {"width": 160, "height": 120})
    ben.sees_and_hears(stream)


def test_a_subscriber_may_not_publish(routed):
    viewer = routed.join("subscriber")
    with pytest.raises(SdkError) as refused:
        viewer.publish()
    assert refused.value.name in ("OT_PERMISSION_DENIED", "OT_STREAM_CREATE_FAILED")
    assert routed.people()["streams"] == []


def test_one_who_only_publishes_may_not_subscribe(routed):
    anna, ben = routed.join(), routed.join("publisheronly", subscribing=False)
    stream = anna.publish()
    ben.wait("streamCreated", stream=stream)
    with pytest.raises(SdkError):
        ben.subscribe(stream)


def test_people_of_the_control_api_are_seen(routed):
    anna = routed.join(subscribing=False)
    connection_id = routed.emulator.connect(routed.session_id)
    anna.wait("connectionCreated", connection=connection_id)
    stream_id = routed.emulator.publish(routed.session_id, connection_id)
    anna.wait("streamCreated", stream=stream_id)
    routed.emulator.unpublish(routed.session_id, stream_id)
    anna.wait("streamDestroyed", stream=stream_id)
    routed.emulator.disconnect(routed.session_id, connection_id)
    anna.wait("connectionDestroyed", connection=connection_id)


def test_a_page_may_come_over_tls(options, tmp_path, chromium, site, monkeypatch):
    certificate = str(tmp_path / "tls.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    with Emulator(*options, "--tls-cert", certificate) as emulator:
        page = Participant(chromium, site, ignore_https_errors=True)
        call = Call(emulator, "routed-opentok", lambda: page)
        anna = call.join()
        assert anna.publish()
        anna.close()

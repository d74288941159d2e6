"""What moderators may do to others, in the browser and from the server."""

import pytest

from tests_call.participants import SdkError


def test_a_moderator_mutes_a_stream(call):
    boss, ben = call.join("moderator", subscribing=False), call.join(subscribing=False)
    stream = ben.publish()
    boss.wait("streamCreated", stream=stream)
    boss.force_mute(stream)
    ben.wait("publisher:muteForced")
    boss.wait("streamPropertyChanged", property="hasAudio", value=False)
    assert call.people()["streams"][0]["hasAudio"] is False


def test_a_moderator_mutes_all_but_some_and_those_who_come_later(routed):
    boss, ben = routed.join("moderator", subscribing=False), routed.join(subscribing=False)
    of_boss, of_ben = boss.publish(), ben.publish()
    boss.wait("streamCreated", stream=of_ben)
    boss.force_mute_all([of_boss])
    ben.wait("muteForced", active=True)
    ben.wait("publisher:muteForced")
    late = routed.join(subscribing=False)
    of_late = late.publish()
    boss.wait("streamCreated", stream=of_late)
    seen = {each["streamId"]: each["hasAudio"] for each in routed.people()["streams"]}
    assert seen == {of_boss: True, of_ben: False, of_late: False}
    boss.disable_force_mute()
    ben.wait("muteForced", active=False)
    last = routed.join(subscribing=False).publish()
    boss.wait("streamCreated", stream=last)
    assert boss.page.evaluate(f"find('{last}').hasAudio") is True


def test_a_moderator_ends_a_stream(routed):
    boss, ben = routed.join("moderator", subscribing=False), routed.join(subscribing=False)
    stream = ben.publish()
    boss.wait("streamCreated", stream=stream)
    boss.force_unpublish(stream)
    ben.wait("publisher:streamDestroyed", reason="forceUnpublished")
    boss.wait("streamDestroyed", stream=stream, reason="forceUnpublished")
    assert routed.people()["streams"] == []


def test_a_moderator_sends_somebody_away(call):
    boss, ben = call.join("moderator", subscribing=False), call.join(subscribing=False)
    ben.publish()
    who = ben.id
    boss.wait("streamCreated")
    boss.force_disconnect(who)
    ben.wait("sessionDisconnected", reason="forceDisconnected")
    boss.wait("streamDestroyed", reason="forceDisconnected")
    boss.wait("connectionDestroyed", connection=who, reason="forceDisconnected")
    assert [each["connectionId"] for each in call.people()["connections"]] == [boss.id]


@pytest.mark.parametrize(
    "deed", ["force_mute", "force_mute_all", "force_unpublish", "force_disconnect"]
)
def test_a_publisher_may_do_nothing_to_others(routed, deed):
    anna, ben = routed.join(subscribing=False), routed.join(subscribing=False)
    stream = ben.publish()
    anna.wait("streamCreated", stream=stream)
    about = {"force_mute": [stream], "force_mute_all": [[]], "force_unpublish": [stream],
             "force_disconnect": [ben.id]}  # fmt: skip
    with pytest.raises(SdkError):
        anna.call(deed, *about[deed])
    assert routed.people()["streams"][0]["hasAudio"] is True


def test_the_server_mutes_a_stream_and_all(call):
    anna, ben = call.join(subscribing=False), call.join(subscribing=False)
    of_anna, of_ben = anna.publish(), ben.publish()
    anna.wait("streamCreated", stream=of_ben)
    assert call.rest("POST", f"{{session}}/stream/{of_ben}/mute").status_code == 200
    ben.wait("publisher:muteForced")
    anna.wait("streamPropertyChanged", stream=of_ben, property="hasAudio", value=False)
    body = {"active": True, "excludedStreamIds": []}
    assert call.rest("POST", "{session}/mute", json=body).status_code == 200
    anna.wait("publisher:muteForced")
    anna.wait("muteForced", active=True)
    assert of_anna


def test_the_server_sends_somebody_away(call):
    anna, ben = call.join(subscribing=False), call.join(subscribing=False)
    who = ben.id
    anna.wait("connectionCreated", connection=who)
    assert call.rest("DELETE", f"{{session}}/connection/{who}").status_code == 204
    ben.wait("sessionDisconnected", reason="forceDisconnected")
    anna.wait("connectionDestroyed", connection=who, reason="forceDisconnected")


def test_the_server_sees_the_streams_of_pages(routed):
    anna = routed.join(subscribing=False)
    stream = anna.publish({"name": "Anna"})
    found = routed.rest("GET", "{session}/stream").json()
    assert [(each["id"], each["name"]) for each in found["items"]] == [(stream, "Anna")]
    assert routed.rest("GET", f"{{session}}/stream/{stream}").json()["videoType"] == "camera"

"""Captions, which a test speaks."""


def start_captions(call):
    body = {"sessionId": call.session_id, "token": call.token("moderator")}
    answer = call.rest("POST", "{project}/captions", json=body)
    assert answer.status_code == 202
    return answer.json()["captionsId"]


def say(call, stream, text, *, final=True):
    path = f"/sessions/{call.session_id}/streams/{stream}/captions"
    call.emulator.control("POST", path, {"text": text, "final": final})


def test_captions_reach_those_who_want_them(routed):
    anna, ben, carl = routed.join(), routed.join(), routed.join(subscribing=False)
    stream = anna.publish({"publishCaptions": True})
    ben.wait("subscriber:connected", stream=stream)
    carl.wait("streamCreated", stream=stream)
    carl.subscribe(stream, {"subscribeToCaptions": False})
    captions_id = start_captions(routed)
    say(routed, stream, "Grüße", final=False)
    assert ben.wait("subscriber:captionReceived")["captions"] == "Grüße"
    carl.subscribe_to_captions(stream, True)
    say(routed, stream, "an alle")
    carl.wait("subscriber:captionReceived", captions="an alle")
    assert carl.events("subscriber:captionReceived", captions="Grüße") == []
    stopped = routed.rest("POST", f"{{project}}/captions/{captions_id}/stop")
    assert stopped.status_code == 202

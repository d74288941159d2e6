"""Signals between pages, and from the server."""

import pytest

from tests_call.participants import SdkError


def test_a_signal_reaches_all_and_says_who_sent_it(call):
    anna, ben = call.join(), call.join()
    anna.send({"type": "chat", "data": "Grüße"})
    for page in (anna, ben):
        heard = page.wait("signal:chat")
        assert (heard["data"], heard["from"]) == ("Grüße", anna.id)


def test_a_signal_to_one_reaches_nobody_else(routed):
    anna, ben, carl = routed.join(), routed.join(), routed.join()
    anna.wait("connectionCreated", connection=ben.id)
    anna.send({"type": "secret", "data": "x", "to": ben.id})
    ben.wait("signal:secret")
    anna.send({"type": "open", "data": "y"})
    carl.wait("signal:open")
    assert carl.events("signal:secret") == []


def test_a_signal_may_carry_no_type_and_any_json(routed):
    anna, ben = routed.join(), routed.join()
    anna.send({"data": {"x": [1, None]}})
    assert ben.wait("signal")["data"] == {"x": [1, None]}


def test_a_signal_to_one_who_has_left_is_an_error(routed):
    anna, ben = routed.join(), routed.join()
    gone = ben.id
    anna.wait("connectionCreated", connection=gone)
    ben.disconnect()
    anna.wait("connectionDestroyed", connection=gone, reason="clientDisconnected")
    with pytest.raises(SdkError) as refused:
        anna.send({"data": "x", "to": gone})
    assert "404" in str(refused.value.code) or refused.value.code == 404


def test_a_flood_of_signals_is_refused_and_the_page_goes_on(routed):
    anna, ben = routed.join(), routed.join()
    refused = anna.flood(600)
    assert 0 < refused < 600
    anna.wait_a_moment()
    anna.send({"type": "after", "data": "x"})
    ben.wait("signal:after")


def test_a_signal_of_the_server_comes_from_nobody(call):
    anna, ben = call.join(), call.join()
    answer = call.rest("POST", "{session}/signal", json={"type": "news", "data": "x"})
    assert answer.status_code == 204
    for page in (anna, ben):
        assert page.wait("signal:news")["from"] is None
    path = f"{{session}}/connection/{ben.id}/signal"
    assert call.rest("POST", path, json={"type": "you", "data": "y"}).status_code == 204
    assert ben.wait("signal:you")["data"] == "y"
    assert anna.events("signal:you") == []

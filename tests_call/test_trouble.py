"""Pages that may not come in, that break, come back, or are told goodbye."""

import time

import pytest

from tests.emulator_process import Emulator
from tests_call.conftest import Call
from tests_call.participants import Participant, SdkError, kill


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (lambda call: call.token(exp=int(time.time()) - 1), "OT_AUTHENTICATION_ERROR"),
        (lambda call: call.token()[:-5] + "AAAAA", "OT_AUTHENTICATION_ERROR"),
        (lambda call: "nonsense", "OT_AUTHENTICATION_ERROR"),
    ],
)
def test_a_bad_token_is_refused_with_the_sdks_own_error(call, token, name):
    page = call.start()
    with pytest.raises(SdkError) as refused:
        page.connect(token(call))
    assert (refused.value.name, refused.value.code) == (name, 1004)


def test_an_unknown_session_is_refused_with_the_sdks_own_error(routed):
    routed.session_id = "1_MX40NTk5OTk5OX5-bm9uc2Vuc2V-MX5-"
    page = routed.start()
    with pytest.raises(SdkError) as refused:
        page.connect(routed.token())
    assert (refused.value.name, refused.value.code) == ("OT_INVALID_SESSION_ID", 1005)


def test_another_projects_key_is_refused_with_the_sdks_own_error(routed):
    page = routed.start(apiKey="45000000")
    with pytest.raises(SdkError) as refused:
        page.connect(routed.token())
    assert (refused.value.name, refused.value.code) == ("OT_AUTHENTICATION_ERROR", 1004)


def test_a_service_that_fails_is_told_to_the_page(routed):
    routed.emulator.fault(path="^/anvil.opentok.com/session/", status=503)
    page = routed.start()
    with pytest.raises(SdkError) as refused:
        page.connect(routed.token())
    assert refused.value.code == 2001


def test_a_page_whose_connection_broke_comes_back_and_misses_nothing(call):
    anna, ben = call.join(), call.join()
    stream = anna.publish()
    ben.wait("subscriber:connected", stream=stream)
    ben.wait("connectionCreated", connection=anna.id)
    call.emulator.control("POST", f"/sessions/{call.session_id}/connections/{ben.id}/break")
    anna.send({"type": "meanwhile", "data": "x"})
    ben.wait("sessionReconnecting")
    ben.wait("sessionReconnected")
    ben.wait("signal:meanwhile")
    ben.send({"type": "back", "data": "y"})
    anna.wait("signal:back")
    ben.sees_and_hears(stream)
    assert anna.events("connectionDestroyed") == []
    assert len(ben.events("signal:meanwhile")) == 1


def test_a_page_that_is_closed_has_left(routed):
    anna, ben = routed.join(), routed.join()
    stream, who = ben.publish(), ben.id
    anna.wait("subscriber:connected", stream=stream)
    ben.close()
    anna.wait("streamDestroyed", stream=stream, reason="clientDisconnected")
    anna.wait("connectionDestroyed", connection=who, reason="clientDisconnected")


def test_a_page_whose_browser_is_killed_is_given_up_after_a_while(routed, launch, site):
    browser = launch()
    anna, ben = routed.join(), Participant(browser, site)
    ben.start({"proxy": routed.emulator.url, "apiKey": routed.project_id,
               "sessionId": routed.session_id})  # fmt: skip
    ben.connect(routed.token())
    stream, who = ben.publish(), ben.id
    anna.wait("streamCreated", stream=stream)
    kill(browser)
    anna.wait("streamDestroyed", stream=stream, reason="networkDisconnected")
    anna.wait("connectionDestroyed", connection=who, reason="networkDisconnected")
    assert [each["connectionId"] for each in routed.people()["connections"]] == [anna.id]


def test_pages_hear_at_once_that_the_local_opentok_ends(options, new_page):
    with Emulator(*options) as emulator:
        anna = Call(emulator, "routed-opentok", new_page).join()
        emulator.stop()
        anna.wait("sessionDisconnected", reason="networkDisconnected", within=20)


def test_pages_hear_at_once_that_the_world_begins_anew(routed):
    anna = routed.join()
    routed.emulator.reset()
    anna.wait("sessionDisconnected", within=20)

"""Pages of the emulator that break, come back, flood, or stand still."""

import threading
import time

import pytest

from emulator.browser.outbox import MAX_SENT, MAX_WAITING, MAX_WAITING_BYTES, Outbox
from emulator.browser.token_bucket import TokenBucket
from tests.client_tokens import client_token
from tests.emulator_process import Emulator
from tests.raw_page import RawPage

OPTIONS = ["--return-seconds", "1"]


@pytest.fixture
def new_page(emulator, session_id):
    pages = []

    def make():
        pages.append(RawPage(emulator, session_id, client_token(emulator, session_id)))
        return pages[-1]

    yield make
    for page in pages:
        page.drop()


@pytest.fixture
def anna(new_page):
    page = new_page()
    page.enter()
    return page


@pytest.fixture
def ben(anna, new_page):
    page = new_page()
    page.enter()
    anna.wait("created", f"/connection/{page.id}")
    return page


def people(page):
    seen = page.emulator.control("GET", f"/sessions/{page.session_id}")
    return {each["connectionId"] for each in seen["connections"]}


def signal(page, data="x", path=""):
    status, _ = page.ask("signal", f"{path}/signal/1", {"type": "a", "data": data})
    return status


# Coming back


def test_a_page_that_comes_back_gets_what_was_meant_for_it(anna, ben):
    ben.drop()
    signal(anna, "one")
    signal(anna, "two")
    ben.come_back()
    assert [ben.wait("signal")["content"]["data"] for _ in range(2)] == ["one", "two"]
    assert signal(ben, "three") == "200"
    assert [anna.wait("signal")["content"]["data"] for _ in range(3)] == ["one", "two", "three"]
    assert anna.hears_nothing()


def test_a_page_that_comes_back_before_its_connection_was_seen_to_break_goes_on(anna, ben):
    ben.come_back()
    assert signal(anna) == "200"
    ben.wait("signal")
    assert people(anna) == {anna.id, ben.id}


def test_what_a_page_did_not_acknowledge_is_sent_again_and_nothing_else(anna, ben):
    signal(anna, "one")
    ben.wait("signal")
    ben.ping()
    assert ben.hears_nothing()
    ben.acknowledges = False
    signal(anna, "two")
    transaction = ben.wait("signal")["transaction"]
    ben.drop()
    ben.come_back()
    again = ben.wait("signal")
    assert (again["content"]["data"], again["transaction"]) == ("two", transaction)
    ben.acknowledges = True
    assert ben.hears_nothing()


def test_a_question_asked_again_is_answered_again_and_done_once(anna, ben):
    content = {"type": "a", "data": "x"}
    transaction = ben.post("signal", "/signal/1", content)
    assert ben.answer(transaction)[0] == "200"
    anna.wait("signal")
    ben.drop()
    ben.come_back()
    ben.post("signal", "/signal/1", content, transaction=transaction)
    assert ben.answer(transaction)[0] == "200"
    assert anna.hears_nothing()


def test_a_page_that_says_it_comes_back_has_not_left(anna, ben):
    ben.say_it_comes_back()
    ben.drop()
    ben.come_back()
    ben.ping()
    assert people(anna) == {anna.id, ben.id}


def test_a_page_that_does_not_come_back_is_given_up(anna, ben):
    stream_id = ben.publish()
    ben.drop()
    assert anna.wait("deleted", f"/stream/{stream_id}")["reason"] == "networkDisconnected"
    assert anna.wait("deleted", f"/connection/{ben.id}")["reason"] == "networkDisconnected"
    assert people(anna) == {anna.id}


def test_a_page_that_comes_back_too_late_is_sent_away(anna, ben):
    ben.drop()
    anna.wait("deleted", f"/connection/{ben.id}")
    ben.come_back()
    ben.ping()
    assert ben.wait_for_the_end() == 1011


def test_a_page_that_was_sent_away_meanwhile_is_sent_away(anna, ben, emulator):
    ben.drop()
    emulator.disconnect(anna.session_id, ben.id)
    ben.come_back()
    ben.ping()
    assert ben.wait_for_the_end() == 1011


def test_a_page_that_leaves_has_left_at_once(anna, ben):
    ben.leave()
    assert anna.wait("deleted", f"/connection/{ben.id}")["reason"] == "clientDisconnected"


def test_a_broken_connection_can_be_played(anna, ben, emulator):
    path = f"/sessions/{anna.session_id}/connections/{ben.id}/break"
    emulator.control("POST", path)
    assert ben.wait_for_the_end() == 1006
    ben.come_back()
    ben.ping()
    assert people(anna) == {anna.id, ben.id}


# Too much


def test_a_flood_of_signals_is_refused_while_others_go_on(anna, ben):
    asked = [ben.post("signal", "/signal/1", {"data": "x"}) for _ in range(500)]
    assert signal(anna) == "200"
    statuses = [ben.answer(transaction)[0] for transaction in asked]
    assert statuses[:200] == ["200"] * 200
    assert statuses.count("429") > 100


def test_a_flood_of_messages_is_slowed_down_while_others_go_on(anna, ben):
    count = 2_400
    began = time.monotonic()
    for _ in range(count):
        ben.ping()
    transaction = ben.post("signal", "/signal/1", {"data": "late"})
    assert signal(anna) == "200"
    assert ben.answer(transaction)[0] == "200"
    # 400 more than a burst, at 200 a second.
    assert time.monotonic() - began > 1.5


def test_a_page_that_reads_nothing_slows_nobody_down(anna, ben, new_page):
    # What fits into the sockets' buffers is soon full, as nothing is read from them.
    text = "x" * 8_000
    heard = []
    reader = threading.Thread(target=lambda: heard.extend(anna.wait("signal") for _ in range(200)))
    reader.start()
    sender = new_page()
    sender.enter()
    for _ in range(200):
        assert signal(sender, text) == "200"
    reader.join()
    assert len(heard) == 200


def test_an_outbox_that_nobody_empties_is_full_and_then_takes_nothing():
    outbox = Outbox()
    for _ in range(MAX_WAITING + 10):
        outbox.put(b"x")
    assert outbox.is_full


def test_an_outbox_is_limited_in_bytes():
    outbox = Outbox()
    outbox.put(b"x" * MAX_WAITING_BYTES)
    assert not outbox.is_full
    outbox.put(b"x")
    assert outbox.is_full


class Sender:
    def wake(self):
        pass


def test_an_outbox_remembers_a_limited_number_of_what_was_sent():
    outbox, sender = Outbox(), Sender()
    outbox.send_by(sender)
    for number in range(MAX_SENT + 5):
        outbox.put(b"%d" % number, transaction=str(number))
        outbox.take(sender)
    outbox.send_by(sender)
    assert outbox.take(sender) == b"5"


def test_a_connection_that_was_replaced_takes_nothing_more_from_the_outbox():
    outbox, old, new = Outbox(), Sender(), Sender()
    outbox.send_by(old)
    outbox.send_by(new)
    outbox.put(b"x")
    assert outbox.take(old) is None
    assert outbox.take(new) == b"x"


def test_a_pace_allows_a_burst_and_then_so_much_each_second():
    pace = TokenBucket(3, 0.001)
    assert [pace.delay(1) for _ in range(3)] == [0, 0, 0]
    assert pace.delay(1) > 500
    pace = TokenBucket(2, 0.001)
    assert [pace.admits() for _ in range(4)] == [True, True, False, False]


# The end


def test_pages_are_told_goodbye_when_the_program_ends():
    with Emulator() as emulator:
        (made,) = emulator.call("POST", "/session/create").json()
        session_id = made["session_id"]
        page = RawPage(emulator, session_id, client_token(emulator, session_id))
        page.enter()
        page.read_in_background()
        began = time.monotonic()
        assert emulator.stop() == 0
        assert time.monotonic() - began < 1
        assert page.ended_with() == 1011


def test_pages_are_told_goodbye_when_the_world_begins_anew(anna, ben, emulator):
    emulator.reset()
    assert anna.wait_for_the_end() == 1011
    assert ben.wait_for_the_end() == 1011
    assert people(anna) == set()


def test_a_page_may_enter_a_session_after_the_world_began_anew(anna, emulator, new_page):
    emulator.reset()
    page = new_page()
    assert [each["id"] for each in page.enter()["connection"]] == [page.id]

"""Of a worker's threads one takes requests, and another one as soon as it waits."""

import gc
import queue
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from django.http import HttpResponse, StreamingHttpResponse

from config import worker
from config.worker import Answer, Duty

THREADS = 6


class Pool:
    """Gives requests to its threads as granian does: to whoever asks first, once it is back."""

    def __init__(self, duty):
        self.duty = duty
        self.requests = queue.Queue()
        self.begun = queue.Queue()
        self.ended = queue.Queue()
        self.back = queue.Queue()
        for _ in range(THREADS):
            threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            request = self.requests.get()
            self.duty.begin()
            self.begun.put(threading.get_ident())
            request()
            self.ended.put(threading.get_ident())
            self.duty.end()
            self.back.put(threading.get_ident())

    def answer(self, count, request=lambda: None):
        """The threads that answer so many requests, which come one after the other."""
        threads = []
        for _ in range(count):
            self.requests.put(request)
            threads.append(self.ended.get(timeout=5))
        return threads


@pytest.fixture
def duty(monkeypatch):
    """One whose watch takes so long that it plays no part."""
    monkeypatch.setattr(worker, "MOMENT_SECONDS", 60)
    return Duty()


def everybody_at_once(pool):
    """Have each thread work on a request at the same time, after which all but one rest."""
    together = threading.Barrier(THREADS)
    for _ in range(THREADS):
        pool.requests.put(together.wait)
    for _ in range(THREADS):
        pool.begun.get(timeout=5)
        pool.ended.get(timeout=5)


def test_one_thread_takes_all_requests_once_all_have_had_one(duty):
    pool = Pool(duty)
    everybody_at_once(pool)
    assert len(set(pool.answer(50))) == 1


def test_another_one_takes_over_from_whoever_is_about_to_wait(duty):
    pool = Pool(duty)
    everybody_at_once(pool)
    may_go_on = threading.Event()

    def wait():
        duty.hand_over()
        may_go_on.wait(5)

    pool.requests.put(wait)
    answering = set(pool.answer(50))
    assert len(answering) == 1
    may_go_on.set()
    waited = pool.ended.get(timeout=5)
    assert waited not in answering
    assert set(pool.answer(50)) == answering


def test_all_but_the_last_thread_may_wait_at_the_same_time(duty):
    pool = Pool(duty)
    everybody_at_once(pool)
    may_go_on = threading.Event()
    for _ in range(THREADS - 1):
        pool.requests.put(lambda: (duty.hand_over(), may_go_on.wait(5)))
    assert len(set(pool.answer(50))) == 1
    may_go_on.set()


def test_whoever_waits_without_a_word_is_replaced_as_well():
    pool = Pool(Duty())
    everybody_at_once(pool)
    may_go_on = threading.Event()
    pool.requests.put(lambda: may_go_on.wait(5))
    assert len(set(pool.answer(50))) == 1
    may_go_on.set()


@pytest.fixture
def soon_idle(monkeypatch):
    """Everybody goes back after so short a time, of which no request takes a noticeable part."""
    monkeypatch.setattr(worker, "MOMENT_SECONDS", 0.05)
    monkeypatch.setattr(worker, "IDLE_MOMENTS", 2)
    return Duty()


def test_everybody_goes_back_to_the_server_each_time_that_nothing_is_asked_for(soon_idle):
    pool = Pool(soon_idle)
    for _ in range(3):
        everybody_at_once(pool)
        assert len({pool.back.get(timeout=5) for _ in range(THREADS)}) == THREADS


def test_whoever_has_waited_while_nothing_was_asked_for_goes_back_as_well(soon_idle):
    pool = Pool(soon_idle)
    may_go_on = threading.Event()
    for _ in range(2):
        pool.requests.put(lambda: (soon_idle.hand_over(), may_go_on.wait(5)))
    together = threading.Barrier(THREADS - 2)
    for _ in range(THREADS - 2):
        pool.requests.put(together.wait)
    back = {pool.back.get(timeout=5) for _ in range(THREADS - 2)}
    may_go_on.set()
    back |= {pool.back.get(timeout=5) for _ in range(2)}
    assert len(back) == THREADS


def test_an_answer_keeps_its_thread_only_when_all_of_it_is_out(duty):
    closed = []
    response = HttpResponse(b"whole")
    response.close = lambda: closed.append(True)
    duty.begin()
    answer = Answer(response, duty)
    assert (b"".join(answer), closed) == (b"whole", [])
    answer.close()
    assert closed == [True]


def test_a_body_of_unknown_length_is_ended_by_the_server(monkeypatch):
    endless = StreamingHttpResponse([b"a", b"b"])
    monkeypatch.setattr(worker, "django", lambda environ, start_response: endless)
    assert worker.application({}, None) is endless


def test_answers_of_every_kind_end_on_a_connection_that_is_kept(server):
    """They are all out although most of the threads that made them rest."""

    def visit(_):
        with requests.Session() as client:
            page = client.get(f"{server.url}/static/site.css", timeout=5)
            known = {"If-Modified-Since": page.headers["Last-Modified"]}
            return [
                page.status_code,
                client.get(f"{server.url}/static/site.css", headers=known, timeout=5).status_code,
                client.get(f"{server.url}/room/lobby", timeout=5).status_code,
                client.head(f"{server.url}/room/lobby", timeout=5).status_code,
                client.options(f"{server.url}/room/lobby", timeout=5).status_code,
                client.get(f"{server.url}/session", allow_redirects=False, timeout=5).status_code,
                client.get(f"{server.url}/nothing", timeout=5).status_code,
            ]

    with ThreadPoolExecutor(40) as crowd:
        visits = list(crowd.map(visit, range(120)))
    assert {tuple(visit) for visit in visits} == {(200, 304, 200, 200, 204, 302, 404)}


def test_a_body_that_nobody_reads_holds_up_no_connection(server, opentok):
    """Its thread has waited, and others take requests, so that it would rest."""
    opentok.fault(path="/v2/project", delay=0.1)
    is_over = threading.Event()

    def ask_on(_):
        with requests.Session() as client:
            while not is_over.is_set():
                client.get(f"{server.url}/room/lobby", timeout=5)

    with ThreadPoolExecutor(4) as crowd:
        asking = crowd.map(ask_on, range(4))
        try:
            for _ in range(8):
                # The server may end a connection with something unread, but must not be silent.
                with requests.Session() as client, suppress(requests.ConnectionError):
                    path = f"/archive/{uuid.uuid4()}"
                    client.get(server.url + path, data=b"x" * 90_000, timeout=5)
                    client.get(f"{server.url}/healthz", timeout=3)
        finally:
            is_over.set()
        list(asking)


def test_what_is_there_before_the_first_request_is_never_looked_through_again():
    assert gc.get_freeze_count() > 10_000

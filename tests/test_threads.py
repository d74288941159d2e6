"""The threads that answer requests, of which few run at a time: config/threads.py."""

import asyncio
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from config.threads import RUNNING, THREADS, Threads
from video import concurrency


def run(scenario):
    """What `scenario(threads)` returns, a coroutine that is given new ones."""

    async def main():
        async with asyncio.timeout(10):
            return await scenario(Threads())

    return asyncio.run(main())


def working_threads():
    return sum(thread.name.endswith("(_work)") for thread in threading.enumerate())


class Meeting:
    """Counts how many are inside at the same time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def attend(self, stay):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        stay()
        with self.lock:
            self.inside -= 1


def test_few_calls_run_at_a_time_and_all_are_answered():
    meeting = Meeting()

    async def scenario(threads):
        calls = (threads.run(meeting.attend, lambda: sum(range(1000))) for _ in range(500))
        return len(await asyncio.gather(*calls))

    assert run(scenario) == 500
    assert meeting.most <= RUNNING


@pytest.mark.parametrize("says_so", [True, False], ids=["said", "unsaid"])
def test_calls_that_wait_let_others_run(says_so):
    meeting, may_go_on = Meeting(), threading.Event()

    def wait():
        if says_so:
            concurrency.about_to_wait.send(None)
        may_go_on.wait(10)

    async def scenario(threads):
        waiting = [
            asyncio.ensure_future(threads.run(meeting.attend, wait)) for _ in range(THREADS - 1)
        ]
        answer = await threads.run(lambda: "answered")
        while meeting.inside < THREADS - 1:
            await asyncio.sleep(0.01)
        may_go_on.set()
        await asyncio.gather(*waiting)
        return answer

    assert run(scenario) == "answered"


def test_there_are_no_more_threads_than_were_needed_at_once():
    may_go_on = threading.Event()
    before = working_threads()

    async def scenario(threads):
        for _ in range(50):
            await threads.run(lambda: None)
        alone = working_threads() - before
        calls = [asyncio.ensure_future(threads.run(may_go_on.wait, 10)) for _ in range(THREADS + 5)]
        while working_threads() < before + THREADS:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        together = working_threads() - before
        may_go_on.set()
        await asyncio.gather(*calls)
        return alone, together

    alone, together = run(scenario)
    assert alone <= 2  # the first one may not have ended its call when the next one comes
    assert together == THREADS


def test_where_no_more_threads_may_start_those_that_there_are_answer_all(monkeypatch):
    async def scenario(threads):
        await threads.run(lambda: None)

        def start(thread):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        return await asyncio.gather(*(threads.run(lambda: "answered") for _ in range(20)))

    assert run(scenario) == ["answered"] * 20


def test_after_many_have_waited_few_run_again():
    meeting, may_go_on = Meeting(), threading.Event()

    async def scenario(threads):
        waiting = [asyncio.ensure_future(threads.run(may_go_on.wait, 10)) for _ in range(20)]
        await threads.run(lambda: None)
        may_go_on.set()
        await asyncio.gather(*waiting)
        await asyncio.gather(*(threads.run(meeting.attend, lambda: None) for _ in range(200)))

    run(scenario)
    assert meeting.most <= RUNNING


def test_an_error_of_a_call_is_its_callers():
    async def scenario(threads):
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 / 0)
        return await threads.run(lambda: 1)

    assert run(scenario) == 1


def test_answers_of_every_kind_end_on_a_connection_that_is_kept(server):
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
    script = "import gc, config.asgi; print(gc.get_freeze_count())"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) > 10_000

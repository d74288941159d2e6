"""The connections to PostgreSQL are shared in turns: whoever came first is next."""

import threading
from concurrent.futures import ThreadPoolExecutor

from config.postgresql.fair_semaphore import FairSemaphore


def test_those_who_wait_are_let_in_in_the_order_in_which_they_came():
    turns, order = FairSemaphore(1), []
    assert turns.acquire(timeout=0)

    def wait(name, came):
        came.set()
        assert turns.acquire(timeout=10)
        order.append(name)
        turns.release()

    with ThreadPoolExecutor(5) as crowd:
        for name in range(5):
            came = threading.Event()
            crowd.submit(wait, name, came)
            came.wait(10)
            while turns.waiting() <= name:
                pass
        turns.release()
        # Whoever has just released comes after those who were waiting.
        assert turns.acquire(timeout=10)
        assert order == list(range(5))


def test_somebody_who_gives_up_takes_nobodys_turn():
    turns = FairSemaphore(1)
    assert turns.acquire(timeout=0)
    assert not turns.acquire(timeout=0.01)
    turns.release()
    assert turns.acquire(timeout=0)
    assert not turns.acquire(timeout=0)


def test_no_more_are_let_in_than_there_are_places():
    turns, inside, most = FairSemaphore(3), [], []

    def visit(_):
        assert turns.acquire(timeout=10)
        inside.append(1)
        most.append(len(inside))
        inside.pop()
        turns.release()

    with ThreadPoolExecutor(12) as crowd:
        list(crowd.map(visit, range(600)))
    assert max(most) <= 3
    assert turns.waiting() == 0

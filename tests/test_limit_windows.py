"""Where limits are counted: in the memory of each process, or in Redis while it answers."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import parse

from access import redis_windows
from access.limits import MemoryWindows
from access.redis_windows import RedisWindows
from tests.server_process import statuses

LIMIT = "join=20/hour"


def test_two_machines_with_one_redis_count_together(limited, redis):
    servers = [limited(LIMIT, REDIS_URL=redis.url, WEB_CONCURRENCY="2") for _ in range(2)]
    came = sum(
        (statuses(server, ["/room/standup"] * 30) for server in servers),
        start=statuses(servers[0], []),
    )
    assert came == {200: 20, 429: 40}
    told = servers[0].get("/room/standup")
    assert 3500 < int(told.headers["Retry-After"]) <= 3600


@pytest.mark.parametrize("trouble", ["hangs", "is gone"])
def test_when_redis_is_away_each_process_counts_by_itself(trouble, limited, redis):
    server = limited(LIMIT, REDIS_URL=redis.url)
    assert server.get("/room/standup").status_code == 200
    redis.hang() if trouble == "hangs" else redis.process.kill()
    began = time.monotonic()
    assert statuses(server, ["/room/standup"] * 60) == {200: 20, 429: 40}
    assert time.monotonic() - began < 5
    written = server.stop()
    assert written.count("Limits are not counted in Redis: ") == 1


def test_a_redis_that_comes_back_counts_again(redis, monkeypatch, caplog):
    windows, limit = RedisWindows(redis.url), parse("2/hour")
    redis.hang()
    assert windows.count(limit, ("join",)) is None
    redis.wake()
    # It is left alone for a while, and not asked by each request.
    assert windows.count(limit, ("join",)) is None
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + redis_windows.REST_SECONDS + 1)
    counted = [windows.count(limit, ("join",)) for _ in range(3)]
    assert counted == [0, 0, pytest.approx(time.time() + 3600, abs=60)]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "Limits are not counted in Redis",
        "Limits are counted in Redis again",
    ]


@pytest.fixture
def clock(monkeypatch):
    """Its seconds, for the test to move."""
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_threads_of_a_process_count_exactly():
    windows, limit = MemoryWindows(), parse("500/hour")
    with ThreadPoolExecutor(8) as crowd:
        counted = Counter(crowd.map(lambda _: windows.count(limit, ("join",)) == 0, range(2000)))
    assert counted == {True: 500, False: 1500}


def test_a_window_ends_by_itself_however_much_is_refused_in_it(clock):
    windows, limit = MemoryWindows(), parse("1/minute")
    assert windows.count(limit, ("join",)) == 0
    clock[0] += 59
    assert windows.count(limit, ("join",)) == pytest.approx(time.time() + 1, abs=1)
    clock[0] += 1
    assert windows.count(limit, ("join",)) == 0


def test_windows_that_have_ended_make_room(clock):
    windows, limit = MemoryWindows(), parse("1/minute")
    for number in range(100):
        windows.count(limit, (str(number),))
        clock[0] += 6
    assert len(windows._windows) <= 11


def test_a_crowd_of_addresses_takes_bounded_memory_and_frees_none_that_goes_on(monkeypatch):
    monkeypatch.setattr(MemoryWindows, "MOST", 100)
    windows, limit = MemoryWindows(), parse("1/hour")
    assert windows.count(limit, ("attacker",)) == 0
    for number in range(1000):
        assert windows.count(limit, (str(number),)) == 0
        assert windows.count(limit, ("attacker",)) > 0
    assert len(windows._windows) == 100

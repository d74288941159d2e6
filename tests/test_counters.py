"""Where limits are counted, and that nothing which happens there stops the service."""

import fcntl
import os
import resource
import threading
import time
import uuid

import pytest
from limits import parse

from access import counters, local_windows
from access.local_windows import PLACES, LocalWindows
from rooms.models import Room
from tests.redis_process import Redis
from tests.server_process import statuses

LIMIT = "join=20/hour"


@pytest.fixture
def store():
    with Redis() as redis:
        yield redis


def test_two_machines_with_one_redis_count_together(limited, store):
    # With different secrets they share no file.
    servers = [limited(LIMIT, REDIS_URL=store.url) for _ in range(2)]
    came = sum(
        (statuses(server, ["/room/standup"] * 30) for server in servers),
        start=statuses(servers[0], []),
    )
    assert came == {200: 20, 429: 40}
    told = servers[0].get("/room/standup")
    assert 3500 < int(told.headers["Retry-After"]) <= 3600


@pytest.mark.parametrize("trouble", ["hangs", "is gone"])
def test_when_redis_is_away_each_machine_counts_for_itself(trouble, limited, store):
    server = limited(LIMIT, REDIS_URL=store.url, WEB_CONCURRENCY="1")
    assert server.get("/room/standup").status_code == 200
    store.hang() if trouble == "hangs" else store.process.kill()
    began = time.monotonic()
    assert statuses(server, ["/room/standup"] * 60) == {200: 20, 429: 40}
    assert time.monotonic() - began < 5
    written = server.stop()
    assert written.count("Limits are not counted in Redis: ") == 1


def test_a_redis_that_comes_back_counts_again(store, settings, monkeypatch, caplog):
    settings.REDIS_URL = store.url
    monkeypatch.setattr(counters, "REST_SECONDS", 0)
    limit, who = parse("3/hour"), uuid.uuid4().hex
    store.hang()
    assert counters.hit(limit, who)
    store.wake()
    assert [counters.hit(limit, who) for _ in range(5)] == [True, True, True, False, False]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "Limits are not counted in Redis",
        "Limits are counted in Redis again",
    ]


def test_a_file_that_is_locked_or_deleted_lets_everybody_in(limited, tmp_path):
    server = limited(LIMIT, TMPDIR=str(tmp_path), WEB_CONCURRENCY="1")
    (path,) = tmp_path.glob("opentok-rooms-*/limits-*.table")
    assert server.get("/room/standup").status_code == 200
    with path.open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert statuses(server, ["/room/standup"] * 40) == {200: 40}
    path.unlink()
    assert server.get("/room/standup").status_code == 200
    assert "Limits are not counted in a file of this machine" in server.stop()


def test_a_file_that_somebody_empties_ends_no_process(limited, tmp_path):
    server = limited(LIMIT, TMPDIR=str(tmp_path))
    (path,) = tmp_path.glob("opentok-rooms-*/limits-*.table")
    assert statuses(server, ["/room/standup"] * 40) == {200: 20, 429: 20}
    workers = server.workers()
    os.truncate(path, 0)
    assert statuses(server, ["/room/standup"] * 40) == {200: 20, 429: 20}
    assert server.workers() == workers


def test_processes_that_start_after_the_file_was_deleted_count_with_the_others(tmp_path):
    path, limit = tmp_path / "limits.table", parse("2/hour")
    earlier = LocalWindows(path)
    assert earlier.hit(limit, "join")
    path.unlink()
    later = LocalWindows(path)
    assert [at.hit(limit, "join") for at in (later, earlier, later)] == [True, True, False]


def test_a_disk_without_room_for_the_file_lets_everybody_in(limited, tmp_path):
    Room.objects.open("standup")  # or the database would have to write, too
    server = limited(LIMIT, TMPDIR=str(tmp_path), WEB_CONCURRENCY="1")
    for process in server.workers():
        resource.prlimit(process, resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    (path,) = tmp_path.glob("opentok-rooms-*/limits-*.table")
    path.unlink()  # it had room for the one that was made at the start
    assert statuses(server, ["/room/standup"] * 40) == {200: 40}
    assert "Limits are not counted in a file of this machine" in server.stop()


def test_a_file_that_a_crash_has_broken_is_used_all_the_same(tmp_path):
    path = tmp_path / "limits.table"
    path.write_bytes(os.urandom(100_001))
    windows = LocalWindows(path)
    assert [windows.hit(parse("1/hour"), "join") for _ in range(2)] == [True, False]


def test_another_process_is_waited_for(tmp_path):
    windows = LocalWindows(tmp_path / "limits.table")
    windows.hit(parse("2/hour"), "join")
    with windows.path.open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        threading.Timer(0.2, fcntl.flock, [holder, fcntl.LOCK_UN]).start()
        assert windows.hit(parse("2/hour"), "join")
    assert not windows.hit(parse("2/hour"), "join")


@pytest.fixture
def one_bucket(tmp_path, monkeypatch):
    monkeypatch.setattr(local_windows, "BUCKETS", 1)
    return LocalWindows(tmp_path / "limits.table")


def test_a_window_that_has_ended_makes_room(one_bucket):
    lasting = [f"lasting-{number}" for number in range(PLACES - 1)]
    assert one_bucket.hit(parse("1/second"), "short")
    assert all(one_bucket.hit(parse("1/hour"), name) for name in lasting)
    time.sleep(1)
    assert one_bucket.hit(parse("1/hour"), "new")
    assert not any(one_bucket.hit(parse("1/hour"), name) for name in [*lasting, "new"])


def test_where_there_is_no_room_what_is_used_most_is_kept(one_bucket):
    code = parse("3/hour")
    assert [one_bucket.hit(code, "code") for _ in range(4)] == [True, True, True, False]
    for number in range(500):
        assert one_bucket.hit(parse("2/hour"), str(number))
    assert not one_bucket.hit(code, "code")


def test_a_window_says_what_is_left_of_it_and_when_it_ends(one_bucket):
    limit = parse("3/hour")
    assert one_bucket.get_window_stats(limit, "join").remaining == 3
    one_bucket.hit(limit, "join")
    assert one_bucket.hit(limit, "join", cost=-1)
    assert one_bucket.hit(limit, "join", cost=2)
    ends, remaining = one_bucket.get_window_stats(limit, "join")
    assert (ends, remaining) == (pytest.approx(time.time() + 3600, abs=5), 1)


def test_a_clock_that_was_far_ahead_leaves_no_window_for_years(one_bucket, monkeypatch):
    limit, now = parse("1/hour"), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10**6)
    assert one_bucket.hit(limit, "join")
    monkeypatch.setattr(time, "time", lambda: now)
    assert [one_bucket.hit(limit, "join") for _ in range(2)] == [True, False]
    assert one_bucket.get_window_stats(limit, "join").reset_time == now + 3600
    monkeypatch.setattr(time, "time", lambda: now - 1)
    assert not one_bucket.hit(limit, "join")

"""Where limits are counted, and that nothing which happens there stops the service."""

import sqlite3
import time
import uuid

import pytest
from limits import parse

from access import counters
from access.local_windows import LocalWindows
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
    (path,) = tmp_path.glob("opentok-rooms-*/limits-*.sqlite3")
    holder = sqlite3.connect(path, isolation_level=None)
    assert server.get("/room/standup").status_code == 200
    holder.execute("BEGIN IMMEDIATE")
    assert statuses(server, ["/room/standup"] * 40) == {200: 40}
    holder.close()
    for part in path.parent.iterdir():
        part.unlink()
    assert server.get("/room/standup").status_code == 200
    assert "Limits are not counted in a file of this machine" in server.stop()


def test_a_file_that_a_crash_has_broken_is_made_anew(tmp_path):
    path = tmp_path / "limits.sqlite3"
    path.write_bytes(b"nothing that SQLite knows" * 400)
    windows = LocalWindows(path)
    with pytest.raises(sqlite3.DatabaseError):
        windows.hit(parse("1/hour"), "join")
    assert [windows.hit(parse("1/hour"), "join") for _ in range(2)] == [True, False]


def test_windows_that_have_ended_are_thrown_away(tmp_path):
    windows = LocalWindows(tmp_path / "limits.sqlite3")
    for number in range(50):
        windows.hit(parse("1/second"), str(number))
    until = time.monotonic() + 10
    while windows.get_window_stats(parse("1/second"), "49").reset_time > time.time():
        assert time.monotonic() < until
    LocalWindows(windows.path).hit(parse("1/hour"), "join")
    rows = sqlite3.connect(windows.path).execute("SELECT count(*) FROM windows")
    assert rows.fetchone() == (1,)

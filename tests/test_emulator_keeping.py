"""`python -m emulator --keep`: the archives of one run are known to the next."""

import json
import subprocess
import sys

import pytest

from tests.emulator_process import ROOT, Emulator


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "archives.json"


@pytest.fixture
def emulator(path):
    with Emulator("--auto-connect", "--keep", str(path)) as emulator:
        yield emulator


def start(emulator, **fields):
    form = {"headers": {"Accept": "application/json"}}
    (session,) = emulator.call("POST", "/session/create", **form).json()
    body = {"sessionId": session["session_id"], **fields}
    return emulator.call("POST", emulator.archives_path, json=body).json()


def look(emulator, archive):
    answer = emulator.call("GET", f"{emulator.archives_path}/{archive['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def stop(emulator, archive):
    emulator.call("POST", f"{emulator.archives_path}/{archive['id']}/stop")


def test_archives_survive_a_kill_as_they_were_answered(emulator):
    archives = [
        start(emulator, name="x", outputMode="individual"),
        start(emulator, streamMode="manual", hasTranscription=True, multiArchiveTag="t"),
        start(emulator),
        start(emulator),
    ]
    stop(emulator, archives[0])
    emulator.advance(10)
    stop(emulator, archives[2])
    emulator.call("DELETE", f"{emulator.archives_path}/{archives[0]['id']}")
    before = [look(emulator, archive) for archive in archives[1:]]
    emulator.kill()
    emulator.start()
    assert [look(emulator, archive) for archive in archives[1:]] == before
    gone = emulator.call("GET", f"{emulator.archives_path}/{archives[0]['id']}")
    assert gone.status_code == 404
    assert emulator.call("GET", emulator.archives_path).json()["count"] == 3


def test_what_the_clock_does_it_does_after_a_restart_as_well(emulator):
    archive = start(emulator)
    stop(emulator, archive)
    emulator.stop()
    emulator.start()
    emulator.advance(10)
    seen = look(emulator, archive)
    assert seen["status"] == "available"
    assert emulator.call("GET", seen["url"].removeprefix(emulator.url)).content
    emulator.advance(72 * 3600)
    assert look(emulator, archive)["status"] == "expired"


def test_nobody_is_connected_any_more_after_a_restart(path):
    with Emulator("--keep", str(path)) as emulator:
        (session,) = emulator.call(
            "POST", "/session/create", headers={"Accept": "application/json"}
        ).json()
        emulator.publish(session["session_id"])
        body = {"sessionId": session["session_id"]}
        archive = emulator.call("POST", emulator.archives_path, json=body).json()
        emulator.kill()
        emulator.start()
        assert look(emulator, archive)["status"] == "paused"
        emulator.advance(61)
        assert look(emulator, archive)["status"] == "stopped"


def test_a_reset_is_kept_too(emulator):
    start(emulator)
    emulator.reset()
    emulator.start()
    assert emulator.call("GET", emulator.archives_path).json()["count"] == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"version": 2, "archives": []}',
     b'{"version": 1, "archives": [{}]}', b'{"version": 1, "archives": {"a": 1}}',
     b'{"version": 1, "archives": [{"project": 1}]}'],
)  # fmt: skip
def test_a_broken_file_is_said_in_a_line_kept_aside_and_begun_anew(content, path):
    path.parent.mkdir()
    path.write_bytes(content)
    command = [sys.executable, "-m", "emulator", "--port", "0", "--keep", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True) as process:
        assert "listening" in process.stdout.readline()
        process.terminate()
        _, said = process.communicate(timeout=20)
    (aside,) = path.parent.glob("archives.json.damaged-*")
    assert aside.read_bytes() == content
    assert said == (f"{path} is not understood, and begun anew. What it was is in {aside.name}.\n")
    with Emulator("--auto-connect", "--keep", str(path)) as emulator:
        start(emulator)
    assert len(json.loads(path.read_text())["archives"]) == 1


def test_two_at_once_do_not_lose_each_others_archives(emulator, path):
    archive = start(emulator)
    with Emulator("--auto-connect", "--keep", str(path)) as second:
        start(second)
        start(emulator)
    emulator.start()
    assert look(emulator, archive)["status"] == "started"
    assert emulator.call("GET", emulator.archives_path).json()["count"] == 2


def test_a_file_that_cannot_be_written_costs_no_answer(path):
    path.parent.mkdir()
    path.with_suffix(".new").mkdir()
    with Emulator("--auto-connect", "--keep", str(path)) as emulator:
        assert start(emulator)["status"] == "started"

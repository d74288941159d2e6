"""What `make test` runs is ended in order, and its last lines say what failed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server_process import ROOT

# Says where its files go, and what it does when it is ended.
PATIENT = """
import tempfile, time
try:
    print(tempfile.gettempdir(), flush=True)
    time.sleep(60)
finally:
    time.sleep(1)
    print("put away", flush=True)
"""

# Has a worker as pytest has them: one that has not ended in time is killed.
WITH_A_WORKER = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
try:
    worker.wait()
finally:
    try:
        worker.wait(5)
    finally:
        worker.kill()
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("code", [[PATIENT], [WITH_A_WORKER, PATIENT]], ids=["alone", "worker"])
def test_a_command_on_a_database_may_put_away_what_it_has_started(ending, code):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.on_sqlite", sys.executable, "-c", *code],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        process.send_signal(ending)
        assert process.stdout.read() == "put away\n"
    assert process.returncode != 0
    assert not folder.exists()


PASSES = "import time; time.sleep(0.5); print('1 passed')"
SUMMARY = """
ERROR    root:app.py:1 logged by a test
=== short test summary info ===
SKIPPED [1] tests/test_c.py:3: no PgBouncer
FAILED tests/test_a.py::test_one - assert 1 == 2
ERROR tests/test_b.py::test_two
=== 1 failed, 1 error, 1 skipped ===
"""
FAILS = f"print({SUMMARY!r}); raise SystemExit(1)"
CRASHES = "print('ERROR no summary', *range(98), sep='\\n'); raise SystemExit(4)"


def on_both(**codes):
    runs = {name: [sys.executable, "-c", code] for name, code in codes.items()}
    code = f"import sys, tests.on_both; sys.exit(tests.on_both.together({runs}))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, stdout=subprocess.PIPE)


def test_the_output_of_both_databases_ends_with_what_failed_on_the_quicker_one():
    both = on_both(sqlite=FAILS, postgresql=PASSES)
    assert both.returncode == 1
    assert both.stdout.splitlines()[-5:] == [
        "postgresql | 1 passed",
        "",
        "Failed on sqlite:",
        "sqlite     | FAILED tests/test_a.py::test_one - assert 1 == 2",
        "sqlite     | ERROR tests/test_b.py::test_two",
    ]


def test_of_a_run_that_names_no_failure_the_last_thirty_lines_are_repeated():
    lines = on_both(sqlite=PASSES, postgresql=CRASHES).stdout.splitlines()
    assert lines[-31] == "Failed on postgresql:"
    assert lines[-30:] == [f"postgresql | {number}" for number in range(68, 98)]


def test_nothing_is_repeated_where_both_databases_pass():
    both = on_both(sqlite=PASSES, postgresql=PASSES)
    assert both.returncode == 0
    assert sorted(both.stdout.splitlines()) == ["postgresql | 1 passed", "sqlite     | 1 passed"]

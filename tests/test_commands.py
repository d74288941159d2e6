"""What `make test` runs is ended in order: nothing that it has started stays behind."""

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

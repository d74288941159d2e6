"""Servers and commands that are forked begin with all that a process of their own has."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests import forked
from tests.forked import Forked
from tests.server_process import ROOT

NOWHERE = {"stdout": "/dev/null", "stderr": "/dev/null"}


@pytest.mark.parametrize("begun", [["-m", "tests.self_portrait"], ["tests/self_portrait.py"]])
def test_a_forked_process_is_given_what_one_of_its_own_is(begun):
    how = {"cwd": ROOT, "env": os.environ | {"PORT": "1", "DJANGO_SETTINGS_MODULE": "x"}}
    arguments = [*begun, "--host", "a b"]
    own = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True, text=True, start_new_session=True, check=False, **how,
    )  # fmt: skip
    done = forked.run(arguments, **how)
    assert json.loads(done.stdout) == json.loads(own.stdout)
    assert (done.returncode, done.stderr) == (own.returncode, own.stderr) == (1, "Not started.\n")


def test_forked_code_is_given_what_code_of_a_process_of_its_own_is():
    code = "import sys; print(sys.argv, sys.path[0], __name__); sys.exit('Not started.')"
    arguments, how = ["-c", code, "--host", "a b"], {"cwd": ROOT, "env": os.environ}
    own = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **how)
    done = forked.run(arguments, **how)
    told = [(each.returncode, each.stdout, each.stderr) for each in (done, own)]
    assert told[0] == told[1]


def test_what_python_reads_as_it_starts_takes_a_process_of_its_own():
    with pytest.raises(AssertionError, match="of its own"):
        Forked(["-m", "this"], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "1"}, **NOWHERE)


def test_a_forked_process_that_is_ended_by_a_signal_says_by_which():
    serving = Forked(["-m", "http.server", "0"], cwd=ROOT, env=os.environ, **NOWHERE)
    assert serving.poll() is None
    serving.terminate()
    assert serving.wait(30) == -signal.SIGTERM

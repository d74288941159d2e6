"""Processes that begin with what the server imports of others in memory: see tests/preloaded.py.

An import costs a process half a second of CPU, and the tests start hundreds. The rest is the same as
in a process of its own: our modules, which read the environment, are imported anew.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import NamedTemporaryFile

PREFIXES = (sys.prefix, sys.base_prefix)
forking = multiprocessing.get_context("forkserver")
forking.set_forkserver_preload(["tests.preloaded"])


class Forked(forking.Process):  # type: ignore[name-defined]
    """A process like Popen's of `python ARGUMENTS …`; it writes to the ends of these files."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdout: str,
        stderr: str,
    ) -> None:
        # Python has read these already.
        assert of_python(env) == of_python(os.environ), "This takes a process of its own."
        files = {1: stdout, 2: stderr}
        super().__init__(target=begin, args=(list(arguments), str(cwd), dict(env), files))
        self.start()

    def poll(self) -> int | None:
        status: int | None = self.exitcode
        return status

    def wait(self, timeout: float | None = None) -> int:
        self.join(timeout)
        if (status := self.poll()) is None:
            raise TimeoutExpired(self.name, timeout or 0)
        return status


def of_python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in env.items() if name.startswith(("PYTHON", "LC_", "LANG"))}


def begin(arguments: list[str], cwd: str, env: dict[str, str], files: dict[int, str]) -> None:
    os.setsid()
    for number, name in files.items():
        with Path(name).open("ab") as file:
            os.dup2(file.fileno(), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    kind = arguments[0]
    first = {"-m": cwd, "-c": ""}.get(kind, str(Path(kind).resolve().parent))
    # The fork server has those of the tests' own process.
    sys.path[:] = [first, *(path for path in sys.path if path.startswith(PREFIXES))]
    sys.argv = arguments[kind == "-m" :]
    # It is the first one of its program, and has chosen no way to start others.
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined]
    multiprocessing.set_start_method(None, force=True)
    if kind == "-m":
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
    else:
        runpy.run_path(kind, run_name="__main__")


def run(arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> CompletedProcess[str]:
    """What subprocess.run would return of `python ARGUMENTS …`."""
    with NamedTemporaryFile() as stdout, NamedTemporaryFile() as stderr:
        forked = Forked(arguments, cwd=cwd, env=env, stdout=stdout.name, stderr=stderr.name)
        status = forked.wait(300)
        written = [Path(file.name).read_text() for file in (stdout, stderr)]
        return CompletedProcess(arguments, status, *written)

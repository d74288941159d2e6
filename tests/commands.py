"""Commands that put away what they have started before they end, however they are ended."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import Any


def on_ending(do: Callable[..., Any]) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, do)


def end_as_by_ctrl_c() -> None:
    """By KeyboardInterrupt, also where a Ctrl-C does nothing: in the background of a script."""
    on_ending(signal.default_int_handler)


class Commands:
    """What would end this process reaches each of them as a Ctrl-C, once, and is waited for.

    With their children, as at a terminal: the workers of pytest have servers to end themselves.
    """

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []
        self.is_ending = False
        on_ending(self.end)

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        # In a session of its own: a Ctrl-C reaches this process alone.
        started = subprocess.Popen(command, text=True, start_new_session=True, **options)
        self.started.append(started)
        if self.is_ending:
            interrupt(started)
        return started

    def end(self, *_: object) -> None:
        if not self.is_ending:
            self.is_ending = True
            for command in self.started:
                interrupt(command)

    def statuses(self) -> list[int]:
        return [command.wait() for command in self.started]


def interrupt(command: subprocess.Popen[str]) -> None:
    if command.poll() is None:
        os.killpg(command.pid, signal.SIGINT)


def run(command: Sequence[str], **environment: str) -> int:
    """Its exit status. It shares no temporary files with anybody, and leaves none behind."""
    with tempfile.TemporaryDirectory(prefix="rooms-tests-") as folder:
        # Each of its hundreds of children would compile the project anew, were it told to write none.
        own = {"TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": ""}
        commands = Commands()
        commands.start(command, env=os.environ | own | environment)
        return commands.statuses()[0]

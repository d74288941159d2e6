"""Base of the programs that tests speak to: started, waited for, and killed in the end."""

import subprocess
import time
from collections.abc import Sequence
from typing import Any, ClassVar

SECONDS = 60


class Service:
    name: ClassVar[str]
    process: subprocess.Popen[bytes]

    def start(self, command: Sequence[str], **options: Any) -> None:
        """Until it answers. RuntimeError if it does not."""
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
        try:
            self._wait()
        except BaseException:  # a Ctrl-C as well
            self.process.kill()
            raise

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()

    def answers(self) -> bool:
        raise NotImplementedError

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start.")
            time.sleep(0.05)

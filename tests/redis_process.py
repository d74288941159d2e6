"""Runs a Redis for the tests: the one of this machine, else an imitation out of the test wheels."""

import shutil
import signal
import subprocess
import sys
import time
from typing import Self

import redis

from tests.server_process import free_port

IMITATION = """
import sys
from fakeredis import TcpFakeServer
TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="redis").serve_forever()
"""


class Redis:
    """`with Redis() as store: ... store.url`"""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL)
        try:
            self.wait_until_it_answers()
        except BaseException:  # a Ctrl-C as well
            self.process.kill()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 30
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Redis did not start.")
            time.sleep(0.05)

    def command(self) -> list[str]:
        if installed := shutil.which("redis-server"):
            return [installed, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        return [sys.executable, "-c", IMITATION, str(self.port)]

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=None) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def hang(self) -> None:
        """From now on it takes connections, and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

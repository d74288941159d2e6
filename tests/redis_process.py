"""Runs a Redis for the tests: the one of this machine, else an imitation out of the test wheels."""

import shutil
import signal
import sys
from typing import Self

import redis

from tests.server_process import free_port
from tests.service import Service

IMITATION = """
import sys
from fakeredis import TcpFakeServer
TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="redis").serve_forever()
"""


class Redis(Service):
    """`with Redis() as store: ... store.url`"""

    name = "Redis"

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start(self.command())
        return self

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

"""Runs `python -m emulator` as a child process for the tests that need an OpenTok to talk to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jwt
import requests

ROOT = Path(__file__).resolve().parent.parent
STARTED = "Local OpenTok listening on "
# The emulator is on this machine: a proxy of the environment must not come between.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ControlRefused(Exception):
    """The control API answered with an error: `status` and its sentence, `message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Emulator:
    """One running emulator: `with Emulator("--auto-connect") as emulator: ... emulator.url`.

    The arguments are the command line's; `--port 0` is implied. `stop` and `start` again for a
    restart: the new process has another port, but knows the sessions made before.
    """

    api_key = "45999999"
    secret = "5ca1ab1e0ddba11f00dfacade0ff1ce0c0ffee00"

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, *arguments: str) -> Self:
        """Start the process and wait until it listens; arguments given here replace the old."""
        self.arguments = arguments or self.arguments
        self.stop()
        command = [sys.executable, "-m", "emulator", "--port", "0"]
        command += ["--api-key", self.api_key, "--secret", self.secret, *self.arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        try:
            line = self._process.stdout.readline()
            if not line.startswith(STARTED):
                raise RuntimeError(f"The emulator did not start; it said {line!r}")
        except BaseException:  # a Ctrl-C as well
            self.stop()
            raise
        self.url = line.removeprefix(STARTED).strip()
        return self

    def stop(self) -> int:
        """End the process as a supervisor would (SIGTERM). Returns its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            if process.stdout is not None:
                process.stdout.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    @property
    def archives_path(self) -> str:
        return f"/v2/project/{self.api_key}/archive"

    def token(self, **changes: Any) -> str:
        """A REST token as the SDK signs it; `changes` replace claims, None takes one away."""
        now = int(time.time())
        claims = {"iss": self.api_key, "ist": "project", "iat": now, "exp": now + 180, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call the OpenTok side as the project, with `requests.request`'s own options."""
        headers = {"X-OPENTOK-AUTH": self.token(), "Accept": "application/json"}
        headers |= options.pop("headers", {})
        return requests.request(
            method, self.url + path, headers=headers, timeout=10, allow_redirects=False, **options
        )

    def control(self, method: str, path: str, body: Any = None, *, timeout: float = 10) -> Any:
        """Call the control API, `path` being relative to /_control (as in "/clock").

        Returns the answer's JSON, None for an empty answer. Raises ControlRefused.
        """
        request = urllib.request.Request(f"{self.url}/_control/{path.lstrip('/')}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with DIRECT.open(request, timeout=timeout) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise ControlRefused(error.code, json.loads(error.read())) from None
        return json.loads(content) if content else None

    def reset(self) -> None:
        """Forget archives, people, faults, requests and clock settings, as after a fresh start."""
        self.control("POST", "/reset")

    def requests(self, *, at_least: int = 0, within: float = 10) -> list[dict[str, Any]]:
        """What reached the OpenTok side, oldest first: method, path, headers, body, status.

        Waits for so many requests to arrive, but no longer than so many seconds.
        """
        path = f"/requests?at_least={at_least}&within={within}"
        seen: list[dict[str, Any]] = self.control("GET", path, timeout=within + 10)["requests"]
        return seen

    def make_session(self, preference: str = "disabled", **form: str) -> str:
        """A session's id; by default of a routed one."""
        answer = self.call("POST", "/session/create", data={"p2p.preference": preference, **form})
        session_id: str = answer.json()[0]["session_id"]
        return session_id

    def connect(self, session_id: str) -> str:
        """A client connects to the session. Returns its connection's id."""
        made = self.control("POST", f"/sessions/{session_id}/connections")
        return str(made["connectionId"])

    def disconnect(self, session_id: str, connection_id: str) -> None:
        """That client leaves, its streams with it."""
        self.control("DELETE", f"/sessions/{session_id}/connections/{connection_id}")

    def publish(self, session_id: str, connection_id: str | None = None) -> str:
        """A client (a new one when none is given) publishes. Returns the stream's id."""
        body = {} if connection_id is None else {"connectionId": connection_id}
        return str(self.control("POST", f"/sessions/{session_id}/streams", body)["streamId"])

    def unpublish(self, session_id: str, stream_id: str) -> None:
        """That stream ends; its client stays."""
        self.control("DELETE", f"/sessions/{session_id}/streams/{stream_id}")

    def advance(self, seconds: float) -> None:
        """Let time go by for archives and download links."""
        self.control("POST", "/clock", {"advance": seconds})

    def fault(self, **fields: Any) -> None:
        """Have requests go wrong: see "Faults" in emulator/README.md for the fields."""
        self.control("POST", "/faults", fields)

    def call_back(self, url: str, secret: str, **how: Any) -> None:
        """Tell that address of each state of an archive: see "Callbacks" in emulator/README.md."""
        self.control("POST", "/callback-url", {"url": url, "secret": secret, **how})

    def send_callback(self, callback_id: int) -> None:
        """Send one that is held, or was sent before."""
        self.control("POST", f"/callbacks/{callback_id}/send")

    def callbacks(self, *, attempts: int) -> list[dict[str, Any]]:
        """All callbacks, oldest first, once so many attempts to send one have ended."""
        seen: list[dict[str, Any]]
        seen = self.control("GET", f"/callbacks?at_least={attempts}")["callbacks"]
        assert sum(len(callback["attempts"]) for callback in seen) == attempts
        return seen

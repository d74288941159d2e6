"""Callbacks: signed POSTs to a server, sent one after the other, and again until they are taken.

Who is called and how it is signed: secure callbacks guide. Retries: support article on callbacks,
January 2024, which has failed ones sent again for 24 hours, the wait doubling each time.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
import warnings
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from emulator.auth import Project
from emulator.world import World

MAX_CALLBACKS = 1_000
ANSWER_SECONDS = 5
# How often it is looked whether anything has happened to an archive by itself.
LOOK_SECONDS = 0.1
# inference: that it begins with a second is not documented.
FIRST_WAIT_MS = 1_000
GIVEN_UP_AFTER_MS = 24 * 60 * 60 * 1_000
SIGNATURES = ("valid", "invalid", "none")
KINDS = ("archive", "broadcast", "captions", "render", "call", "session", "all")
# The groups of callbacks that may be registered over the API, and the events of each.
GROUPS = {
    "archive": {"status"},
    "broadcast": {"status"},
    "connection": {"created", "destroyed"},
    "stream": {"created", "destroyed"},
    "session": {"created", "destroyed"},
}

# OpenTok lets a secret be shorter than the library would like to see.
warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)


@dataclass(frozen=True)
class Hook:
    """Where a project's callbacks go, and what they are signed with: nothing without a secret.

    `urls` are by kind, one of KINDS; `all` is for those kinds that have none of their own.
    `signature` says how they are signed, rightly or not. Those of a hook that is `held` wait until
    they are told to go. `without` are the fields that their bodies lack.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    signature: str = "valid"
    held: bool = False
    without: tuple[str, ...] = ()

    def url_for(self, kind: str) -> str | None:
        return self.urls.get(kind) or self.urls.get("all")

    def view(self) -> dict[str, Any]:
        """The control API's picture of it, without the secret."""
        return {
            "url": self.url_for("archive"),
            "urls": dict(self.urls),
            "signature": self.signature,
            "held": self.held,
            "without": list(self.without),
        }

    def body(self, callback: Callback) -> bytes:
        fields = callback.body.items()
        told = {name: value for name, value in fields if name not in self.without}
        return json.dumps(told).encode()

    def headers(self, body: bytes, project: Project) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.secret and self.signature != "none":
            secret = self.secret if self.signature == "valid" else self.secret[::-1] + "?"
            token = jwt.encode(claims(body, project), secret, algorithm="HS256")
            headers["Authorization"] = f"Bearer {token}"
        return headers


@dataclass(frozen=True)
class Registration:
    """An address for one event of a group, in addition to those of the project."""

    project: Project
    group: str
    event: str
    url: str
    created_at: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(eq=False)
class Callback:
    """One thing to be told. Times are ms of virtual time.

    It goes to `url`, or without one to the address of its `kind`.
    `next_at` is when the next attempt is due, if there is one, `since` when the first one was made,
    and `wait` how long after one that fails comes another.
    """

    id: int
    project: Project
    kind: str
    body: dict[str, Any]
    url: str | None
    next_at: int | None
    since: int | None = None
    wait: int = FIRST_WAIT_MS
    attempts: list[int | None] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """The control API's picture of it; an attempt is the status that it got, or null."""
        return {
            "id": self.id,
            "kind": self.kind,
            "body": self.body,
            "attempts": self.attempts,
            "pending": self.next_at is not None,
        }

    def is_due(self, now: int) -> bool:
        return self.next_at is not None and self.next_at <= now

    def begin_anew(self, now: int) -> None:
        self.next_at, self.since, self.wait = now, None, FIRST_WAIT_MS

    def note(self, status: int | None, now: int, *, again: bool) -> None:
        """How an attempt ended. Unless it was taken there is another one, if it may go `again`."""
        self.attempts.append(status)
        if self.since is None:
            self.since = now
        again_at, self.wait = now + self.wait, 2 * self.wait
        is_taken = status is not None and 200 <= status < 300
        is_over = again_at > self.since + GIVEN_UP_AFTER_MS
        if again and self.next_at is None and not is_taken and not is_over:
            self.next_at = again_at


class Callbacks:
    """The callbacks of this emulator. One is sent after the other, in the order of their times."""

    def __init__(self, hook: Hook) -> None:
        self._first_hook = hook
        self._changed = threading.Condition()
        # Held while one is being sent. Those who need the world's lock as well take this one first:
        # the server that is being called may ask us something before it answers.
        self.sending = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Nothing of what was before arrives after it, if the caller holds `sending`."""
        with self._changed:
            self.hook = self._first_hook
            self._last_id = 0
            self._callbacks: deque[Callback] = deque(maxlen=MAX_CALLBACKS)
            self._registrations: list[Registration] = []
            self._changed.notify_all()

    def set_hook(self, hook: Hook) -> None:
        """From now on, and for what waits to be sent again, if anything goes by itself."""
        with self._changed:
            self.hook = hook
            for callback in self._callbacks:
                if hook.held or not (callback.url or hook.url_for(callback.kind)):
                    callback.next_at = None
            self._changed.notify_all()

    def tell(
        self,
        project: Project,
        kind: str,
        body: dict[str, Any],
        at: int,
        *,
        event: str = "",
        url: str | None = None,
    ) -> None:
        """To the hook, to the registrations for this `event`, their group and event, and to `url`,
        the address that its own request named.
        """
        with self._changed:
            urls: list[str | None] = [
                each.url
                for each in self._registrations
                if each.project == project and event == f"{each.group} {each.event}"
            ]
            if url is not None:
                urls.append(url)
            if self.hook.url_for(kind):
                urls.append(None)
            for url in urls:
                self._last_id += 1
                next_at = None if self.hook.held else at
                self._callbacks.append(Callback(self._last_id, project, kind, body, url, next_at))
            self._changed.notify_all()

    def register(self, registration: Registration) -> None:
        with self._changed:
            self._registrations.append(registration)

    def unregister(self, registration: Registration) -> None:
        with self._changed:
            self._registrations.remove(registration)

    def registered(self, project: Project) -> list[Registration]:
        with self._changed:
            return [each for each in self._registrations if each.project == project]

    def send(self, callback_id: int, now: int) -> dict[str, Any]:
        """Have it sent now, once more if it was before. Raises KeyError if there is none."""
        with self._changed:
            callback = {each.id: each for each in self._callbacks}[callback_id]
            callback.begin_anew(now)
            self._changed.notify_all()
            return callback.view()

    def view(self) -> list[dict[str, Any]]:
        with self._changed:
            return [callback.view() for callback in self._callbacks]

    def wait(self, *, at_least: int, within: float) -> None:
        """Until that many attempts have ended, or so many seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._attempts() >= at_least, within)

    def deliver(self, world: World) -> None:
        """Send them as they become due, for ever."""
        while True:
            with self._changed:
                self._changed.wait(LOOK_SECONDS)
            with world.lock:
                now = world.catch_up()
            while callback := self._due(now):
                self._attempt(callback, now)

    def _due(self, now: int) -> Callback | None:
        """Of those whose attempt is due, the one that has waited longest."""
        with self._changed:
            due = [(each.next_at, each.id, each) for each in self._callbacks if each.is_due(now)]
            return min(due)[2] if due else None

    def _attempt(self, callback: Callback, now: int) -> None:
        with self.sending:
            with self._changed:
                hook, callback.next_at = self.hook, None
                url = callback.url or hook.url_for(callback.kind)
                if url is None or callback not in self._callbacks:
                    return
            status = post(url, hook, callback)
            with self._changed:
                callback.note(status, now, again=not self.hook.held)
                self._changed.notify_all()

    def _attempts(self) -> int:
        return sum(len(callback.attempts) for callback in self._callbacks)


def claims(body: bytes, project: Project) -> dict[str, Any]:
    """Tokens bear the real time, as all tokens here do.

    Inference: that each attempt is signed anew, and which project's key `api_key` is.
    """
    about = {"application_id": project.id} if project.is_vonage else {}
    return {
        "iat": int(time.time()),
        "jti": str(uuid.uuid4()),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": "a1b2c3d" if project.is_vonage else project.id,
        **about,
    }


def post(address: str, hook: Hook, callback: Callback) -> int | None:
    """The status of the answer, or None without one. Redirects are not followed."""
    url = urlsplit(address)
    kind, usual = (HTTPSConnection, 443) if url.scheme == "https" else (HTTPConnection, 80)
    body = hook.body(callback)
    path = f"{url.path or '/'}?{url.query}".rstrip("?")
    try:
        # With a port, since without one it looks for it in an IPv6 address.
        connection = kind(url.hostname or "", url.port or usual, timeout=ANSWER_SECONDS)
        with closing(connection):
            connection.request("POST", path, body, hook.headers(body, callback.project))
            return connection.getresponse().status
    # The last two: no host can be called that, and a secret that looks like a public key.
    except (OSError, HTTPException, ValueError, jwt.PyJWTError):
        return None

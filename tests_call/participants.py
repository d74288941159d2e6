"""Pages of one headless Chromium, each one participant with the unmodified SDK."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page

PAGES = Path(__file__).parent / "pages"
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # Nothing but this machine is asked, which also shows that nothing else is needed.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # For machines that have no other network.
    "--allow-loopback-in-peer-connection",
]
# An answer that comes sooner is not waited for; machines that test are busy.
SECONDS = 60


class SdkError(Exception):
    """The SDK said no."""

    def __init__(self, name: str, code: int, message: str) -> None:
        super().__init__(f"{name} ({code}): {message}")
        self.name, self.code, self.message = name, code, message


class Site(SimpleHTTPRequestHandler):
    """The page and the SDK, for the browser of the tests alone."""

    def __init__(self, *arguments: Any, sdk: Path) -> None:
        self.sdk = sdk
        super().__init__(*arguments)

    def translate_path(self, path: str) -> str:
        name = path.split("?")[0].lstrip("/")
        return str((self.sdk if name == "opentok.js" else PAGES) / name)

    def log_message(self, *args: object) -> None:
        pass


def serve_site(sdk: Path) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, sdk=sdk))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Participant:
    """One page. Methods are those of pages/client.js; an error of the SDK is raised."""

    def __init__(self, browser: Browser, site: str, **context: Any) -> None:
        self.page: Page = browser.new_page(**context)
        self.page.set_default_timeout(SECONDS * 1000)
        self.is_closed = False
        self.console: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.goto(f"{site}/client.html")

    def __getattr__(self, name: str) -> Any:
        return partial(self.call, name)

    def call(self, name: str, *arguments: Any) -> Any:
        try:
            return self.page.evaluate(f"arguments => {name}(...arguments)", list(arguments))
        except Error as error:
            start = error.message.find("{")
            if start < 0:
                raise
            details, _ = json.JSONDecoder().raw_decode(error.message[start:])
            raise SdkError(details["name"], details.get("code"), details["message"]) from None

    def close(self) -> None:
        """As a person closes a tab."""
        if not self.is_closed:
            self.is_closed = True
            self.page.close(run_before_unload=True)
            self.page.wait_for_event("close") if not self.page.is_closed() else None
            self.page.context.close()

    @property
    def id(self) -> str:
        return str(self.page.evaluate("session.connection.connectionId"))

    def events(self, kind: str = "", **fields: Any) -> list[dict[str, Any]]:
        found = self.page.evaluate("events")
        return [
            event
            for event in found
            if event["type"] == (kind or event["type"])
            and all(event.get(name) == value for name, value in fields.items())
        ]

    def wait(self, kind: str, *, within: float = SECONDS, **fields: Any) -> dict[str, Any]:
        """The first such event, once it has come."""
        script = """([kind, fields]) => events.some(event => event.type === kind &&
            Object.entries(fields).every(([name, value]) => event[name] === value))"""
        try:
            self.page.wait_for_function(
                script, arg=[kind, fields], timeout=within * 1000, polling=50
            )
        except Error:
            raise AssertionError(f"no {kind} {fields}, only {self.events()}") from None
        return self.events(kind, **fields)[0]

    def sees_and_hears(self, stream_id: str) -> None:
        """Video moves and sound arrives."""
        self._receives(stream_id, "audio", "video", "frames", "seconds")

    def hears(self, stream_id: str) -> None:
        """Sound arrives."""
        self._receives(stream_id, "audio", "seconds")

    def _receives(self, stream_id: str, *what: str, within: float = SECONDS) -> None:
        self.wait("subscriber:connected", stream=stream_id, within=within)
        first = self.received(stream_id)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            now = self.received(stream_id)
            if all(now[name] > first[name] for name in what):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"first {first}, then {now}")


def kill(browser: Browser) -> None:
    """The browser dies without a word, and its pages with it.

    All its processes stop first: the one with the network would otherwise say goodbye for a page
    that died before it.
    """
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    for sent in (signal.SIGSTOP, signal.SIGKILL):
        for process in found:
            os.kill(process["id"], sent)

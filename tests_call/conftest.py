from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import TransactionTestCase
from playwright.sync_api import Browser, Page, sync_playwright

from tests.client_tokens import application_token, client_token
from tests.emulator_process import Emulator
from tests.server_process import Server
from tests.tables import empty_tables
from tests_call.participants import CHROMIUM_OPTIONS, SECONDS, Participant, serve_site
from tests_call.rooms import told
from tests_call.sdk import install, unavailable
from tests_call.staff import Staff

TransactionTestCase._fixture_teardown = empty_tables

APPLICATION = "78d335fa-323d-0114-9c3d-d6f0d48968cf"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KINDS = ["relayed-opentok", "routed-opentok", "relayed-vonage", "routed-vonage"]


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[[], Browser]]:
    """Starts a browser."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        unavailable("Chromium is not installed")
    with sync_playwright() as playwright:
        yield partial(playwright.chromium.launch, executable_path=path, args=CHROMIUM_OPTIONS)


@pytest.fixture(scope="session")
def chromium(launch: Callable[[], Browser]) -> Iterator[Browser]:
    """The browser of all tests."""
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def site() -> str:
    return serve_site(install())


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of an emulator that takes both kinds of credentials."""
    path = tmp_path_factory.mktemp("key") / "public.pem"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(KEY.public_key().public_bytes(serialization.Encoding.PEM, form))
    return ["--application-id", APPLICATION, "--public-key", str(path)]


@pytest.fixture(scope="session")
def running(options: list[str]) -> Iterator[Emulator]:
    with Emulator(*options) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    running.reset()
    return running


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@dataclass
class Call:
    """A session, and the pages in it."""

    emulator: Emulator
    kind: str
    new_page: Callable[[], Participant]
    session_id: str = ""

    def __post_init__(self) -> None:
        self.create_session()

    def create_session(self, **form: str) -> None:
        preference = "enabled" if self.is_relayed else "disabled"
        form = {"p2p.preference": preference, **form}
        answer = self.rest("POST", "/session/create", data=form)
        self.session_id = answer.json()[0]["session_id"]

    @property
    def is_relayed(self) -> bool:
        return self.kind.startswith("relayed")

    @property
    def is_vonage(self) -> bool:
        return self.kind.endswith("vonage")

    @property
    def project_id(self) -> str:
        return APPLICATION if self.is_vonage else self.emulator.api_key

    def rest(self, method: str, path: str, **options: Any) -> requests.Response:
        """A call of the server's side; the session's path is put in place of `{session}`."""
        path = path.replace("{project}", f"/v2/project/{self.project_id}")
        path = path.replace("{session}", f"/v2/project/{self.project_id}/session/{self.session_id}")
        if not self.is_vonage:
            return self.emulator.call(method, path, **options)
        token = application_token(APPLICATION, KEY, "", ist="project")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return requests.request(
            method, self.emulator.url + path, headers=headers, timeout=SECONDS, **options
        )

    def token(self, role: str = "publisher", **changes: Any) -> str:
        if self.is_vonage:
            return application_token(APPLICATION, KEY, self.session_id, role=role, **changes)
        return client_token(self.emulator, self.session_id, role, **changes)

    def start(self, **start: Any) -> Participant:
        """A page that is about to connect."""
        page = self.new_page()
        page.start({"proxy": self.emulator.url, "apiKey": self.project_id,
                    "sessionId": self.session_id, **start})  # fmt: skip
        return page

    def join(self, role: str = "publisher", *, data: str = "", **start: Any) -> Participant:
        """A page that is connected."""
        page = self.start(**start)
        page.connect(self.token(role, connection_data=data or None))
        return page

    def archive(self, path: str = "", method: str = "POST", **body: Any) -> dict[str, Any]:
        answer = self.rest(method, f"{{project}}/archive{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait_until_empty(self) -> None:
        wait_until(lambda: not self.people()["connections"])

    def wait_for_archive(self, archive_id: str, *, status: str) -> None:
        """A page is told of what it does itself before the service is."""
        wait_until(lambda: self.archive(f"/{archive_id}", "GET")["status"] == status)

    def people(self) -> dict[str, Any]:
        return dict(self.emulator.control("GET", f"/sessions/{self.session_id}"))


@pytest.fixture
def new_page(chromium: Browser, site: str) -> Iterator[Callable[[], Participant]]:
    pages: list[Participant] = []

    def make() -> Participant:
        pages.append(Participant(chromium, site))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


@pytest.fixture(params=["relayed-opentok", "routed-vonage"])
def call(request: pytest.FixtureRequest, emulator: Emulator, new_page: Any) -> Call:
    """Between them the two kinds have each kind of session and of credentials."""
    return Call(emulator, request.param, new_page)


@pytest.fixture(params=KINDS)
def call_of_each_kind(request: pytest.FixtureRequest, emulator: Emulator, new_page: Any) -> Call:
    return Call(emulator, request.param, new_page)


@pytest.fixture
def relayed(emulator: Emulator, new_page: Any) -> Call:
    return Call(emulator, "relayed-opentok", new_page)


@pytest.fixture
def routed(emulator: Emulator, new_page: Any) -> Call:
    return Call(emulator, "routed-opentok", new_page)


@pytest.fixture(scope="module")
def server(
    running: Emulator, site: str, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Server]:
    """The real one, with its join page, in front of the local OpenTok."""
    variables = {
        "OPENTOK_API_URL": running.url,
        "OPENTOK_PROXY_URL": running.url,
        "OPENTOK_JS_URL": f"{site}/opentok.js",
        "TOKEN_ROLE": "moderator",
        "ANONYMOUS_ACCESS": "join,record,view",
    }
    with django_db_blocker.unblock(), Server(**variables) as server:
        yield server


@pytest.fixture
def staff(chromium: Browser, server: Server, emulator: Emulator) -> Iterator[Staff]:
    """A superuser in the admin of the server, which OpenTok calls back."""
    told(emulator, server)
    person = Staff(chromium, server)
    yield person
    person.close()


@pytest.fixture
def enter(chromium: Browser, server: Server, emulator: Emulator) -> Iterator[Callable[..., Page]]:
    """A new page of a room, of a person with this name, who joins unless told otherwise."""
    contexts = []

    def open_page(
        name: str,
        *,
        room: str = "standup",
        joins: bool = True,
        script: str = "",
    ) -> Page:
        context = chromium.new_context(permissions=["camera", "microphone"])
        context.add_init_script(script)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.violations = []
        page.on(
            "console",
            lambda message: (
                page.violations.append(message.text) if "Content Security" in message.text else None
            ),
        )
        page.goto(f"{server.url}/join/{room}")
        page.get_by_label("Your name").fill(name)
        if joins:
            page.get_by_role("button", name="Join").click()
            page.get_by_text(f"{name} (you)").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()

"""Staff in the admin with a browser, whose clicks are counted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Browser, Locator, Page

from tests.server_process import Server
from tests.test_groups import make_groups
from tests_call.participants import SECONDS

# The keyboard's own clicks, such as those of Enter in a form, have no pointer.
COUNT = "addEventListener('pointerdown', () => counted(), true);"
# A page that looks every five seconds looks twice a second.
HURRY = "const wait = setTimeout; setTimeout = (act, ms) => wait(act, Math.min(ms, 500));"


class Staff:
    """A person who is logged in. `clicks` counts those of the page, and a question's answer."""

    def __init__(self, browser: Browser, server: Server, *, group: str = "") -> None:
        user = User.objects.create_user(group or "ada", is_staff=True, is_superuser=not group)
        if group:
            make_groups()  # tables are emptied after each test
            user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        self.server = server
        self.clicks = 0
        self.questions: list[str] = []
        self.context = browser.new_context(accept_downloads=True)
        self.context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}]
        )
        self.context.expose_function("counted", self._count)
        self.context.add_init_script(COUNT + HURRY)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.on("dialog", self._answer)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}/admin/{path}")
        self.clicks = 0

    def search(self, path: str, term: str) -> None:
        """A list with what was found; what it took is not counted."""
        self.open(path)
        self.page.locator("#searchbar").fill(term)
        self.page.locator("#searchbar").press("Enter")
        self.page.wait_for_url(f"**q={term}**")
        self.clicks = 0

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def person(self, name: str) -> Locator:
        """The line of somebody in the room."""
        return self.page.locator("#console-people tr", has_text=name)

    def says(self, text: str) -> None:
        self.page.locator("#console-status").get_by_text(text).wait_for()

    def message(self, text: str) -> None:
        shown = self.page.locator(".messagelist")
        shown.wait_for()
        assert text in shown.inner_text()

    def close(self) -> None:
        self.context.close()

    def _count(self) -> None:
        self.clicks += 1

    def _answer(self, dialog: Any) -> None:
        self.questions.append(dialog.message)
        self.clicks += 1
        dialog.accept()

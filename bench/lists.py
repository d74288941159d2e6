"""How long the admin's lists take to open on a large database."""

import html
import re
import secrets
import statistics
import time
from urllib.parse import quote

import requests

from bench.fill import FIRST, room_name, session_id
from bench.processes import Running, manage
from bench.report import table, tell

TIMES = 5
LISTS = {"Rooms": "/admin/rooms/room/", "Recordings": "/admin/archives/archive/"}


class Staff:
    """Somebody who is logged in to the admin of a server."""

    def __init__(self, server: Running, database: str) -> None:
        password = secrets.token_urlsafe()
        manage(
            database, "createsuperuser", "--noinput", "--username=bench", "--email=b@example.org",
            DJANGO_SUPERUSER_PASSWORD=password,
        )  # fmt: skip
        self._url = server.url
        self._browser = requests.Session()
        self._browser.trust_env = False
        self.open("/admin/login/")
        form = {
            "username": "bench", "password": password, "next": "/admin/",
            "csrfmiddlewaretoken": self._browser.cookies["csrftoken"],
        }  # fmt: skip
        self._browser.post(f"{self._url}/admin/login/", form).raise_for_status()

    def open(self, path: str) -> str:
        answer = self._browser.get(self._url + path, allow_redirects=False)
        answer.raise_for_status()
        if answer.is_redirect:
            raise RuntimeError(f"{path} led to {answer.headers['Location']}")
        return answer.text

    def wait_for(self, path: str) -> float:
        """Milliseconds that it takes to open, the median of a few times."""
        taken = []
        for _ in range(TIMES):
            started = time.monotonic()
            self.open(path)
            taken.append((time.monotonic() - started) * 1000)
        return statistics.median(taken)


def open_lists(kind: str, staff: Staff, *, size: int) -> list[list[str]]:
    """Rows for `section`."""
    rows = []
    for name, path in LISTS.items():
        page = staff.open(path)
        links = sorted({html.unescape(link) for link in re.findall(r'href="(\?[^"]+)"', page)})
        one = re.search(rf'href="({path}[^"/]+/change/)', page)
        searches = [room_name(size // 2), FIRST[0], session_id(size // 2), "nobody has this"]
        views = {
            "the list": [path],
            "each link on it: filters, dates, orders, pages": [path + link for link in links],
            "searches": [f"{path}?q={quote(term)}" for term in searches],
            "the newest one's page": [one[1]] if one else [],
        }
        for view, pages in views.items():
            tell(f"{kind}: {name}, {view}")
            rows.append([kind, f"{name}: {view}", *_figures(staff, pages)])
    return rows


def _figures(staff: Staff, pages: list[str]) -> list[str]:
    taken = {page: staff.wait_for(page) for page in pages}
    slowest = max(taken, key=taken.__getitem__)
    query = slowest.partition("?")[2]
    return [
        str(len(pages)),
        f"{statistics.median(taken.values()):.0f}",
        f"{taken[slowest]:.0f}",
        f"`{query[:60]}`" if query else "",
    ]


def section(rows: list[list[str]], *, size: int) -> str:
    return (
        f"### The admin with {size:,} rooms and as many recordings\n\n"
        f"Each page was opened {TIMES} times by somebody who is logged in; its figure is the "
        "median of these, from the request to the whole answer.\n\n"
        + table("database | what | pages | median, ms | slowest page, ms | which is", rows)
    )

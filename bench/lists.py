"""How long the admin's lists take to open on a large database."""

import html
import re
import secrets
import statistics
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import requests

from bench.fill import FIRST, SECOND, room_name, session_id
from bench.processes import Running, manage
from bench.report import table, tell

TIMES = 5
LISTS = {
    "Rooms": "/admin/rooms/room/",
    "Recordings": "/admin/archives/archive/",
    "Meetings": "/admin/meetings/meeting/",
}
# Which date each is filtered by.
DATES = {"Rooms": "last_used_at", "Recordings": "created_at", "Meetings": "started_at"}
# Whole, a part that few have, one that many have, short ones, a session, and what is not there.
TERMS = [room_name(12), "RIC 4999", FIRST[0], "a", "q", "7z", session_id(12), "nobody has this"]
# The beginnings of names of own rooms, by how many there are.
OWN = {"a seventh of the rooms": FIRST[0], "few rooms": f"{FIRST[0]} {SECOND[0]} 1"}
MAKE_TEACHER = """
teacher = User.objects.create_user({name!r}, password={password!r}, is_staff=True)
teacher.groups.set(Group.objects.filter(name="Managers"))
teacher.user_permissions.set(Permission.objects.filter(codename="only_own_rooms"))
NamePrefix.objects.create(user=teacher, prefix={prefix!r})
"""


class Staff:
    """Somebody who is logged in to the admin of a server."""

    def __init__(self, server: Running, database: str, *, own: str = "") -> None:
        """All rooms are theirs, or those whose names begin with `own`."""
        self._url, self._password = server.url, secrets.token_urlsafe()
        self._name = f"owns {own}" if own else "bench"
        if own:
            user = {"name": self._name, "password": self._password, "prefix": own}
            manage(database, "shell", "-v0", f"--command={MAKE_TEACHER.format(**user)}")
        else:
            manage(
                database, "createsuperuser", "--noinput", f"--username={self._name}",
                "--email=b@example.org", DJANGO_SUPERUSER_PASSWORD=self._password,
            )  # fmt: skip
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.log_in()

    def log_in(self) -> None:
        self.browser.cookies.clear()
        self.open("/admin/login/")
        form = {
            "username": self._name, "password": self._password, "next": "/admin/",
            "csrfmiddlewaretoken": self.browser.cookies["csrftoken"],
        }  # fmt: skip
        self.browser.post(f"{self._url}/admin/login/", form).raise_for_status()

    def open(self, path: str) -> str:
        answer = self.browser.get(self._url + path, allow_redirects=False)
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
        one = re.search(rf'href="({path}[^"/]+/change/)', staff.open(path))
        searches = [f"{path}?q={quote(term)}" for term in TERMS]
        views = {
            "the list": [path],
            "each link on it: filters, dates, orders, pages": _links(staff, path, path),
            "each order of each filter": _orders(staff, path),
            "ranges of days": _ranges(path, DATES[name]),
            "of one room": [f"{path}?room={size // 2}"] if name == "Recordings" else [],
            "searches": searches,
            "each link on what was searched": [
                link for page in searches for link in _links(staff, path, page)
            ],
            "searches in a range of days": [
                f"{pages}&q={quote(term)}" for pages in _ranges(path, DATES[name]) for term in TERMS
            ],
            "the newest one's page": [one[1]] if one else [],
        }
        for view, pages in views.items():
            if not pages:
                continue
            tell(f"{kind}: {name}, {view}")
            rows.append([kind, f"{name}: {view}", *_figures(staff, pages)])
    return rows


def open_own(kind: str, server: Running, database: str) -> list[list[str]]:
    """More rows, of staff who work with own rooms only."""
    rows = []
    for what, prefix in OWN.items():
        tell(f"{kind}: lists of staff who own {what}")
        staff = Staff(server, database, own=prefix)
        for name, path in LISTS.items():
            pages = [path, *(f"{path}?q={quote(term)}" for term in TERMS)]
            rows.append([kind, f"{name}: of staff who own {what}", *_figures(staff, pages)])
    return rows


def _links(staff: Staff, path: str, page: str) -> list[str]:
    """To other views of the list, from one of its pages."""
    links = {html.unescape(link) for link in re.findall(r'href="(\?[^"]+)"', staff.open(page))}
    return [path + link for link in sorted(links)]


def _orders(staff: Staff, path: str) -> list[str]:
    filters = [link for link in _links(staff, path, path) if not re.search(r"[?&][op]=", link)]
    return [
        link
        for page in filters
        for link in _links(staff, path, page)
        if re.search(r"[?&]o=", link) and link.count("=") == 2
    ]


def _ranges(path: str, field: str) -> list[str]:
    """A week, half a year, and all but the last days."""
    today = datetime.now(UTC).date()
    spans = [(7, 0), (300, 120), (1000, 3)]
    return [
        f"{path}?{field}-since={today - timedelta(days=first)}"
        f"&{field}-until={today - timedelta(days=last)}"
        for first, last in spans
    ]


def _figures(staff: Staff, pages: list[str]) -> list[str]:
    taken = {page: staff.wait_for(page) for page in pages}
    slowest = max(taken, key=taken.__getitem__)
    query = slowest.partition("?")[2]
    return [
        str(len(pages)),
        f"{statistics.median(taken.values()):.0f}",
        f"{taken[slowest]:.0f}",
        f"`{query[:80]}`" if query else "",
    ]


def section(rows: list[list[str]], *, size: int) -> str:
    return (
        f"### The admin with {size:,} rooms, and as many recordings and meetings\n\n"
        f"Each page was opened {TIMES} times by somebody who is logged in; its figure is the "
        "median of these, from the request to the whole answer.\n\n"
        + table("database | what | pages | median, ms | slowest page, ms | which is", rows)
    )

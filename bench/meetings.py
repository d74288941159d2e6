"""How long the dashboard and the API take on a large database of meetings."""

import statistics
import time
from urllib.parse import quote

import requests

from bench.fill import room_name
from bench.lists import OWN, TIMES, Staff
from bench.processes import Running, manage
from bench.report import table, tell

PAGES = {
    "the admin's first page": "/admin/",
    "its part of now": "/admin/dashboard/now/",
    "its charts": "/admin/dashboard/use/",
    "what is deleted when": "/admin/deletions/",
}


class Program:
    """A client of the API with a key of its own."""

    def __init__(
        self, server: Running, database: str, *, can: str = "manage", rooms: str = ""
    ) -> None:
        """`rooms`: with which their names begin."""
        only = [f"--rooms={rooms}"] if rooms else []
        key = manage(database, "apikey", "create", "bench", f"--can={can}", *only).strip()
        self._url = f"{server.url}/api/v1/"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"

    def get(self, path: str) -> requests.Response:
        answer = self.session.get(self._url + path)
        answer.raise_for_status()
        return answer

    def wait_for(self, path: str) -> float:
        """Milliseconds until the answer, the median of a few times."""
        taken = []
        for _ in range(TIMES):
            started = time.monotonic()
            self.get(path)
            taken.append((time.monotonic() - started) * 1000)
        return statistics.median(taken)


def open_meetings(
    kind: str, server: Running, staff: Staff, database: str, *, size: int
) -> list[list[str]]:
    """Rows for `section`."""
    tell(f"{kind}: the dashboard, and meetings in the API")
    program = Program(server, database)
    newest, room = size, quote(room_name(size // 2))
    next_page = program.get("meetings").json()["nextCursor"]
    asked = {
        "GET meetings": "meetings",
        "the next page": f"meetings?cursor={next_page}",
        "those that run": "meetings?running=true",
        "those of a room": f"meetings?room={room}",
        "a meeting": f"meetings/{newest}",
        "attendance": f"meetings/{newest}/attendance",
        "attendance as CSV": f"meetings/{newest}/attendance?format=csv",
    }
    taken = {name: staff.wait_for(path) for name, path in PAGES.items()}
    taken |= {name: program.wait_for(path) for name, path in asked.items()}
    for what, prefix in OWN.items():
        school = Program(server, database, can="manage,list", rooms=prefix)
        for path in ("meetings", "rooms", "archives"):
            taken[f"GET {path}, with a key for {what}"] = school.wait_for(path)
    return [[kind, name, f"{milliseconds:.0f}"] for name, milliseconds in taken.items()]


def section(rows: list[list[str]], *, size: int) -> str:
    return (
        f"### {size:,} meetings\n\nThey are spread over a year, and the newest ones run; who was "
        f"in those of the last month is known. Each page and answer was asked for {TIMES} times; "
        "the figure is the median of these.\n\n" + table("database | what | median, ms", rows)
    )

"""How a program calls /api/v1/: with a key, and in JSON."""

from typing import Any

import requests

from access.models import ApiKey
from tests.server_process import Server


class Program:
    """One with an API key of its own: `Program(server, rooms="school-").get("rooms")`."""

    def __init__(self, server: Server, *, can: str = "manage", rooms: str = "") -> None:
        self.server = server
        self.key = ApiKey(name="a program", capabilities=can.split(","), room_prefix=rooms)
        self.key.issue()
        self.headers = {"Authorization": f"Bearer {self.key.text}"}

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.server.request(method, f"/api/v1/{path}", headers=self.headers, **options)

    def get(self, path: str) -> requests.Response:
        return self.call("GET", path)

    def post(self, path: str, **body: Any) -> requests.Response:
        return self.call("POST", path, json=body)

    def patch(self, path: str, **body: Any) -> requests.Response:
        return self.call("PATCH", path, json=body)

    def put(self, path: str, **body: Any) -> requests.Response:
        return self.call("PUT", path, json=body)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """The status and the code of a problem."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]

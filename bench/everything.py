"""All that a server is used for, as steps of clients that go on for ever."""

import json
import random
import re
import socket
import struct
import time
import uuid
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from bench.callbacks import signed
from bench.lists import LISTS, Staff
from bench.traffic import Client, Steps, some_address
from tests.emulator_process import Emulator

KNOWN, PEOPLE = 300, 3
PAGES = [
    "/admin/", "/admin/dashboard/now/", "/admin/dashboard/use/", *LISTS.values(),
    *(f"{path}?q={term}" for path in LISTS.values() for term in ("known", "m", "no such thing")),
    "/admin/rooms/room/?last_used_at=today&o=1", "/admin/rooms/room/csv/", "/admin/audit/entry/",
    "/admin/webhooks/delivery/", "/admin/django_tasks_database/dbtaskresult/",
    "/admin/access/apikey/",
]  # fmt: skip
READ = [
    "rooms", "rooms?search=known", "archives", "archives?status=available", "meetings",
    "meetings?running=true", "audit", "webhooks", "broadcasts?running=true",
    "rooms/known-1", "rooms/meeting-0/presence", "rooms/meeting-0/connections",
    "rooms/meeting-0/streams", "rooms/meeting-0/bans",
]  # fmt: skip
PROBES = ["/healthz", "/readyz", "/", "/readme", "/api/schema", "/api/docs/", "/static/site.css"]


def known_rooms(client: Client) -> Steps:
    while True:
        client.get(f"/room/known-{random.randrange(KNOWN)}")
        yield


def join_pages(client: Client) -> Steps:
    while True:
        client.get(f"/join/known-{random.randrange(KNOWN)}")
        yield


def new_rooms(client: Client) -> Steps:
    while True:
        client.get(f"/room/new-{uuid.uuid4()}")
        yield


def meetings(client: Client, opentok: Emulator, room: str) -> Steps:
    """One after the other: people come and publish, are recorded, and leave."""
    while True:
        here = []
        for _ in range(PEOPLE):
            session = client.get(f"/room/{room}").json()["sessionId"]
            here.append(opentok.connect(session))
            opentok.publish(session, here[-1])
            yield
        recording = client.made("/archive/start", {"sessionId": session})["id"]
        yield
        client.get(f"/archive/{recording}")
        yield
        client.post(f"/archive/{recording}/stop")
        for connection in here:
            opentok.disconnect(session, connection)
            yield
        client.get(f"/archive/{recording}/view")
        yield


def program(client: Client, opentok: Emulator) -> Steps:
    """Reads, changes a room, has a broadcast and captions, and deletes what it has made."""
    while True:
        for path in random.sample(READ, 5):
            client.get(f"/api/v1/{path}")
            yield
        name = f"made-{uuid.uuid4()}"
        room = f"/api/v1/rooms/{name}"
        once = {"Idempotency-Key": name}
        session = client.made("/api/v1/rooms", {"name": name}, headers=once)["sessionId"]
        yield
        client.ask("PATCH", room, json={"maxParticipants": 8, "accessCode": "18151210"})
        yield
        client.post(f"{room}/tokens", {"role": "moderator", "data": '{"name": "Somebody"}'})
        yield
        opentok.publish(session)
        broadcast = client.made(f"{room}/broadcasts", {"outputs": {"hls": {}}})["id"]
        yield
        captions = client.made(f"{room}/captions", {})["id"]
        yield
        client.post(f"/api/v1/broadcasts/{broadcast}/stop")
        client.post(f"/api/v1/captions/{captions}/stop")
        yield
        client.post(f"{room}/stop")
        yield
        client.ask("DELETE", room)
        yield


def staff_pages(client: Client, staff: Staff) -> Steps:
    while True:
        staff.log_in()
        for page in random.sample(PAGES, len(PAGES)):
            text = client.get(page).text
            yield
            if found := re.search(r'href="(/admin/[a-z/]+/[^"/]+/change/)', text):
                client.get(found[1])
                yield


def forgotten_passwords(client: Client) -> Steps:
    """The mails of which are jobs of the worker."""
    while True:
        page = client.get("/admin/password_reset/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        form = {"email": "b@example.org", "csrfmiddlewaretoken": token[1] if token else ""}
        client.ask("POST", "/admin/password_reset/", data=form)
        yield


def probes(client: Client, metrics_token: str) -> Steps:
    while True:
        for path in PROBES:
            client.get(path)
            yield
            client.get("/metrics", headers={"Authorization": f"Bearer {metrics_token}"})
            yield


def greedy(client: Client) -> Steps:
    """One address that is refused more often than the limit of refusals."""
    while True:
        client.post("/callbacks", {}, headers={"X-Forwarded-For": "192.0.2.1"})
        yield


def bad_requests(client: Client) -> Steps:
    event: dict[str, object] = {
        "event": "connectionCreated",
        "sessionId": "1_of_nobody",
        "projectId": "1",
    }
    while True:
        asked: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/room/%20", {}),
            ("GET", f"/{uuid.uuid4()}", {}),
            ("GET", f"/archive/{uuid.uuid4()}", {}),
            ("GET", "/room/known-1?code=wrong", {"headers": _bearer("wrong")}),
            ("GET", "/api/v1/rooms", {}),
            (
                "GET",
                "/api/v1/rooms",
                {"headers": _bearer(f"otr_{uuid.uuid4().hex[:10]}_{40 * '0'}")},
            ),
            ("GET", "/api/v1/meetings?cursor=x", {"headers": _bearer("x" * 8_000)}),
            ("GET", "/admin/rooms/room/", {}),
            ("GET", "/room/known-1", {"headers": {"Host": "a_b c"}}),
            ("POST", "/archive/start", {"data": b"{", "headers": _JSON}),
            ("POST", "/archive/start", {"json": {"sessionId": "1_of_nobody"}}),
            ("POST", "/archive/start", {"data": b"\xff" * 200_000, "headers": _JSON}),
            ("POST", "/archive/1/stop", {}),
            ("POST", "/callbacks", {"json": event}),
            ("POST", "/callbacks", {"json": event, "headers": _bearer(signed(event))}),
            ("POST", "/admin/login/", {"data": {"username": "bench", "password": "wrong"}}),
            ("POST", "/waiting/known-1", {"json": {"name": "x"}}),
            ("PUT", "/room/known-1", {"json": [[[[]]]]}),
            (f"M{random.randrange(10_000)}", "/room/known-1", {}),
        ]
        for method, path, options in asked:
            client.ask(method, path, **options)
            yield


_JSON = {"Content-Type": "application/json"}


def _bearer(proof: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {proof}"}


def hanging_up(client: Client) -> Steps:
    """Clients that go before they are answered, stay and say nothing, or send no HTTP."""
    address = urlsplit(client.server.url)
    silent: deque[socket.socket] = deque()
    while True:
        head = f"Host: {address.netloc}\r\nX-Forwarded-For: {some_address()}\r\n"
        body = json.dumps({"sessionId": "x" * 500})
        for sent in [
            f"GET /room/known-{random.randrange(KNOWN)} HTTP/1.1\r\n{head}\r\n",
            f"GET /room/left-{time.monotonic_ns()} HTTP/1.1\r\n{head}\r\n",
            f"GET /api/schema HTTP/1.1\r\n{head}\r\n",
            f"GET /room/known-1 HTTP/1.1\r\n{head}",
            f"POST /archive/start HTTP/1.1\r\n{head}Content-Length: 900\r\n\r\n{body}",
            f"POST /callbacks HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n5\r\nab",
            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            "",
        ]:
            connection = socket.create_connection((address.hostname, address.port), timeout=10)
            connection.sendall(sent.encode("latin-1"))
            silent.append(connection)
            # The last ones are still open; the server ends those that stay silent for too long.
            if len(silent) > 20:
                gone = silent.popleft()
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                gone.close()
            if random.random() < 0.5:
                silent.pop().close()
            yield

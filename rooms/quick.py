"""A fast path for `GET /room/<name>` without a key or a code, ahead of Django.

It calls the functions that the viewset calls, and has no rules of its own. All other requests and
all errors are left to Django: the viewset raises the error in `environ[ERROR]`. QUICK_ROOMS=off
disables it. Rooms that are open to all are cached for a second, unless a process of this machine
changes a room.
"""

import json
import re
import time
from functools import cache, lru_cache
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import unquote

from django.conf import settings
from django.db import close_old_connections
from django.urls import resolve
from rest_framework.exceptions import APIException

from access.actors import visitor_at
from access.capabilities import Capability
from access.limits import address_ident, address_of, consume
from audit.actors import acting
from rooms import generation
from rooms.credentials import credentials_for
from rooms.models import Room
from rooms.names import clean_name
from rooms.policy import Visitor
from telemetry import logs, request_log
from web import edge

Environ = dict[str, Any]

ABOVE = "/room/"
# RFC 3986: characters of a segment of a path. A query has others.
SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%-]+")
# Requests with one of these are left to Django.
NOT_PLAIN = {
    "HTTP_AUTHORIZATION",
    "HTTP_X_ACCESS_CODE",
    "HTTP_X_RECORDING_CONSENT",
    "HTTP_X_TICKET",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_CONTENT_ENCODING",
    "CONTENT_LENGTH",
}

# The key of a WSGI environ for an error, which the viewset raises; the request is counted.
ERROR = "rooms.error"

SECONDS_KEPT = 1
MOST_KEPT = 10_000


# As Django REST framework's renderer writes it.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Kept(NamedTuple):
    room: Room
    generation: bytes
    until: float


_kept: dict[str, Kept] = {}


def room_asked_for(environ: Environ) -> str | None:
    """The name of the room of a plain request for credentials; None for other requests."""
    uri = environ.get("RAW_URI", "")
    if not uri.startswith(ABOVE) or environ["REQUEST_METHOD"] != "GET":
        return None
    if not NOT_PLAIN.isdisjoint(environ) or not settings.QUICK_ROOMS:
        return None
    return _name(uri[len(ABOVE) :])


@lru_cache(maxsize=4096)
def _name(segment: str) -> str | None:
    if not SEGMENT.fullmatch(segment):
        return None
    try:
        return clean_name(unquote(segment, errors="strict"))
    except (APIException, UnicodeError):
        return None


def answer_from_memory(environ: Environ, name: str) -> Answer | None:
    """The answer for a cached room. It never blocks, so that the event loop may call it."""
    kept = _kept.get(name)
    if not kept or kept.until < time.monotonic() or kept.generation != generation.current():
        return None
    started = perf_counter()
    try:
        if _is_let_in(environ):
            return _credentials(environ, kept.room, started=started)
    except APIException as error:
        environ[ERROR] = error
    return None


def answer(environ: Environ, name: str) -> Answer | None:
    """The answer by the cache or the database; the first visit makes the room."""
    if (found := answer_from_memory(environ, name)) or ERROR in environ:
        return found
    environ[edge.STARTED] = perf_counter()
    with logs.request(request_log.id_of(environ)):
        try:
            if not _is_let_in(environ):
                return None
            before = generation.current()
            with acting(lambda: visitor_at(address_of(environ))):
                room = Room.objects.open(name, visitor=Visitor(client=address_ident(environ)))
            found = _credentials(environ, room, started=environ[edge.STARTED])
        except Exception as error:
            environ[ERROR] = error
            return None
        finally:
            close_old_connections()
    # With REDIS_URL the event loop would have to wait for Redis.
    if not (room.is_restricted or settings.REDIS_URL):
        _keep(room, before)
    return found


def _keep(room: Room, generation_before: bytes) -> None:
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[room.name] = Kept(room, generation_before, time.monotonic() + SECONDS_KEPT)


def _is_let_in(environ: Environ) -> bool:
    """Whether Django would let the request reach the viewset. Counts it: RateLimited."""
    if Capability.JOIN not in settings.ANONYMOUS_ACCESS or not edge.is_allowed_host(environ):
        return False
    if settings.SECURE_SSL_REDIRECT and not edge.is_secure(environ):
        return False
    edge.check_headers(environ)
    consume("join", address_ident(environ))
    return True


def _credentials(environ: Environ, room: Room, *, started: float) -> Answer:
    body = _to_json(credentials_for(room)).encode()
    headers = {**_headers(), "Content-Length": str(len(body))}
    request_id = request_log.id_of(environ)
    edge.finish(environ, headers, request_id=request_id, secure=edge.is_secure(environ))
    request_log.write(
        "GET",
        _route(),
        200,
        request_id=request_id,
        seconds=perf_counter() - started,
        size=headers["Content-Length"],
    )
    return Answer(200, headers, body)


@cache
def _headers() -> dict[str, str]:
    """The headers that the viewset adds."""
    view: Any = resolve(f"{ABOVE}x").func
    viewset = view.cls(**view.initkwargs)
    for method, action in view.actions.items():
        setattr(viewset, method, getattr(viewset, action))
    viewset.headers = viewset.default_response_headers
    return {"Content-Type": viewset.renderer_classes[0].media_type, **viewset.headers}


@cache
def _route() -> str:
    return request_log.template(resolve(f"{ABOVE}x").route)

"""One line in the log, one count and one id for each request."""

import json
import os
import re
import secrets
import time
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest, HttpResponse

from telemetry import counters, logs, tracing

# A request's id from outside is believed if it can do no harm wherever it is written.
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = "web.request_id"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NO_ROUTE = "(none)"
STATIC_ROUTE = "/static/<path>"
API_COLLECTION = re.compile(r"/api/v1/[a-z-]+")
ADMIN_ROUTE = f"/{settings.ADMIN_URL}…"


def id_of(environ: MutableMapping[str, Any]) -> str:
    """The same each time it is asked for."""
    if REQUEST_ID not in environ:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ[REQUEST_ID] = given if SAFE_ID.fullmatch(given) else secrets.token_hex(8)
    request_id: str = environ[REQUEST_ID]
    return request_id


def note(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Where something set `request.api_key_prefix`, the line says whose request it was, and with
    `refused_address` from where.
    """
    method = request.method if request.method in METHODS else "other"
    route, status = route_of(request), response.status_code
    counters.count_request(*counted_as(request, method, route, status), status, seconds=seconds)
    tracing.name_request(method, route)
    _write_line(
        method,
        route,
        status,
        request_id=logs.request_id.get(),
        seconds=seconds,
        size=response.headers.get("Content-Length"),
        key_prefix=getattr(request, "api_key_prefix", None),
        address=getattr(request, "refused_address", None),
    )


def write(method: str, route: str, status: int, *, seconds: float, **told: str) -> None:
    """The same, of a request whose method is one that its route takes."""
    counters.count_request(method, route, status, seconds=seconds)
    tracing.name_request(method, route)
    _write_line(method, route, status, seconds=seconds, **told)


def counted_as(request: HttpRequest, method: str, route: str, status: int) -> tuple[str, str]:
    """Method and route as labels: each pair is 16 series, and clients choose which they try.

    So the admin, which has forty routes, counts as one, each collection of the API as another, and
    methods that a route does not take count together.
    """
    if collection := API_COLLECTION.match(route):
        route = f"{collection[0]}…"
    in_admin = request.path_info.startswith(f"/{settings.ADMIN_URL}")
    is_known = request.resolver_match is not None and not in_admin and status != 405
    if not is_known and method not in {"GET", "POST"}:
        method = "other"
    return method, ADMIN_ROUTE if in_admin else route


def route_of(request: HttpRequest) -> str:
    """Which of the routes it was, such as `/room/<name>`; never the path itself.

    What is refused before it is routed, or has no route, counts as one.
    """
    if request.resolver_match:
        return template(request.resolver_match.route)
    return STATIC_ROUTE if request.path.startswith(settings.STATIC_URL) else NO_ROUTE


@lru_cache(1024)
def template(pattern: str) -> str:
    """How the log and the metrics name the route with this pattern."""
    # Without the converters of `path`, as in `<room:name>`.
    return re.sub(r"<\w+:", "<", simplify_regex(pattern)).rstrip("/") or "/"


def _write_line(
    method: str,
    route: str,
    status: int,
    *,
    request_id: str,
    seconds: float,
    size: str | None,
    key_prefix: str | None = None,
    address: str | None = None,
) -> None:
    """The line of a request that was answered just now; `size` is a Content-Length.

    Put together by hand, because a record of `logging` takes five times as long. A log that
    does not take the line costs no request its answer.
    """
    now = logs.moment(time.time())
    more = f',"bytes":{int(size)}' if size else ""
    if trace := tracing.trace_id():
        more += f',"trace_id":"{trace}"'
    if key_prefix:
        more += f',"key_prefix":{logs.to_json(key_prefix)}'
    if address:
        more += f',"address":{logs.to_json(address)}'
    line = (
        f'{{"time":"{now}","request_id":"{request_id}",{_kind(method, route, status)},'
        f'"duration_ms":{seconds * 1000:.1f}{more}}}'
    )
    with suppress(OSError):
        os.write(
            logs.STANDARD_OUTPUT, f"{_in_words(line) if logs.AT_TERMINAL else line}\n".encode()
        )


@lru_cache(1024)
def _kind(method: str, route: str, status: int) -> str:
    """The members that many lines have in common."""
    level = "error" if status >= 500 else "info"
    members = {"level": level, "method": method, "route": route, "status": status}
    return logs.to_json(members)[1:-1]


def _in_words(line: str) -> str:
    told = json.loads(line)
    key = f" key {told['key_prefix']}" if "key_prefix" in told else ""
    return (
        f"{told['time'][11:19]} {told['method']} {told['route']} {told['status']} "
        f"{told['duration_ms']} ms{key} ({told['request_id']})"
    )

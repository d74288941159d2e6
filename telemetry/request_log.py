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

# A client's X-Request-ID is taken if it is harmless wherever it is written.
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID = "web.request_id"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NO_ROUTE = "(none)"
STATIC_ROUTE = "/static/<path>"
API_COLLECTION = re.compile(r"/api/v1/[a-z-]+")
ADMIN_ROUTE = f"/{settings.ADMIN_URL}…"


def id_of(environ: MutableMapping[str, Any]) -> str:
    """The id of a request: X-Request-ID, or a random one, the same at each call."""
    if REQUEST_ID not in environ:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ[REQUEST_ID] = given if SAFE_ID.fullmatch(given) else secrets.token_hex(8)
    request_id: str = environ[REQUEST_ID]
    return request_id


def note(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Count and log an answered request, with `request.api_key_prefix` and
    `request.refused_address`, if they are set.
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
    """The same for a request without a Django request. `method` is one that the route takes."""
    counters.count_request(method, route, status, seconds=seconds)
    tracing.name_request(method, route)
    _write_line(method, route, status, seconds=seconds, **told)


def counted_as(request: HttpRequest, method: str, route: str, status: int) -> tuple[str, str]:
    """Method and route as labels of the metrics. Each pair takes 16 series, and clients choose the
    pairs that they try.

    So all of the admin counts as one route, and so does each collection of the API. Methods that a
    route does not take count as "other".
    """
    if collection := API_COLLECTION.match(route):
        route = f"{collection[0]}…"
    in_admin = request.path_info.startswith(f"/{settings.ADMIN_URL}")
    is_known = request.resolver_match is not None and not in_admin and status != 405
    if not is_known and method not in {"GET", "POST"}:
        method = "other"
    return method, ADMIN_ROUTE if in_admin else route


def route_of(request: HttpRequest) -> str:
    """The route of a request, such as `/room/<name>`, and never its path.

    NO_ROUTE if it has none, or was refused before it was routed.
    """
    if request.resolver_match:
        return template(request.resolver_match.route)
    return STATIC_ROUTE if request.path.startswith(settings.STATIC_URL) else NO_ROUTE


@lru_cache(1024)
def template(pattern: str) -> str:
    """The name of a route in the log and the metrics, from its URL pattern."""
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
    """Write the line of a request. `size` is the answer's Content-Length.

    Written by hand, because `logging` takes five times as long. If the line cannot be written, the
    request is answered all the same.
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
    """The fields that many lines share, as JSON without its braces."""
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

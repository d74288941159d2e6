"""One line in the log, one count and one id for each request."""

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest, HttpResponse

from telemetry import counters, logs

# An id that somebody else gave the request is believed if it can do no harm wherever it is written.
SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NO_ROUTE = "(none)"
STATIC_ROUTE = "/static/<path>"
ADMIN_ROUTE = f"/{settings.ADMIN_URL}…"


def id_of(environ: Mapping[str, Any]) -> str:
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if SAFE_ID.fullmatch(given) else secrets.token_hex(8)


def note(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Where something set `request.api_key_prefix`, the line says whose request it was."""
    method = request.method if request.method in METHODS else "other"
    route, status = route_of(request), response.status_code
    counters.count_request(*counted_as(request, method, route, status), status, seconds=seconds)
    logs.write_request(
        method=method,
        route=route,
        status=status,
        seconds=seconds,
        size=response.headers.get("Content-Length"),
        key_prefix=getattr(request, "api_key_prefix", None),
    )


def counted_as(request: HttpRequest, method: str, route: str, status: int) -> tuple[str, str]:
    """Method and route as labels: each pair is 16 series, and clients choose which they try.

    So the admin, which has forty routes, counts as one, and methods that a route does not take
    count together.
    """
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

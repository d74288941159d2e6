"""CORS, which the clients need: they are web pages of other origins.

They send no cookies, so any origin may call unless CORS_ALLOWED_ORIGINS names some. The headers are
sent without an `Origin` as well, as the sample server does, so that a cache never keeps an answer
without them.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse

# Also a plain dict.
Headers = Any

METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
# What a script of another origin may read besides the usual.
EXPOSED = "Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-ID"


def preflight(environ: Mapping[str, Any]) -> HttpResponse:
    """The answer to OPTIONS, so far without the headers that every answer gets."""
    response = HttpResponse(status=204, headers={"Access-Control-Allow-Methods": METHODS})
    if asked := environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS"):
        response.headers["Access-Control-Allow-Headers"] = asked
    response.headers["Access-Control-Max-Age"] = "600"
    _vary(response.headers, "Access-Control-Request-Headers")
    del response.headers["Content-Type"]
    return response


def allow_origin(environ: Mapping[str, Any], headers: Headers) -> None:
    headers["Access-Control-Expose-Headers"] = EXPOSED
    if "*" in settings.CORS_ALLOWED_ORIGINS:
        headers["Access-Control-Allow-Origin"] = "*"
        return
    _vary(headers, "Origin")
    origin = environ.get("HTTP_ORIGIN")
    if origin in settings.CORS_ALLOWED_ORIGINS:
        headers["Access-Control-Allow-Origin"] = origin


def _vary(headers: Headers, name: str) -> None:
    held = headers.get("Vary", "")
    if name.lower() not in held.lower().split(", "):
        headers["Vary"] = f"{held}, {name}" if held else name

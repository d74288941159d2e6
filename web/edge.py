"""Checks and headers that web/layer.py and rooms/quick.py share.

They take a WSGI environ, because rooms/quick.py has no Django request.
"""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost

from web.errors import Problem
from web.request import Request

# Django's, or a plain dict.
Headers = Any

# The key of a WSGI environ for the time at which its request began, if that was before Layer.
STARTED = "web.started"

ON_EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    # Headers that scripts of other origins may read besides the safelisted ones.
    "Access-Control-Expose-Headers": (
        "Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-ID"
    ),
}


def is_secure(environ: Mapping[str, Any]) -> bool:
    """The same as `request.is_secure()`."""
    if header := settings.SECURE_PROXY_SSL_HEADER:
        name, secure = header
        # The proxy in front has appended the last one.
        return bool(environ.get(name, "").rpartition(",")[2].strip() == secure)
    return bool(environ["wsgi.url_scheme"] == "https")


def is_allowed_host(environ: Mapping[str, Any]) -> bool:
    """Whether `request.get_host()` accepts the `Host`; false without one."""
    host = environ.get("HTTP_HOST")
    return bool(host) and _is_allowed(host, *settings.ALLOWED_HOSTS)


@lru_cache
def _is_allowed(host: str, *allowed: str) -> bool:
    request = Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": BytesIO()})
    request.META |= {"HTTP_HOST": host, "SERVER_NAME": "", "SERVER_PORT": ""}
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def check_headers(environ: Mapping[str, Any]) -> None:
    """Error: headers_too_large, since servers in front of us may have other limits."""
    sizes = [len(value) for name, value in environ.items() if name.startswith("HTTP_")]
    if sum(sizes) > settings.MAX_HEADER_BYTES:
        raise Problem("headers_too_large")


def finish(environ: Mapping[str, Any], headers: Headers, *, request_id: str, secure: bool) -> None:
    """Add the headers that every answer carries."""
    # Answers carry tokens and signed links. Static files bring a header of their own.
    headers.setdefault("Cache-Control", "no-store")
    for name, text in ON_EVERY_ANSWER.items():
        headers[name] = text
    if secure and settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
    _allow_origin(environ, headers)
    headers["X-Request-ID"] = request_id


def _allow_origin(environ: Mapping[str, Any], headers: Headers) -> None:
    """CORS: the clients are web pages of other origins. They send no cookies, so any origin may
    call unless CORS_ALLOWED_ORIGINS names some.

    Also without an `Origin`, as the sample server does, so that a cache never keeps an answer
    without the headers.
    """
    origins = settings.CORS_ALLOWED_ORIGINS
    if "*" in origins:
        headers["Access-Control-Allow-Origin"] = "*"
        return
    vary(headers, "Origin")
    if (origin := environ.get("HTTP_ORIGIN")) in origins:
        headers["Access-Control-Allow-Origin"] = origin


def vary(headers: Headers, name: str) -> None:
    held = headers.get("Vary", "")
    if name.lower() not in held.lower().split(", "):
        headers["Vary"] = f"{held}, {name}" if held else name

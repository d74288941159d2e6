"""What holds for a request and for its answer whichever way it is answered: by web/layer.py, or by
rooms/quick.py, which has a WSGI environ and no Django request.
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

# Where a WSGI environ has the time at which its request came, if that was not in web/layer.py.
STARTED = "web.started"

ON_EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
    # What a script of another origin may read besides the usual.
    "Access-Control-Expose-Headers": (
        "Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-ID"
    ),
}


def is_secure(environ: Mapping[str, Any]) -> bool:
    """As `request.is_secure()`."""
    if header := settings.SECURE_PROXY_SSL_HEADER:
        name, secure = header
        # Of several the proxy in front has written the last.
        return bool(environ.get(name, "").rpartition(",")[2].strip() == secure)
    return bool(environ["wsgi.url_scheme"] == "https")


def is_allowed_host(environ: Mapping[str, Any]) -> bool:
    """Whether `request.get_host()` takes it; false without a `Host`."""
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
    """Raise `headers_too_large` for what the server in front of us has let through all the same."""
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

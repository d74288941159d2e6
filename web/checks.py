"""What no request may bring, whatever it asks for: refused before anything else looks at it."""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, UnreadablePostError

from web.encodings import decoded
from web.errors import (
    AddressAmbiguous,
    AddressNotText,
    BadRequest,
    BodyNotReceived,
    BodyTooLarge,
    HeadersTooLarge,
    LengthRequired,
)
from web.request import Request

# Below these paths stand rooms' names.
ABOVE_NAMES = ("/room/", "/api/v1/rooms/")


def check(request: HttpRequest) -> None:
    """Raise the Refusal of a foreign host, an address that is not text or may mean two rooms,
    headers that are too large, and a body that cannot be had. `request.body` is read afterwards.
    """
    check_host(request)
    # PostgreSQL cannot hold a NUL, so that no text may have one.
    if not getattr(request, "path_is_utf8", True) or "%00" in request.META["QUERY_STRING"]:
        raise AddressNotText()
    if _is_ambiguous(request):
        raise AddressAmbiguous()
    check_headers(request.META)
    _read_body(request)


def check_host(request: HttpRequest) -> None:
    try:
        request.get_host()
    except DisallowedHost:
        raise BadRequest() from None


@lru_cache
def is_allowed_host(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether check_host() takes a request with this `Host`; `allowed` is ALLOWED_HOSTS."""
    request = Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": BytesIO()})
    request.META |= {"HTTP_HOST": host, "SERVER_NAME": "", "SERVER_PORT": ""}
    try:
        check_host(request)
    except BadRequest:
        return False
    return True


def check_headers(environ: Mapping[str, Any]) -> None:
    """Raise HeadersTooLarge for what the server in front of us has let through all the same."""
    sizes = [len(value) for name, value in environ.items() if name.startswith("HTTP_")]
    if sum(sizes) > settings.MAX_HEADER_BYTES:
        raise HeadersTooLarge()


def _is_ambiguous(request: HttpRequest) -> bool:
    """Whether a slash in the path may have been sent as `%2F`, and so be one of a room's name."""
    if getattr(request, "path_is_as_sent", False):
        return False
    path = request.path_info
    return any(path.startswith(above) and "/" in path.removeprefix(above) for above in ABOVE_NAMES)


def _read_body(request: HttpRequest) -> None:
    """Have all of `request.body`, decoded. Raises the Refusal of one that cannot be had."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired()
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
        raise BodyTooLarge()
    try:
        body = request.body
    except UnreadablePostError:
        raise BodyNotReceived() from None
    if coding := request.headers.get("Content-Encoding"):
        request._body = decoded(body, coding)
        del request.META["HTTP_CONTENT_ENCODING"]

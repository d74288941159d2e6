"""Checks that all requests have to pass before they are routed."""

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, UnreadablePostError

from web import edge
from web.encodings import decoded
from web.errors import Problem

# Names of rooms follow these.
ABOVE_NAMES = ("/room/", "/api/v1/rooms/")


def check(request: HttpRequest) -> None:
    """Raise a Problem for a wrong Host, an address that is not text or is ambiguous, headers that
    are too large, and a body that cannot be read. Afterwards `request.body` is in memory.
    """
    try:
        request.get_host()
    except DisallowedHost:
        raise Problem("bad_request") from None
    # PostgreSQL stores no NUL.
    if not getattr(request, "path_is_utf8", True) or "%00" in request.META["QUERY_STRING"]:
        raise Problem("address_not_text")
    if _is_ambiguous(request):
        raise Problem("address_ambiguous")
    edge.check_headers(request.META)
    _read_body(request)


def _is_ambiguous(request: HttpRequest) -> bool:
    """Whether a slash in the path may have been sent as `%2F`, as a part of a room's name."""
    if getattr(request, "path_is_as_sent", False):
        return False
    path = request.path_info
    return any(path.startswith(above) and "/" in path.removeprefix(above) for above in ABOVE_NAMES)


def _read_body(request: HttpRequest) -> None:
    """Read all of `request.body` and decode it, or raise a Problem."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise Problem("length_required")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
        raise Problem("body_too_large")
    try:
        body = request.body
    except UnreadablePostError:
        raise Problem("body_not_received") from None
    if coding := request.headers.get("Content-Encoding"):
        request._body = decoded(body, coding)
        del request.META["HTTP_CONTENT_ENCODING"]

"""What no request may bring, whatever it asks for: refused before anything else looks at it."""

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, UnreadablePostError

from web import edge
from web.encodings import decoded
from web.errors import (
    AddressAmbiguous,
    AddressNotText,
    BadRequest,
    BodyNotReceived,
    BodyTooLarge,
    LengthRequired,
)

# Below these paths stand rooms' names.
ABOVE_NAMES = ("/room/", "/api/v1/rooms/")


def check(request: HttpRequest) -> None:
    """Raise the Refusal of a foreign host, an address that is not text or may mean two rooms,
    headers that are too large, and a body that cannot be had. `request.body` is read afterwards.
    """
    try:
        request.get_host()
    except DisallowedHost:
        raise BadRequest() from None
    # PostgreSQL cannot hold a NUL, so that no text may have one.
    if not getattr(request, "path_is_utf8", True) or "%00" in request.META["QUERY_STRING"]:
        raise AddressNotText()
    if _is_ambiguous(request):
        raise AddressAmbiguous()
    edge.check_headers(request.META)
    _read_body(request)


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

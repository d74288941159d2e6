"""What every answer carries, and what no request may bring."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.cache import patch_vary_headers

from access.errors import RateLimited
from access.limits import client, spend
from config import problems
from config.encodings import decoded
from config.errors import (
    AddressAmbiguous,
    AddressNotText,
    BodyNotReceived,
    BodyTooLarge,
    HeadersTooLarge,
    LengthRequired,
    Refusal,
)
from config.problems import refuse

GetResponse = Callable[[HttpRequest], HttpResponse]

# Below these paths stand rooms' names.
ABOVE_NAMES = ("/room/", "/api/v1/rooms/")


class CrossOriginMiddleware:
    """CORS on each answer, redirects and errors included; preflights end here.

    The clients are web pages of other origins. They send no cookies, so the origin may be anyone's
    unless CORS_ALLOWED_ORIGINS names some. The header is sent without an `Origin` as well, as the
    sample server does, so that a cache never keeps an answer without it.
    """

    METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
    # What a script of another origin may read besides the usual.
    EXPOSED = (
        "Location, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-ID"
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            response = self.preflight(request)
        else:
            response = self.get_response(request)
        self.allow_origin(request, response)
        return response

    def preflight(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(status=204, headers={"Access-Control-Allow-Methods": self.METHODS})
        if asked := request.headers.get("Access-Control-Request-Headers"):
            response.headers["Access-Control-Allow-Headers"] = asked
        response.headers["Access-Control-Max-Age"] = "600"
        patch_vary_headers(response, ["Access-Control-Request-Headers"])
        del response.headers["Content-Type"]
        return response

    def allow_origin(self, request: HttpRequest, response: HttpResponse) -> None:
        response.headers["Access-Control-Expose-Headers"] = self.EXPOSED
        if "*" in settings.CORS_ALLOWED_ORIGINS:
            response.headers["Access-Control-Allow-Origin"] = "*"
            return
        patch_vary_headers(response, ["Origin"])
        origin = request.headers.get("Origin")
        if origin in settings.CORS_ALLOWED_ORIGINS:
            response.headers["Access-Control-Allow-Origin"] = origin


class ResponseHeadersMiddleware:
    """The length, a content security policy for pages, and no caching unless it was asked for."""

    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers["Content-Security-Policy"] = self.policy(request)
        # Answers carry tokens and signed links. Static files bring a header of their own.
        response.headers.setdefault("Cache-Control", "no-store")
        if not response.streaming and response.status_code != 204:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def policy(self, request: HttpRequest) -> str:
        # The admin's own forms have style attributes; no page of ours does.
        in_admin = request.resolver_match and request.resolver_match.app_name == "admin"
        return self.POLICY.format(style=" 'unsafe-inline'" if in_admin else "")


class RequestLimitsMiddleware:
    """Refuses a foreign host, an address that is not text, headers that are too large, and a body
    that is too large to read, does not say how large it is, or did not come.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # raises what becomes a 400 for one that ALLOWED_HOSTS does not name
        # PostgreSQL cannot hold a NUL, so that no text may have one.
        if not getattr(request, "path_is_utf8", True) or "%00" in request.META["QUERY_STRING"]:
            return refuse(request, AddressNotText())
        if _is_ambiguous(request):
            return refuse(request, AddressAmbiguous())
        try:
            _check_headers(request)
            _read_body(request)
        except Refusal as refusal:
            return refuse(request, refusal)
        return self.get_response(request)


def _check_headers(request: HttpRequest) -> None:
    """Raise HeadersTooLarge for what the server in front of us has let through all the same."""
    sizes = (len(value) for name, value in request.META.items() if name.startswith("HTTP_"))
    if sum(sizes) > settings.MAX_HEADER_BYTES:
        raise HeadersTooLarge()


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


class InAdminOnly:
    """Mixed into Django's middleware that nobody but staff has a use for: nothing else reads a
    session or a user, and setting them up takes a tenth of a request's time.
    """

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(f"/{settings.ADMIN_URL}"):
            return super().__call__(request)  # type: ignore[misc, no-any-return]
        return self.get_response(request)  # type: ignore[no-any-return]


class SessionMiddleware(InAdminOnly, sessions.SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        # In quotes a cookie may hold a NUL, which PostgreSQL cannot look for.
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


class AuthenticationMiddleware(InAdminOnly, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(InAdminOnly, messages.MessageMiddleware):
    pass


class ProblemMiddleware:
    """Limits the admin as the framework limits views of the API, and answers the errors there that
    know their status.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        if request.resolver_match and request.resolver_match.app_name == "admin":
            try:
                spend("other", client(request))
            except RateLimited as error:
                return problems.answer(request, error)
        return None

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        return problems.answer(request, exc)


def _is_ambiguous(request: HttpRequest) -> bool:
    """Whether a slash in the path may have been sent as `%2F`, and so be one of a room's name."""
    if getattr(request, "path_is_as_sent", False):
        return False
    path = request.path_info
    return any(path.startswith(above) and "/" in path.removeprefix(above) for above in ABOVE_NAMES)

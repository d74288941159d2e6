"""The outermost layer of a request: its id, its line in the log, its count, checks, and the headers
of all answers.
"""

from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils.module_loading import import_string

from telemetry import logs, request_log
from web import checks, edge
from web.errors import Problem

GetResponse = Callable[[HttpRequest], HttpResponse]

METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
# For pages. Only forms of Django's admin have style attributes.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Layer:
    """The first middleware after ops.health. rooms/quick.py does the same by the same functions."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.refuse = import_string(settings.REFUSAL_VIEW)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = request.META.get(edge.STARTED) or perf_counter()
        with logs.request(request_log.id_of(request.META)) as request_id:
            response = self._respond(request)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                # The join page has its own.
                response.headers.setdefault("Content-Security-Policy", content_policy(request))
            if not response.streaming and response.status_code != 204:
                response.headers.setdefault("Content-Length", str(len(response.content)))
            secure = request.is_secure()
            edge.finish(request.META, response.headers, request_id=request_id, secure=secure)
            request_log.note(request, response, seconds=perf_counter() - started)
            return response

    def _respond(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return _preflight(request)
        try:
            checks.check(request)
        except Problem as problem:
            return self.refuse(request, problem)  # type: ignore[no-any-return]
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            here = f"https://{request.get_host()}{request.get_full_path()}"
            return HttpResponsePermanentRedirect(here)
        return self.get_response(request)


def _preflight(request: HttpRequest) -> HttpResponse:
    """The answer to the OPTIONS by which a browser asks whether it may call."""
    response = HttpResponse(status=204, headers={"Access-Control-Allow-Methods": METHODS})
    if asked := request.headers.get("Access-Control-Request-Headers"):
        response.headers["Access-Control-Allow-Headers"] = asked
    response.headers["Access-Control-Max-Age"] = "600"
    edge.vary(response.headers, "Access-Control-Request-Headers")
    del response.headers["Content-Type"]
    return response


def content_policy(request: HttpRequest) -> str:
    in_admin = request.resolver_match and request.resolver_match.app_name == "admin"
    return CONTENT_POLICY.format(style=" 'unsafe-inline'" if in_admin else "")

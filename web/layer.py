"""What every request passes, once: its id, its line in the log, its count, the checks, and the
headers that every answer carries.
"""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils.module_loading import import_string

from telemetry import logs, request_log
from web import checks, cors
from web.errors import Refusal

GetResponse = Callable[[HttpRequest], HttpResponse]

# For pages. The admin's own forms have style attributes; no page of ours does.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Layer:
    """The first of Django's middleware. rooms/quick.py calls the same functions."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.refuse = import_string(settings.REFUSAL_VIEW)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        with logs.request(request_log.id_of(request.META)):
            response = self._respond(request)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                response.headers["Content-Security-Policy"] = _content_policy(request)
            if not response.streaming and response.status_code != 204:
                response.headers.setdefault("Content-Length", str(len(response.content)))
            finish(request.META, response.headers, is_secure=request.is_secure())
            request_log.note(request, response, seconds=perf_counter() - started)
            return response

    def _respond(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return cors.preflight(request.META)
        try:
            checks.check(request)
        except Refusal as refusal:
            return self.refuse(request, refusal)  # type: ignore[no-any-return]
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            here = f"https://{request.get_host()}{request.get_full_path()}"
            return HttpResponsePermanentRedirect(here)
        return self.get_response(request)


def is_secure(environ: Mapping[str, Any]) -> bool:
    """As `request.is_secure()`."""
    if header := settings.SECURE_PROXY_SSL_HEADER:
        name, secure = header
        return bool(environ.get(name, "").rpartition(",")[2].strip() == secure)
    return bool(environ["wsgi.url_scheme"] == "https")


def finish(environ: Mapping[str, Any], headers: cors.Headers, *, is_secure: bool) -> None:
    """Add the headers that every answer carries."""
    # Answers carry tokens and signed links. Static files bring a header of their own.
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
    headers["Referrer-Policy"] = settings.SECURE_REFERRER_POLICY
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if is_secure and settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
    cors.allow_origin(environ, headers)
    headers["X-Request-ID"] = logs.request_id.get()


def _content_policy(request: HttpRequest) -> str:
    in_admin = request.resolver_match and request.resolver_match.app_name == "admin"
    return CONTENT_POLICY.format(style=" 'unsafe-inline'" if in_admin else "")

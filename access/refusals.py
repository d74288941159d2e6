"""Turns errors into answers, and counts refused requests.

DRF and Django call these functions: see EXCEPTION_HANDLER in the settings and `handler400` to
`handler500` in config/urls.py.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions

from access.failures import note_failure
from access.limits import RateLimited, address_ident, address_of, consume
from staff.middleware import is_in_admin
from telemetry.logs import in_one_line
from web import problems
from web.database_errors import is_unavailable
from web.errors import Problem

logger = logging.getLogger("problems")

# The log has the client's address for these, with LOG_ADDRESSES.
REFUSED = {401, 403, 429}

GetResponse = Callable[[HttpRequest], HttpResponse]


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook for errors of API views."""
    view, request = context["view"], context["request"]
    return answer(request._request, exc, allowed=", ".join(view.allowed_methods))


def answer(request: HttpRequest, exc: Exception, *, allowed: str = "") -> HttpResponse | None:
    """The answer for an exception of a view; None for an unknown one, which becomes a 500 in
    `server_error`. `allowed` are the methods that the view takes.
    """
    if is_unavailable(exc):
        exc = Problem("database_unavailable", reason=in_one_line(exc))
    if not isinstance(exc, exceptions.APIException):
        return None
    if exc.status_code >= 500:
        logger.warning(
            "%s %s %s", exc.status_code, problems.code_of(exc), getattr(exc, "reason", "")
        )
    limited = _limited(request, exc)
    _name_address(request, limited.status_code)
    return problems.respond(request, limited, allowed=allowed)


def refuse(request: HttpRequest, error: Problem, *, page: str = "error.html") -> HttpResponse:
    """The answer for an error outside of API views."""
    limited = _limited(request, error)
    _name_address(request, limited.status_code)
    return problems.respond(request, limited, page=page if limited is error else "error.html")


def _limited(request: HttpRequest, error: exceptions.APIException) -> exceptions.APIException:
    """The error, or RateLimited if the limit that its `counts_as` names is used up.

    It counts requests that fail before the limit of a view counts them. Valid requests never count
    here.
    """
    if name := getattr(error, "counts_as", ""):
        if name == "refused":
            _note_refusal(request, problems.code_of(error))
        try:
            consume(name, address_ident(request.META))
        except RateLimited as limited:
            return limited
    return error


def _name_address(request: HttpRequest, status: int) -> None:
    """Have the log name the client's address, with LOG_ADDRESSES."""
    if settings.LOG_ADDRESSES and status in REFUSED:
        vars(request)["refused_address"] = address_of(request.META)


def _note_refusal(request: HttpRequest, code: str) -> None:
    """With the prefix of a key that was valid once."""
    prefix = getattr(request, "api_key_prefix", None)
    note_failure(f"refused.{code}", address_of(request.META), prefix=prefix)


# Django's handlers: see config/urls.py.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, Problem("bad_request"))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, Problem("permission_denied"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.headers.get("Origin", "").startswith("https:") and not request.is_secure():
        logger.warning(
            "403 csrf_failed A page on https sent it, and to this server it came by http. Behind a "
            "proxy that ends TLS set SECURE_SSL_REDIRECT=on."
        )
    return refuse(request, Problem("csrf_failed"), page="403_csrf.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, Problem("not_found"))


def server_error(request: HttpRequest) -> HttpResponse:
    # The exception may be of a middleware, such as a session that cannot be saved.
    exc = sys.exception()
    if isinstance(exc, Exception) and (response := answer(request, exc)):
        return response
    logger.exception("500 server_error")
    return refuse(request, Problem("server_error"))


class ProblemMiddleware:
    """Limits all below ADMIN_URL as the framework limits views of the API, and answers the errors
    there that know their status.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        if is_in_admin(request):
            try:
                consume("other", address_ident(request.META))
            except RateLimited as error:
                return answer(request, error)
        return None

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        return answer(request, exc)

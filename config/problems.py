"""Every error as RFC 9457 problem JSON, or as a page when a browser asked for one.

A problem has `type`, `title`, `status`, `detail`, a stable `code`, the `requestId` that the log
knows it by, and `error`: the same sentence as `detail`, under the name that clients of OpenTok's
sample server read.
"""

import logging
import sys
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions

from access.errors import RateLimited
from access.limits import client, spend
from access.notes import in_one_line
from config import errors, logs
from config.database_errors import is_unavailable
from metrics import counters

logger = logging.getLogger("problems")


class DatabaseUnavailable(exceptions.APIException):
    """The database is away, locked, full or read-only; it may be back in a moment."""

    status_code = 503
    default_code = "database_unavailable"
    title = "The database cannot be used"
    default_detail = "The server cannot use its database at the moment. Please try again shortly."
    wait = 5

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.reason = in_one_line(error)


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook: `answer`, for a view of the API."""
    view, request = context["view"], context["request"]
    return answer(request._request, exc, allowed=", ".join(view.allowed_methods))


def answer(request: HttpRequest, exc: Exception, *, allowed: str = "") -> HttpResponse | None:
    """An answer for an exception that a view raised, or None for one of no known kind.

    What stays None becomes a 500 in `server_error`. `allowed` are the methods that the view takes.
    """
    if is_unavailable(exc):
        exc = DatabaseUnavailable(exc)
    if not isinstance(exc, exceptions.APIException):
        return None
    if exc.status_code >= 500:
        logger.warning("%s %s %s", exc.status_code, _code(exc), getattr(exc, "reason", ""))
    return _respond(request, _limited(request, exc), allowed=allowed)


def refuse(
    request: HttpRequest, error: errors.Refusal, *, page: str = "error.html"
) -> HttpResponse:
    """The answer for what Django itself refuses, before or outside a view of the API."""
    limited = _limited(request, error)
    return _respond(request, limited, page=page if limited is error else "error.html")


def _limited(request: HttpRequest, error: exceptions.APIException) -> exceptions.APIException:
    """RateLimited in the place of an error whose limit, `counts_as`, is used up; or the same error.

    For what is refused before the limit of a view counts it. It counts after it was found to be
    wrong, so that nobody is kept out who sends what is right.
    """
    if name := getattr(error, "counts_as", ""):
        try:
            spend(name, client(request))
        except RateLimited as limited:
            return limited
    return error


def _respond(
    request: HttpRequest,
    exc: exceptions.APIException,
    *,
    allowed: str = "",
    page: str = "error.html",
) -> HttpResponse:
    wrong_method = isinstance(exc, exceptions.MethodNotAllowed)
    response = problem(
        request,
        status=exc.status_code,
        code=_code(exc),
        detail=f"This address takes {allowed}." if wrong_method else _sentence(exc),
        title=getattr(exc, "title", None) or _title_of_the_framework(exc),
        page=page,
    )
    _keep_django_from_logging(response)
    if wrong_method:
        response.headers["Allow"] = allowed
    if challenge := getattr(exc, "auth_header", None):
        response.headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        response.headers["Retry-After"] = str(int(wait))
    for name, value in getattr(exc, "headers", {}).items():
        response.headers[name] = value
    return response


def problem(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str,
    title: str | None = None,
    page: str = "error.html",
) -> HttpResponse:
    """The one way an error leaves this server. `page` is the template for a browser."""
    counters.count_problem(code)
    # It may quote the request, where a JSON text can hold what UTF-8 cannot.
    detail = detail.encode("utf-8", "replace").decode()
    body = {
        "type": f"urn:opentok-rooms:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "requestId": logs.request_id.get(),
        "error": detail,
    }
    if wants_page(request):
        return render(request, page, {"problem": body}, status=status)
    return JsonResponse(
        body,
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"separators": (",", ":")},
    )


def _keep_django_from_logging(response: HttpResponse) -> None:
    """It was logged here. Django would say it again, and with the path, which names a room."""
    response._has_been_logged = True  # type: ignore[attr-defined]


def _title_of_the_framework(exc: exceptions.APIException) -> str | None:
    title, _ = errors.OF_THE_FRAMEWORK.get(type(exc), (None, ""))
    return title


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser asked: it names HTML in `Accept`; fetch, curl and mobile clients do not."""
    accept = request.headers.get("Accept", "")
    return "text/html" in accept and "application/json" not in accept


def _code(exc: exceptions.APIException) -> str:
    return "invalid" if isinstance(exc.detail, dict | list) else str(exc.detail.code)


def _sentence(exc: exceptions.APIException) -> str:
    """One sentence for a person, also from a serializer's errors, which come as a tree."""
    detail: Any = exc.detail
    if isinstance(detail, dict):
        field, errors = next(iter(detail.items()))
        text = _first(errors)
        return text if field == "non_field_errors" else f"{field}: {text}"
    return _first(detail)


def _first(detail: Any) -> str:
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail), "")
    return str(detail)


# What Django calls by itself: see config/urls.py.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, errors.BadRequest())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, errors.NotAllowed())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if request.headers.get("Origin", "").startswith("https:") and not request.is_secure():
        logger.warning(
            "403 csrf_failed A page on https sent it, and to this server it came by http. Behind a "
            "proxy that ends TLS set SECURE_SSL_REDIRECT=on."
        )
    return refuse(request, errors.FormRefused(), page="403_csrf.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, errors.NothingHere())


def server_error(request: HttpRequest) -> HttpResponse:
    # Django calls this where it has caught the exception, such as one of a middleware: a session
    # that cannot be saved.
    exc = sys.exception()
    if isinstance(exc, Exception) and (response := answer(request, exc)):
        return response
    logger.exception("500 server_error")
    return refuse(request, errors.ServerError())

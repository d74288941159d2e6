"""Every error as RFC 9457 problem JSON, or as a page when a browser asked for one.

A problem has `type`, `title`, `status`, `detail`, a stable `code`, the `requestId` of the log, and
`error`, which is `detail` under the name that clients of OpenTok's sample server read.
"""

import logging
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions

from telemetry import counters, logs
from web.errors import CODES

logger = logging.getLogger("problems")


def respond(
    request: HttpRequest,
    exc: exceptions.APIException,
    *,
    allowed: str = "",
    page: str = "error.html",
) -> HttpResponse:
    """The answer for an error; `allowed` are the methods that the view takes."""
    wrong_method = isinstance(exc, exceptions.MethodNotAllowed)
    code = code_of(exc)
    response = problem(
        request,
        status=exc.status_code,
        code=code,
        detail=f"This address takes {allowed}." if wrong_method else _sentence(exc),
        title=getattr(exc, "title", None) or (CODES[code].meaning if code in CODES else None),
        page=page,
        members=getattr(exc, "members", {}),
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
    members: dict[str, str] | None = None,
) -> HttpResponse:
    """All errors leave the server here. `page` is the template for browsers, and `members` are
    further fields of the problem.
    """
    counters.count_problem(code)
    # It may quote JSON of the request, which can hold lone surrogates.
    detail = detail.encode("utf-8", "replace").decode()
    body = {
        "type": f"urn:opentok-rooms:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "requestId": logs.request_id.get(),
        "error": detail,
        **(members or {}),
    }
    if named_in_accept(request) == "html":
        return render(request, page, {"problem": body}, status=status)
    return JsonResponse(
        body,
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"separators": (",", ":")},
    )


def _keep_django_from_logging(response: HttpResponse) -> None:
    """Django would log it again, with the path, which names a room."""
    response._has_been_logged = True  # type: ignore[attr-defined]


def named_in_accept(request: HttpRequest) -> str:
    """ "html" from browsers and "json" from programs that want it; "" if both or neither are named,
    as by fetch, curl and mobile clients.
    """
    accept = request.headers.get("Accept", "").lower()
    html, json = "text/html" in accept, "json" in accept
    return "" if html == json else "html" if html else "json"


def code_of(exc: exceptions.APIException) -> str:
    return "invalid" if isinstance(exc.detail, dict | list) else str(exc.detail.code)


def _sentence(exc: exceptions.APIException) -> str:
    """The first sentence of an error; a serializer's errors are a tree."""
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

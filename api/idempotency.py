"""`Idempotency-Key`: a repeated POST gets the same answer, and is not done again.

A row marks the request as under way, and later has its answer. Its unique key decides between all
processes which of them executes the request. Nothing is locked meanwhile.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from access.authentication import key_of
from api.models import Answer, IdempotentRequest, fingerprints_of
from web.errors import Problem

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}", re.ASCII)

# They depend on the time, or do not answer the request itself.
NOT_KEPT = {401, 403, 429}
KEPT_HEADERS = ("Content-Type", "Location")

Handler = Callable[..., HttpResponse]


class DoneOnce(GenericViewSet):
    """Handles POSTs with the header, after authentication, permissions and limits.

    So a repetition counts for limits like any request, and a refused one does not touch the row.
    """

    post: Handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and self.action and HEADER in request.headers:
            self.post = partial(self._do_once, self.post)

    def _do_once(self, do: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        row = _row_of(request)
        if not row.is_mine:
            return _again(row.stored_answer())
        try:
            response = self._answer(do, request, *args, **kwargs)
        except BaseException:
            row.forget()
            raise
        if response.status_code >= 500 or response.status_code in NOT_KEPT:
            row.forget()
        else:
            row.settle(_kept(response))
        return response

    def _answer(self, do: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The rendered answer, also for an error."""
        response: Any
        try:
            response = do(request, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        answer: HttpResponse = self.finalize_response(request, response, *args, **kwargs)
        if isinstance(answer, Response):
            answer.render()
        return answer


def _row_of(request: Request) -> IdempotentRequest:
    """A row that this request has claimed, or one with an answer."""
    key = request.headers[HEADER]
    if not KEY.fullmatch(key):
        raise Problem("idempotency_key_invalid")
    sent, api_key = request._request, key_of(request)
    if api_key is None:
        raise Problem("idempotency_without_key")
    prints = fingerprints_of(sent.get_full_path(), sent.body, rooms=api_key.room_prefix)
    row = IdempotentRequest.objects.get_or_claim(fingerprints=prints, api_key=api_key, key=key)
    if row is None or row.is_under_way:
        raise Problem("idempotency_in_progress")
    return row


def _kept(response: HttpResponse) -> Answer:
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    return Answer(response.status_code, headers, response.content.decode())


def _again(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    del response.headers["Content-Type"]  # which an answer without a body lacks
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.headers["Idempotent-Replayed"] = "true"
    return response

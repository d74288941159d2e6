"""What goes in and out: HTTP requests and responses as plain values, without sockets."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

MAX_QUERY_FIELDS = 100


class BadInput(ValueError):
    """Something was asked for that makes no sense; the message is a sentence that says why."""


@dataclass(frozen=True)
class Request:
    """`target` is path and query as they came, undecoded; `base_url` is how we were reached."""

    method: str
    target: str
    headers: Message
    body: bytes = b""
    base_url: str = ""

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> dict[str, str]:
        """The last value of each query field. Raises ValueError for an absurd number of them."""
        return form_fields(self.target.partition("?")[2])

    @property
    def takes_json(self) -> bool:
        return "application/json" in str(self.headers.get("Accept", ""))

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises BadInput for anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise BadInput("The body is not a JSON object.")
        return value


@dataclass(frozen=True)
class Response:
    """An answer without Content-Length, Date and Server, which the server adds."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def form_fields(text: str) -> dict[str, str]:
    """URL-encoded fields, the last of each name. Raises ValueError when there are too many."""
    fields = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    return {name: values[-1] for name, values in fields.items()}


def json_response(status: int, value: Any) -> Response:
    """A JSON answer with the headers of the real service.

    The media type has no charset: the official SDK takes a session created with one for XML.
    """
    return Response(status, json.dumps(value).encode(), opentok_headers())


def xml_response(status: int, *path_and_fields: Any) -> Response:
    """An element in each of the elements before it, the last one with these texts."""
    *path, fields = path_and_fields
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    for name in reversed(path):
        inner = f"<{name}>{inner}</{name}>"
    body = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{inner}'
    return Response(status, body.encode(), opentok_headers() | {"Content-Type": "text/xml"})


def empty_response(status: int) -> Response:
    return Response(status, b"", opentok_headers())


def opentok_headers() -> dict[str, str]:
    trace = f"f=unknown&s=cerberus&u={str(uuid.uuid4()).upper()}"
    return {"Content-Type": "application/json", "X-Opentok-Trace": trace}


class ApiError(Exception):
    """A refusal in OpenTok's shape, {"code", "message", "description"}.

    `code` is OpenTok's own number, -1 for its general errors (recorded answers of the real
    service).
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def xml_response(self) -> Response:
        """The same for a caller that does not ask for JSON."""
        return xml_response(
            self.status,
            "errorPayload",
            {"code": str(self.code), "message": self.message, "description": self.message},
        )

    def response(self) -> Response:
        body = {"code": self.code, "message": self.message, "description": self.message}
        return json_response(self.status, body)


def invalid(message: str) -> ApiError:
    """A 400. Inference: the real numeric codes of these are not published, so it is 400 as well."""
    return ApiError(400, 400, message)


def not_found(message: str) -> ApiError:
    # inference: a recorded answer has "Not found. ..." messages, its code not always with it.
    return ApiError(404, -1, message)


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

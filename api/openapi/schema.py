"""Extensions of drf-spectacular: paths, API keys and errors."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from drf_spectacular import openapi
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from access.capabilities import Capability
from api.idempotency import HEADER, DoneOnce
from archives.pages import not_viewable
from rooms.names import MAX_LENGTH
from web.errors import CODES, Code

DESCRIPTION = Path(__file__).with_name("description.md")
DESCRIBED = (
    "/session", "/room/", "/waiting/", "/archive", "/captions/", "/broadcast/", "/sip/",
    "/audio-connector/", "/render", "/api/v1/",
)  # fmt: skip

# Error codes of operations.
ANY_REQUEST = {
    "bad_request", "address_not_text", "address_ambiguous", "headers_too_large", "key_required",
    "key_invalid", "key_expired", "key_revoked", "capability_missing", "client_token_invalid",
    "client_token_insufficient", "invitation_invalid", "rate_limited", "server_error",
    "database_unavailable",
}  # fmt: skip
WITH_CLIENT_TOKEN = {"client_token_required", "session_not_covered"}
ANY_BODY = {
    "parse_error", "unsupported_media_type", "length_required", "body_too_large",
    "body_not_decoded", "body_not_received", "encoding_unsupported",
}  # fmt: skip
DONE_ONCE = {
    "invalid", "idempotency_key_invalid", "idempotency_key_reused", "idempotency_in_progress",
    "idempotency_without_key",
}  # fmt: skip

IN_PATH = {
    "name": OpenApiParameter(
        "name",
        {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
        OpenApiParameter.PATH,
        description="What people call the room, percent-encoded.",
    ),
    "archive_id": OpenApiParameter(
        "archive_id",
        {"type": "string", "format": "uuid"},
        OpenApiParameter.PATH,
        description="The `id` that starting it answered with.",
    ),
    "connection_id": OpenApiParameter(
        "connection_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH
    ),
    "captions_id": OpenApiParameter(
        "captions_id",
        {"type": "string", "format": "uuid"},
        OpenApiParameter.PATH,
        description="The `id` that starting them answered with.",
    ),
    "stream_id": OpenApiParameter(
        "stream_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH
    ),
}
ONCE = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Sent again with the same key and body, it is answered again and not done again.",
)

# Headers of problems, by status.
HEADERS: dict[str, dict[str, Any]] = {
    "429": {
        "Retry-After": {
            "schema": {"type": "integer", "minimum": 1},
            "description": "Seconds until the limit admits more.",
            "required": True,
        },
        "RateLimit-Policy": {
            "schema": {"type": "string"},
            "description": "The limit's name, how many it admits, and in how many seconds.",
            "example": '"join";q=600;w=60',
            "required": True,
        },
        "RateLimit": {
            "schema": {"type": "string"},
            "description": "The limit's name, how many are left, and seconds until there are more.",
            "example": '"join";r=0;t=42',
            "required": True,
        },
    }
}

# Path, its pattern, method and view.
Endpoint = tuple[str, str, str, Any]


class ProblemSerializer(serializers.Serializer):
    """What is wrong, for programs and for people."""

    type = serializers.CharField(help_text="A URN with the code at its end.")
    title = serializers.CharField(help_text="The kind of problem, in a few words.")
    status = serializers.IntegerField(help_text="The status of the answer.")
    detail = serializers.CharField(help_text="What is wrong here, and what to do about it.")
    code = serializers.CharField(help_text="Which problem it is: see the table above.")
    requestId = serializers.CharField(  # noqa: N815  the wire's spelling
        help_text="The log of the server knows the request by it; also in `X-Request-ID`."
    )
    error = serializers.CharField(help_text="`detail`, under the name that older clients read.")


class AutoSchema(openapi.AutoSchema):
    """Adds what operations have in common, and the error codes that they name in `x-codes`."""

    def get_override_parameters(self) -> list[Any]:
        in_path = [each for name, each in IN_PATH.items() if f"{{{name}}}" in self.path]
        return [*in_path, ONCE] if self._is_done_once() else in_path

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation: Any = super().get_operation(*args, **kwargs)
        if operation is None:  # left out of the documentation
            return None
        operation["description"] = f"{_needs(self.view)} {operation.get('description', '')}".strip()
        self._add_problems(operation["responses"], self._codes(operation.pop("x-codes", ())))
        for status, headers in HEADERS.items():
            if response := operation["responses"].get(status):
                response["headers"] = headers
        if self.method == "HEAD":
            for response in operation["responses"].values():
                response.pop("content", None)
        return operation

    def _is_done_once(self) -> bool:
        return self.method == "POST" and isinstance(self.view, DoneOnce)

    def _codes(self, own: Iterable[str]) -> list[Code]:
        names = ANY_REQUEST.union(own)
        if self.method in {"POST", "PUT", "PATCH"}:
            names |= ANY_BODY
        if self._is_done_once():
            names |= DONE_ONCE
        if _takes_client_tokens(self.view):
            names |= WITH_CLIENT_TOKEN
        known = {code.code: code for code in every_code()}
        return sorted(known[name] for name in names)

    def _add_problems(self, responses: dict[str, Any], codes: list[Code]) -> None:
        schema = self.resolve_serializer(ProblemSerializer, "response").ref
        for status, group in groupby(codes, key=lambda code: code.status):
            responses[str(status)] = {
                "content": {"application/problem+json": {"schema": schema}},
                "description": "\n".join(f"- `{code.code}`: {code.meaning}" for code in group),
            }


class Strict(OpenApiSerializerExtension):
    target_class = "api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "access.authentication.BearerAuthentication"
    name = ["apiKey", "clientToken"]

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> Any:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "otr_…"},
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        ]

    def get_security_requirement(self, auto_schema: openapi.AutoSchema) -> Any:
        """A key; a client token, if the view takes them; or nothing, if nothing is needed."""
        view = auto_schema.view
        needed = _needed_by(view)
        counts: list[dict[str, Any]] = [{"apiKey": []}]
        if _takes_client_tokens(view):
            counts.append({"clientToken": []})
        if needed is None or needed in settings.ANONYMOUS_ACCESS:
            counts.append({})
        return counts


def every_code() -> list[Code]:
    """Every `code` that an error can have, by status."""
    return sorted({**CODES, **{each.code: each for each in not_viewable()}}.values())


def _needed_by(view: Any) -> Capability | None:
    needed: Capability | None
    needed = view.needs[view.action] if isinstance(view.needs, dict) else view.needs
    return needed


def _takes_client_tokens(view: Any) -> bool:
    return view.action in getattr(view, "takes_client_tokens", ())


def _needs(view: Any) -> str:
    needed = _needed_by(view)
    if needed is None:
        return "Needs nothing but the id, which cannot be guessed."
    instead = " or a client token of the session" if _takes_client_tokens(view) else ""
    return f"Needs `{needed}`{instead}."


# Its hooks, named in the settings


def described(endpoints: list[Endpoint]) -> list[Endpoint]:
    """The endpoints of the API, without pages and without the optional slash at the end; and HEAD,
    if it has an action of its own.

    Ordered by the views' tables, because spectacular's order differs between processes.
    """
    found = {}
    for path, pattern, _, view in endpoints:
        if path.startswith(DESCRIBED):
            for method, action in getattr(view, "actions", {}).items():  # webhooks have none
                # Django adds a HEAD for each GET once that was asked for.
                if method != "head" or action != view.actions["get"]:
                    found[path, method] = (path.rstrip("/"), pattern, method.upper(), view)
    return list(found.values())


def with_codes(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Add the table of error codes to the description."""
    codes = every_code()
    rows = [f"| {code.status} | `{code.code}` | {code.meaning} | {code.advice} |" for code in codes]
    table = "\n".join(rows).replace("<", "&lt;")
    text = DESCRIPTION.read_text(encoding="utf-8")
    result["info"]["description"] = text.replace("{codes}", table)
    problem = result["components"]["schemas"]["Problem"]
    problem["properties"]["code"]["enum"] = [code.code for code in codes]
    return result

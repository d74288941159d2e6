"""How the operations of a viewset are described, and what can go wrong with each."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.viewsets import ViewSet

from web.errors import CODES, Code

# What can go wrong with …
ANY_REQUEST = (
    "bad_request", "address_not_text", "address_ambiguous", "headers_too_large", "key_required",
    "key_invalid", "key_expired", "key_revoked", "capability_missing",
    "rate_limited", "server_error", "database_unavailable",
)  # fmt: skip
ANY_BODY = (
    "parse_error", "unsupported_media_type", "length_required", "body_too_large",
    "body_not_decoded", "body_not_received", "encoding_unsupported",
)  # fmt: skip
OPENTOK = (
    "opentok_unavailable", "opentok_rate_limited", "opentok_timeout",
    "opentok_refused_credentials", "opentok_failed",
)  # fmt: skip

Responses = dict[tuple[int, str], OpenApiResponse]


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


def described(viewset: type[ViewSet], *, tag: str, **actions: Any) -> type[ViewSet]:
    """What stands in for a viewset in the schema; each of its actions by an `extend_schema(…)`."""
    methods = {
        name: extend_schema(tags=[tag])(describe(lambda viewset, request: None))
        for name, describe in actions.items()
    }
    return type(viewset.__name__, (viewset,), methods)


def problems(*errors: str | Code) -> Responses:
    """The responses to describe for these errors and for those that any request may have."""
    codes = sorted({_code(error) for error in (*ANY_REQUEST, *errors)})
    return {
        (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, _list(group))
        for status, group in groupby(codes, key=lambda code: code.status)
    }


def _code(error: str | Code) -> Code:
    return CODES[error] if isinstance(error, str) else error


def _list(codes: Iterable[Code]) -> str:
    return "\n".join(f"- `{code.code}`: {code.meaning}" for code in codes)

"""Parsing of bodies, and content negotiation."""

import codecs
import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework import exceptions, negotiation, parsers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8. Refuses other charsets (415), and deep nesting and duplicate names (400)."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request: Request = (parser_context or {})["request"]
        charset = (request.content_params or {}).get("charset", "utf-8")
        if not _is_utf8(charset):
            raise exceptions.UnsupportedMediaType(
                request.content_type, "Send JSON in UTF-8: this charset is not supported."
            )
        try:
            text = stream.read().decode("utf-8-sig")  # which some editors and .NET put before it
            return json.loads(text, parse_constant=_refuse, object_pairs_hook=_without_doubles)
        except RecursionError as error:
            raise exceptions.ParseError("This JSON is nested too deeply.") from error
        except ValueError as error:
            raise exceptions.ParseError(f"This is not JSON: {error}") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse duplicate names: some parsers take the first of them, and others the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset.strip("\"' ")).name in {"utf-8", "ascii"}
    except (LookupError, ValueError):
        return False


class AlwaysJSON(negotiation.DefaultContentNegotiation):
    """Answers with JSON whatever `Accept` says, as the sample server does. A body that a
    view does not take, such as that of `curl -d` without a `Content-Type`, is told what it takes.

    Clients send anything there. Errors are pages for browsers: web/problems.py decides.
    """

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type

    def select_parser(self, request: Request, parsers: Any) -> Any:
        parser = super().select_parser(request, parsers)
        if parser is None:
            wanted = " or ".join(each.media_type for each in parsers)
            raise exceptions.UnsupportedMediaType(
                request.content_type, f"Send the body as {wanted}, with that as its Content-Type."
            )
        return parser

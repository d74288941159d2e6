"""Reads control requests. Everything here raises BadInput, with a sentence, for what is no use."""

from __future__ import annotations

import json
import re
from typing import Any

from emulator.auth import is_number
from emulator.messages import BadInput, Request
from emulator.request_log import MAX_REQUESTS

MAX_DELAY_SECONDS = 3600
MAX_WAIT_SECONDS = 60
LARGEST_NUMBER = 10**15


def read_fields(request: Request) -> dict[str, Any]:
    """The JSON object in the body, {} when there is none. Raises BadInput."""
    if not request.body:
        return {}
    if request.headers.get_content_type() != "application/json":
        raise BadInput("Control requests are JSON: Content-Type: application/json.")
    return request.json_object()


def read_method(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value.isalpha()):
        raise BadInput("method is the name of an HTTP method.")
    return None if value is None else value.upper()


def read_pattern(value: Any) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise BadInput("path is a regular expression in a string.")
    try:
        return re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadInput(f"path is not a regular expression: {error}.") from None


def read_integer(fields: dict[str, Any], name: str, low: int, high: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadInput(f"{name} is a whole number from {low} to {high}.")
    return value


def read_number(fields: dict[str, Any], name: str, default: float) -> float:
    value = fields.get(name, default)
    if not is_number(value) or abs(value) > LARGEST_NUMBER:
        raise BadInput(f"{name} is a number, and not an absurd one.")
    return float(value)


def read_seconds(fields: dict[str, Any], name: str) -> float:
    value = fields.get(name, 0)
    if not is_number(value) or not 0 <= value <= MAX_DELAY_SECONDS:
        raise BadInput(f"{name} is a number of seconds from 0 to {MAX_DELAY_SECONDS}.")
    return float(value)


def read_wait(request: Request) -> tuple[int, float]:
    """`at_least` and `within` of the query: how many requests to wait for, and for how long."""
    try:
        query = request.query
    except ValueError:
        raise BadInput("The query has too many fields.") from None
    at_least, within = query.get("at_least", "0"), query.get("within", "10")
    if not re.fullmatch("[0-9]{1,4}", at_least) or int(at_least) > MAX_REQUESTS:
        raise BadInput(f"at_least is a whole number from 0 to {MAX_REQUESTS}.")
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?", within) or float(within) > MAX_WAIT_SECONDS:
        raise BadInput(f"within is a number of seconds from 0 to {MAX_WAIT_SECONDS}.")
    return int(at_least), float(within)


def read_flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise BadInput(f"{name} is true or false.")
    return value


def read_names(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"{name} is a list of strings.")
    return tuple(value)


def read_texts(fields: dict[str, Any], *names: str) -> dict[str, str]:
    """Those of the fields that are there."""
    found = {name: fields[name] for name in names if name in fields}
    if not all(isinstance(text, str) for text in found.values()):
        raise BadInput(f"{' and '.join(names)} are strings.")
    return found


def read_headers(value: Any) -> dict[str, str]:
    """Names and values that can stand in an HTTP answer."""
    if not isinstance(value, dict):
        raise BadInput("headers is an object of names and values.")
    for name, text in value.items():
        if not (re.fullmatch(r"[!#-'*+.^-z|~0-9A-Z-]+", name) and is_header_value(text)):
            raise BadInput("headers is an object of header names and single-line values.")
    return dict(value)


def is_header_value(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", text) is not None


def read_body(value: Any) -> bytes | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")

"""The fields that callers of the OpenTok side send: in JSON, and in the queries of lists."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from emulator.messages import ApiError, BadInput, Request, invalid

DEFAULT_COUNT = 50
MAX_COUNT = 1000
URL_LENGTH = range(15, 2049)


class Fields:
    """A JSON object read field by field. Every method raises ApiError for a wrong type.

    The SDKs send null for what was not set, so null is read as absent.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = {name: value for name, value in fields.items() if value is not None}

    def has(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str, default: str = "") -> str:
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise invalid(f"Invalid value for {name}")
        return value

    def choice(self, name: str, choices: set[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise invalid(f"Invalid value for {name}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Also as a text, as some SDKs send it."""
        value = self._fields.get(name, default)
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.lower())
        if not isinstance(value, bool):
            raise invalid(f"Invalid value for {name}")
        return value

    def number(self, name: str, limits: range) -> int | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value not in limits:
            raise invalid(f"Invalid value for {name}")
        return value

    def web_address(self, name: str) -> str:
        try:
            return read_web_address(self.text(name))
        except BadInput:
            raise invalid(f"Invalid value for {name}") from None

    def names(self) -> list[str]:
        return list(self._fields)

    def texts(self, name: str) -> list[str]:
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise invalid(f"Invalid value for {name}")
        return value

    def objects(self, name: str) -> list[Fields]:
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise invalid(f"Invalid value for {name}")
        return [Fields(each) for each in value]

    def inner(self, name: str) -> Fields:
        value = self._fields.get(name, {})
        if not isinstance(value, dict):
            raise invalid(f"Invalid value for {name}")
        return Fields(value)


def read_fields(request: Request) -> Fields:
    """The JSON object in the body. Raises ApiError."""
    try:
        return Fields(request.json_object())
    except ValueError:
        raise invalid("Invalid JSON") from None


def read_paging(request: Request) -> tuple[int, int, str | None]:
    """offset, count and, if the list is of one session only, its id. Raises ApiError."""
    try:
        query = request.query
    except ValueError:
        raise invalid("Invalid query") from None
    offset, count = query.get("offset", "0"), query.get("count", str(DEFAULT_COUNT))
    if not all(re.fullmatch("[0-9]{1,9}", number) for number in (offset, count)):
        raise ApiError(400, -1, "Invalid paging parameters")
    if int(count) > MAX_COUNT:
        raise ApiError(400, -1, "Invalid paging parameters")
    # The second is what Vonage's Python SDK sends.
    return int(offset), int(count), query.get("sessionId") or query.get("session_id")


def read_web_address(value: Any) -> str:
    """An http or https URL without anything in it that would need quoting."""
    try:
        url = urlsplit(value if isinstance(value, str) else "")
        is_good = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_good = False
    if not is_good or not re.fullmatch(r"[!-~]{1,2048}", value):
        raise BadInput("A callback's url is like http://127.0.0.1:8080/callbacks.")
    return str(value)

"""What is in OpenTok's objects, as values that can be stored."""

import json
from datetime import UTC, datetime
from typing import overload


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def json_object(written: str) -> dict[str, object]:
    """The object that a text is in JSON, such as connection data; empty if it is none."""
    try:
        told = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**63 else 0


def moment(value: object) -> datetime | None:
    """OpenTok's milliseconds since 1970."""
    if not isinstance(value, int | float) or not 0 < value < 2**47:
        return None
    return datetime.fromtimestamp(value / 1000, tz=UTC)


@overload
def milliseconds(value: datetime) -> int: ...
@overload
def milliseconds(value: None) -> None: ...


def milliseconds(value: datetime | None) -> int | None:
    """The same the other way."""
    return round(value.timestamp() * 1000) if value else None

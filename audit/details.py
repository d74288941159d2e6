"""The details of an entry: small, and text that every database takes."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

MAX_TEXT = 200
MAX_CHARACTERS = 2000


def clean(text: object, length: int = MAX_TEXT) -> str:
    """As text without what PostgreSQL or UTF-8 does not take, and no longer than that."""
    return str(text).replace("\0", "").encode("utf-8", "replace").decode()[:length]


def bounded(details: dict[str, Any]) -> dict[str, Any]:
    """A large value is cut, and what is large as a whole is left out."""
    short = {name: _short(value) for name, value in details.items() if value is not None}
    fits = len(json.dumps(short, cls=DjangoJSONEncoder)) <= MAX_CHARACTERS
    return short if fits else {"left_out": sorted(short)[:20]}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): _short(held) for name, held in value.items()}
    if isinstance(value, list | tuple | set):
        return [_short(held) for held in value]
    return value

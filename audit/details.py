"""The details of an entry, bounded and storable."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

MAX_TEXT = 200
MAX_CHARACTERS = 2000


def clean(text: object, length: int = MAX_TEXT) -> str:
    """As text of at most `length`, without NUL and lone surrogates."""
    return str(text).replace("\0", "").encode("utf-8", "replace").decode()[:length]


def bounded(details: dict[str, Any]) -> dict[str, Any]:
    """Long texts are cut. If all of it is too large, only the names stay."""
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

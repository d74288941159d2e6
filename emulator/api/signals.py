"""Signals from the server, to all clients of a session or to one."""

from __future__ import annotations

from emulator.api.call import Call
from emulator.fields import read_fields
from emulator.messages import ApiError, Response, empty_response, not_found

MAX_TYPE_BYTES = 128
MAX_DATA_BYTES = 8 * 1024


def send(call: Call) -> Response:
    fields = read_fields(call.request)
    kind, data = fields.text("type"), fields.text("data")
    if not fields.has("data"):
        raise ApiError(400, 15202, "Signal payload 'data' must be set")
    if size(kind) > MAX_TYPE_BYTES or size(data) > MAX_DATA_BYTES:
        raise ApiError(413, -1, "The type or the data is too long.")
    call.people()
    try:
        call.world.signal(call.ids["session"], type=kind, data=data, to=call.ids.get("connection"))
    except KeyError:
        raise not_found("Not found. The client is not connected to the session.") from None
    return empty_response(204)


def size(text: str) -> int:
    """In bytes. JSON may hold half of a surrogate pair, which UTF-8 has no bytes for."""
    return len(text.encode(errors="surrogatepass"))

"""Streams of a session: list, look, layout classes."""

from __future__ import annotations

from typing import Any

from emulator.api.call import Call
from emulator.fields import read_fields
from emulator.messages import ApiError, Response, invalid, json_response, not_found
from emulator.sessions import Stream


def list_all(call: Call) -> Response:
    return json_response(200, list_view(streams_of(call)))


def get(call: Call) -> Response:
    stream = streams_of(call).get(call.ids["stream"])
    if stream is None:
        # The OpenAPI has this status for a stream id that is not valid.
        raise ApiError(408, -1, "You passed in an invalid stream ID.")
    return json_response(200, view(stream))


def set_layout_classes(call: Call) -> Response:
    items = read_fields(call.request).objects("items")
    streams = call.people().streams
    changes: dict[str, list[str]] = {}
    for item in items:
        if item.text("id") not in streams:
            raise invalid("Invalid stream ID")
        changes[item.text("id")] = item.texts("layoutClassList")
    for stream_id, classes in changes.items():
        if stream_id in call.world.session(call.ids["session"]).streams:
            call.world.update_stream(call.ids["session"], stream_id, layout_classes=classes)
    return json_response(200, list_view(call.people().streams))


def streams_of(call: Call) -> dict[str, Stream]:
    """Raises ApiError for a session without streams: the OpenAPI has a 404 for it."""
    streams = call.people().streams
    if not streams:
        raise not_found("Not found. The session has no streams.")
    return streams


def list_view(streams: dict[str, Stream]) -> dict[str, Any]:
    return {"count": len(streams), "items": [view(stream) for stream in streams.values()]}


def view(stream: Stream) -> dict[str, Any]:
    return {
        "id": stream.id,
        "videoType": stream.video_type,
        "name": stream.name,
        "layoutClassList": stream.layout_classes,
    }

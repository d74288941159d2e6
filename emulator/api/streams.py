"""Streams of a session: list, look, layout classes."""

from __future__ import annotations

from typing import Any

from emulator.api.call import Call
from emulator.archive_options import read_fields
from emulator.messages import ApiError, Response, invalid, json_response
from emulator.sessions import Stream


def list_all(call: Call) -> Response:
    streams = call.people().streams.values()
    return json_response(200, {"count": len(streams), "items": [view(each) for each in streams]})


def get(call: Call) -> Response:
    stream = call.people().streams.get(call.ids["stream"])
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
    return list_all(call)


def view(stream: Stream) -> dict[str, Any]:
    return {
        "id": stream.id,
        "videoType": stream.video_type,
        "name": stream.name,
        "layoutClassList": stream.layout_classes,
    }

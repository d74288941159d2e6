"""The streams of an archive or a broadcast whose streamMode is manual."""

from __future__ import annotations

from emulator.api.call import Call
from emulator.archives import Archive
from emulator.fields import read_fields
from emulator.messages import ApiError, Response, empty_response, invalid, not_found
from emulator.runs import Broadcast


def change(call: Call, changed: Archive | Broadcast, *, is_manual: bool) -> Response:
    fields = read_fields(call.request)
    if not is_manual:
        # inference: the OpenAPI says 400 here, but the official SDKs expect a 405.
        raise ApiError(405, -1, "The streamMode is not manual")
    if fields.has("addStream") == fields.has("removeStream"):
        raise invalid("Either addStream or removeStream is needed")
    stream_id = fields.text("addStream") or fields.text("removeStream")
    if stream_id not in call.world.people(changed.session_id).streams | changed.streams:
        raise not_found("Not found. There is no such stream.")
    if fields.has("removeStream"):
        changed.streams.pop(stream_id, None)
    else:
        changed.streams[stream_id] = {
            "hasAudio": fields.flag("hasAudio", default=True),
            "hasVideo": fields.flag("hasVideo", default=True),
        }
    return empty_response(204)

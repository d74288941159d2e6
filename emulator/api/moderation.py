"""Muting one stream, or all streams of a session."""

from __future__ import annotations

from emulator.answers import named_owner
from emulator.api.call import Call
from emulator.fields import read_fields
from emulator.messages import Response, json_response, not_found


def mute_stream(call: Call) -> Response:
    call.people()
    try:
        call.world.mute_stream(call.ids["session"], call.ids["stream"])
    except KeyError:
        raise not_found("Not found. There is no such stream.") from None
    return project_details(call)


def mute_all(call: Call) -> Response:
    """Some SDKs send `excludedStreams`, which is ignored. Inference: by the real service, too."""
    fields = read_fields(call.request)
    active, excluded = fields.flag("active", default=True), fields.texts("excludedStreamIds")
    call.people()
    call.world.mute_all(call.ids["session"], active=active, excluded=excluded)
    return project_details(call)


def project_details(call: Call) -> Response:
    details = {"status": "ACTIVE", "name": "", "environment": "standard"}
    return json_response(200, {**named_owner(call.project), **details, "createdAt": call.world.now})

"""SIP calls, which join a session as a connection and a stream, and DTMF tones."""

from __future__ import annotations

import re

from emulator.api.call import NO_CLIENTS, Call
from emulator.fields import read_fields
from emulator.messages import ApiError, Response, empty_response, invalid, json_response, not_found
from emulator.runs import MAX_CALL_SECONDS, SipCall

SIP_ADDRESS = re.compile(r"sips?:\S+")
DIGITS = re.compile(r"[0-9*#p]{1,100}")


def dial(call: Call) -> Response:
    fields = read_fields(call.request)
    session = call.session(fields.text("sessionId"))
    token = call.client_token(fields.text("token"), session.text)
    sip = fields.inner("sip")
    if SIP_ADDRESS.fullmatch(sip.text("uri")) is None:
        raise invalid("Invalid SIP URI")
    if not all(name.startswith("X-") for name in sip.inner("headers").names()):
        raise invalid("Custom headers must start with X-")
    for name in ("secure", "video", "observeForceMute"):
        sip.flag(name, default=False)
    if session.is_relayed:
        raise ApiError(409, -1, "Only routed sessions can dial out")
    if not call.world.presence(session.text).connected:
        # inference: the OpenAPI has a 404 here for a session that is not valid.
        raise not_found(NO_CLIENTS)
    sip_call = SipCall(call.project, session.text, call.world.now, MAX_CALL_SECONDS)
    sip_call.join(call.world, name=sip.text("from"), data=token.data)
    call.world.begin(sip_call)
    return json_response(
        200,
        {
            "id": sip_call.id,
            "projectId": call.project.id,
            "sessionId": sip_call.session_id,
            "connectionId": sip_call.connection_id,
            "streamId": sip_call.stream_id,
            "createdAt": sip_call.created_at,
            "updatedAt": sip_call.updated_at,
        },
    )


def play_dtmf(call: Call) -> Response:
    session = call.session_of_path()
    digits = read_fields(call.request).text("digits")
    if DIGITS.fullmatch(digits) is None:
        raise invalid("One of the properties digits or sessionId is invalid.")
    found = [
        sip_call
        for sip_call in call.world.running(session.text, SipCall.kind)
        if call.ids.get("connection") in (None, sip_call.connection_id)
    ]
    if not found:
        raise not_found("Not found. There is no such call.")
    for sip_call in found:
        sip_call.digits.append(digits)
    return empty_response(200)

"""Audio Connector: the sound of a session over a WebSocket, and back."""

from __future__ import annotations

import re

from emulator.api.call import NO_CLIENTS, Call
from emulator.fields import read_fields
from emulator.messages import ApiError, Response, empty_response, invalid, json_response, not_found
from emulator.runs import STOPPED_BY_CALL, AudioConnector

WEB_SOCKET = re.compile(r"wss?://[^\s/]+\S*")
RATES = {8000, 16000, 24000}
# inference: that one ends at all without being told to is not documented.
MAX_SECONDS = 12 * 3600


def connect(call: Call) -> Response:
    fields = read_fields(call.request)
    session = call.session(fields.text("sessionId"))
    token = call.client_token(fields.text("token"), session.text)
    socket = fields.inner("websocket")
    if WEB_SOCKET.fullmatch(socket.text("uri")) is None:
        raise invalid("Invalid WebSocket URI")
    if (socket.number("audioRate", range(100_000)) or 8000) not in RATES:
        raise invalid("Invalid value for audioRate")
    is_bidirectional = socket.flag("bidirectional", default=False)
    if session.is_relayed:
        raise ApiError(409, -1, "Only routed sessions have an Audio Connector")
    if not call.world.presence(session.text).connected:
        raise not_found(NO_CLIENTS)
    connector = AudioConnector(call.project, session.text, call.world.now, MAX_SECONDS)
    connector.join(call.world, name="", publishes=is_bidirectional, data=token.data)
    call.world.begin(connector)
    return json_response(200, {"id": connector.id, "connectionId": connector.connection_id})


def stop(call: Call) -> Response:
    call.running(AudioConnector).end(call.world, call.world.now, reason=STOPPED_BY_CALL)
    return empty_response(204)

"""Connections: who is in a session, and a forced disconnect."""

from __future__ import annotations

from emulator.answers import named_owner
from emulator.api.call import Call
from emulator.messages import Response, empty_response, json_response, not_found


def list_all(call: Call) -> Response:
    # inference: that a session without clients is a 404, as for its streams.
    connections = sorted(call.people().connections.values(), key=lambda each: each.created_at)
    items = [
        {
            "connectionId": connection.id,
            "connectionState": "Connected",
            "createdAt": connection.created_at,
        }
        for connection in connections
    ]
    owner = named_owner(call.project)
    session_id = call.ids["session"]
    return json_response(
        200, {"count": len(items), **owner, "sessionId": session_id, "items": items}
    )


def disconnect(call: Call) -> Response:
    connection_id = call.ids["connection"]
    session = call.people()
    if connection_id not in session.connections:
        raise not_found("Not found. The client is not connected to the session.")
    # The client of auto-connect stays: no session is ever without it.
    if connection_id in call.world.session(call.ids["session"]).connections:
        call.world.disconnect(call.ids["session"], connection_id, reason="forceDisconnected")
    return empty_response(204)

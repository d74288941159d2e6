"""Sessions: `POST /session/create`, the one path that names no project, and answers XML."""

from __future__ import annotations

from emulator.answers import session_created
from emulator.api.call import Call
from emulator.messages import Response, json_response, xml_response
from emulator.session_form import read_session_form


def create(call: Call) -> Response:
    form = read_session_form(call.request.body)
    session_id = call.world.create_session(
        call.project,
        location=form.location,
        relayed=form.is_relayed,
        automatic=form.automatic,
        encrypted=form.is_encrypted,
    )
    created = session_created(session_id, call.project, call.world.now)
    if call.request.takes_json:
        return json_response(200, created)
    # What the Ruby and PHP SDKs read.
    shown = {name: created[0][name] for name in ("session_id", "partner_id", "create_dt")}
    return xml_response(200, "sessions", "Session", shown)

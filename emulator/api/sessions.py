"""Sessions: `POST /session/create`, the one path that names no project."""

from __future__ import annotations

from emulator.answers import session_created
from emulator.api.call import Call
from emulator.messages import Response, json_response
from emulator.session_form import read_session_form


def create(call: Call) -> Response:
    form = read_session_form(call.request.body)
    session_id = call.world.create_session(
        call.project, location=form.location, relayed=form.is_relayed, automatic=form.automatic
    )
    return json_response(200, session_created(session_id, call.project, call.world.now))

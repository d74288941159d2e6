"""Hub captions, of which a session has one at a time."""

from __future__ import annotations

from emulator.answers import captions_object
from emulator.api.call import NO_CLIENTS, Call
from emulator.fields import URL_LENGTH, Fields, read_fields
from emulator.messages import ApiError, Response, empty_response, invalid, json_response, not_found
from emulator.runs import STOPPED_BY_CALL, Captions

MAX_SECONDS = range(300, 14_401)


def start(call: Call) -> Response:
    fields = read_fields(call.request)
    session = call.session(fields.text("sessionId"))
    token = call.client_token(fields.text("token"), session.text)
    if token.role != "moderator":
        # inference: that a moderator's token is needed is documented, the refusal is not.
        raise ApiError(403, 10002, "Unauthorized token")
    fields.flag("partialCaptions", default=True)
    seconds = fields.number("maxDuration", MAX_SECONDS) or MAX_SECONDS[-1]
    language = fields.text("languageCode", "en-US")
    status_url = read_status_url(fields)
    if session.is_relayed:
        raise ApiError(409, -1, "The session is relayed; only routed sessions can have captions")
    if not call.world.presence(session.text).connected:
        raise not_found(NO_CLIENTS)
    if call.world.running(session.text, Captions.kind):
        raise ApiError(409, 60003, "Audio captioning is already enabled")
    captions = Captions(
        call.project,
        session.text,
        call.world.now,
        seconds,
        language=language,
        status_url=status_url,
    )
    call.world.begin(captions)
    return json_response(202, {"captionsId": captions.id})


def read_status_url(fields: Fields) -> str | None:
    """Raises ApiError."""
    if not fields.has("statusCallbackUrl"):
        return None
    url = fields.web_address("statusCallbackUrl")
    if len(url) not in URL_LENGTH:
        raise invalid("Invalid value for statusCallbackUrl")
    return url


def get(call: Call) -> Response:
    return json_response(200, captions_object(call.run(Captions), call.world.now))


def stop(call: Call) -> Response:
    call.running(Captions).end(call.world, call.world.now, reason=STOPPED_BY_CALL)
    return empty_response(202)

"""All errors of this server: one table of codes, and the exception that is raised with them.

Programs rely on the codes, which never change. Meaning and advice are used in answers and in the
documentation; words in braces are filled in when the error is raised.
"""

from dataclasses import dataclass

from django.conf import settings
from rest_framework.exceptions import APIException

ASK_FOR_KEY = 'Bearer realm="rooms"'
KEY_IS_WRONG = 'Bearer realm="rooms", error="invalid_token"'


@dataclass(frozen=True, order=True)
class Code:
    """`wait` is the Retry-After in seconds, `challenge` the WWW-Authenticate.

    `counts_as` names the rate limit of an error that is raised before a view counts the request.
    """

    status: int
    code: str
    meaning: str
    advice: str
    wait: int | None = None
    challenge: str = ""
    counts_as: str = ""


# fmt: off
_TABLE = (
    # Any request
    Code(400, "bad_request", "Bad request",
         "The server could not understand this request. Check that ALLOWED_HOSTS names its Host, "
         "and that a form has at most 1000 fields.", counts_as="other"),
    Code(400, "address_not_text", "Address not in UTF-8",
         "The address of this request is not text. Percent-encode it as UTF-8, without NUL.",
         counts_as="other"),
    Code(400, "address_ambiguous", "Ambiguous address",
         "The WSGI server does not pass on this address as it was sent, so that a slash and %2F "
         "look the same. The operator should use one that provides RAW_URI or REQUEST_URI.",
         counts_as="other"),
    Code(403, "permission_denied", "Permission denied",
         "You do not have permission to do this. Ask the operator of this server for it.",
         counts_as="other"),
    # Of the admin, whose forms alone are checked.
    Code(403, "csrf_failed", "Form rejected",
         "This form did not come from a page of this server, or was open for too long. Open "
         "the page again and submit the form once more.", counts_as="other"),
    Code(403, "sso_refused", "No staff account",
         "No staff account here has the e-mail address that you logged in with, or the address is "
         "not verified there. Ask the operator of this server.", counts_as="other"),
    Code(502, "sso_failed", "The login service failed",
         "The service that you log in with did not answer as expected. Please try again, or log "
         "in with your password.", counts_as="other"),
    Code(404, "not_found", "Not found",
         "There is nothing at this address. The page at / lists the endpoints for apps, and "
         "/api/docs/ those of the API.",
         counts_as="other"),
    Code(431, "headers_too_large", "Headers too large",
         f"The headers of a request may have {settings.MAX_HEADER_BYTES} bytes in all. Send fewer.",
         counts_as="other"),

    # Any body
    Code(411, "length_required", "Content-Length required",
         "Send the body in one piece, with a Content-Length.", counts_as="other"),
    Code(413, "body_too_large", "Body too large",
         f"A request body may have {settings.MAX_BODY_BYTES} bytes at most. Send a smaller one.",
         counts_as="other"),
    Code(415, "encoding_unsupported", "Unsupported content encoding",
         "Send the body as it is, or with the Content-Encoding gzip or deflate.",
         counts_as="other"),
    Code(400, "body_not_decoded", "Body cannot be decoded",
         "The body does not match its Content-Encoding. Send it uncompressed, or compress it "
         "again.", counts_as="other"),
    Code(408, "body_not_received", "Body not received in time",
         "The body did not arrive in time. Send the request again, in one piece.",
         counts_as="other"),

    # Raised by Django REST framework, whose own sentence goes out as `detail`
    Code(400, "invalid", "Invalid value", "`detail` names the field and says how."),
    Code(400, "parse_error", "Body cannot be parsed",
         "`detail` says where. Send JSON or a form."),
    Code(405, "method_not_allowed", "Method not allowed",
         "Use one of the methods in the header `Allow`."),
    Code(415, "unsupported_media_type", "Unsupported media type",
         "Send `application/json` in UTF-8, or a form as `application/x-www-form-urlencoded`."),

    # Keys and limits
    Code(401, "key_required", "API key required",
         "Send an API key that has `{capability}`: `Authorization: Bearer otr_…`. Keys are created "
         "in the admin or by `manage.py apikey create`; without one, clients may do what "
         "ANONYMOUS_ACCESS names.", challenge=ASK_FOR_KEY, counts_as="other"),
    Code(401, "key_invalid", "Invalid API key",
         "There is no such API key. Send it exactly as it was shown when it was created: "
         "`Authorization: Bearer otr_…`.", challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(401, "key_expired", "API key expired",
         "This API key has expired. Ask for another one.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(401, "key_revoked", "API key revoked",
         "This API key was revoked. Ask for another one.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(401, "client_token_required", "Client token required",
         "Send a client token of this session whose role allows this, or an API key that has "
         "`{capability}`: `Authorization: Bearer …`. Without either, clients may do what "
         "ANONYMOUS_ACCESS names.",
         challenge=ASK_FOR_KEY, counts_as="other"),
    Code(401, "client_token_invalid", "Invalid client token",
         "This client token has expired, belongs to another project, or was not signed with this "
         "server's OpenTok credentials. Get a new one from /room/<name>.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(403, "client_token_insufficient", "Client token not sufficient",
         "The role of this client token does not allow `{capability}` here. Send an API key that "
         "has it.", counts_as="other"),
    Code(403, "session_not_covered", "This client token is for another session",
         "A client token is valid for its own session only. Send one of this session."),
    Code(403, "capability_missing", "API key not sufficient",
         "This API key does not have `{capability}`, and ANONYMOUS_ACCESS does not name it. "
         "Send a key that has it.", counts_as="other"),
    Code(403, "room_not_covered", "This API key is for other rooms",
         "This API key is only for rooms whose name starts with “{prefix}”. Send a key that is "
         "for this room."),
    Code(401, "metrics_closed", "Metrics require a token",
         "Send this server's METRICS_TOKEN, if it has one, or an API key for all rooms that has "
         "`manage`: `Authorization: Bearer …`.", challenge=ASK_FOR_KEY, counts_as="other"),
    Code(429, "rate_limited", "Too many requests",
         "Too many requests. Please try again in {seconds}."),

    # Rooms
    Code(400, "room_name_invalid", "Invalid room name",
         "The name of a room has 1 to 200 characters, not only spaces, and no control characters."),
    Code(404, "room_unknown", "No such room",
         "There is no room with this name. Check its spelling: new rooms are created only for API "
         "keys with `join` (ROOM_CREATION)."),
    Code(404, "room_not_found", "No such room",
         "There is no room with this name. Check its spelling: case counts."),
    Code(409, "room_exists", "A room with this name already exists",
         "A room with this name already exists. Choose another name, or change that room."),
    Code(403, "room_closed", "This room is closed",
         "This room is closed. Ask the person who invited you when it opens."),
    Code(403, "room_not_open_yet", "This room is not open yet",
         "This room opens on {moment}. Please come back then."),
    Code(403, "room_over", "This room has closed",
         "This room closed on {moment}. Ask the person who invited you for another one."),
    Code(403, "room_full", "This room is full",
         "This room has reached its limit of participants. Please try again when somebody has "
         "left.", wait=30),
    Code(403, "banned", "Banned from this room",
         "This person was banned from the room. Ask a moderator of the room to lift the ban."),
    Code(409, "identity_missing", "No identity to ban",
         "This person's token has no data by which to recognise them. Remove them, and close the "
         "room or turn on its waiting room; or create tokens whose `data` has an `identity`."),
    Code(409, "no_meeting", "Nobody is in this room",
         "Nobody is in this room, so there is no meeting that could end. Ban for good, or wait "
         "until somebody has joined."),
    Code(409, "bans_full", "Too many bans",
         "This room has 1,000 bans, which is the limit. Lift those that are no longer needed."),
    Code(404, "ban_not_found", "No such ban",
         "This room has no such ban. It may have been lifted."),
    Code(404, "meeting_not_found", "No such meeting", "There is no meeting with this id."),
    Code(403, "access_code_required", "Access code required",
         "This room has an access code. Send it as `?code=…` or in the header `X-Access-Code`."),
    Code(403, "access_code_wrong", "Wrong access code",
         "This is not the access code of this room. Check it and try again."),
    Code(403, "consent_required", "Consent to recording required",
         "This room may be recorded. Ask the person whether they agree, and then send the "
         "header `X-Recording-Consent: yes`."),
    Code(401, "invitation_invalid", "Invalid or revoked invitation",
         "This invitation has expired, was revoked, or is not for joining this room. Ask for a new "
         "one.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(403, "admission_required", "This room has a waiting room",
         "A moderator lets people into this room. Send a POST to /waiting/<name>, and then the "
         "ticket of its answer in the header `X-Ticket`."),
    Code(403, "admission_pending", "Waiting to be let in",
         "A moderator of this room has to let you in. Please wait, and ask again after "
         "Retry-After.", wait=10),
    Code(403, "admission_refused", "Admission refused",
         "A moderator of this room did not let you in."),
    Code(409, "admission_not_required", "Admission not required",
         "You can join this room without being let in. Ask /room/<name> for credentials."),
    Code(503, "waiting_room_full", "The waiting room is full",
         "Too many people are waiting to be let into this room. Please try again later.", wait=30),
    Code(404, "guest_not_found", "No such guest",
         "This room has no guest with this id who is waiting or was let in."),

    # Webhooks
    Code(400, "webhook_url_refused", "Webhook URL refused",
         "A webhook's URL starts with https://, names no user, and leads to no address inside this "
         "server's network. To try a receiver there, start the server with "
         "WEBHOOK_ALLOW_PRIVATE=on."),
    Code(404, "webhook_not_found", "No such webhook",
         "There is no webhook with this id. It may have been deleted."),

    # Recordings; those of a state that cannot be watched are in archives/pages.py
    Code(400, "session_invalid", "No such session",
         "sessionId is not a session of this server's OpenTok project. Get one from "
         "/room/<name>."),
    Code(400, "session_not_named", "Session not named",
         "This API key is only for rooms whose name starts with “{prefix}”. Name the session "
         "of such a room, as in /archive?sessionId=…."),
    Code(400, "archive_refused", "This cannot be recorded",
         "OpenTok refuses to record this. Check that sessionId comes from /room/<name>, and "
         "check the options if you sent some."),
    Code(409, "nobody_connected", "Nobody is connected",
         "Nobody is connected to the session yet. Join it first, then try again."),
    Code(409, "archive_conflict", "This session cannot be recorded now",
         "The session is being recorded already, in which case that recording has to stop "
         "first, or it is not routed through the media server and so cannot be recorded."),
    Code(409, "archive_not_running", "The recording has ended",
         "This recording is no longer running, so nothing about it can be changed."),
    Code(404, "archive_not_found", "No such recording",
         "There is no recording with this id. Check the id; the recording may have been "
         "deleted."),
    Code(410, "archive_deleted", "This recording was deleted",
         "It was deleted, and its file cannot be recovered."),
    Code(404, "share_invalid", "Invalid link",
         "This link was not created here. Copy it again: all of it, to the last character."),
    Code(410, "share_ended", "This link is no longer valid",
         "It has expired, or was revoked. Ask the person who sent it for a new one."),
    Code(404, "archive_not_stored", "This recording is not in the storage",
         "Its file should be in the storage that is set up for this service, which has {found} of "
         "it. Ask the operator of this service."),
    Code(409, "archive_held", "This recording is on hold",
         "It was put on hold, so that its file stays. Have the hold ended first."),
    Code(409, "archive_not_holdable", "This recording cannot be put on hold",
         "A hold keeps the file of a recording. This one has none: it is {status}."),
    Code(409, "archive_not_deletable", "This recording cannot be deleted now",
         "A recording can be deleted while its file is available, or was uploaded."),
    Code(400, "layout_refused", "Layout refused",
         "OpenTok refuses this layout. Of recordings, only those with the outputMode composed have "
         "one."),
    Code(409, "streams_not_manual", "The streams are chosen by OpenTok",
         "Streams are added and removed only if it was started with streamMode manual."),
    Code(404, "stream_not_found", "No such stream",
         "There is no stream with this id in the session. It may have ended."),

    # Broadcasts, captions, renders, calls, audio connectors
    Code(400, "broadcast_refused", "This cannot be broadcast",
         "OpenTok refuses to broadcast this. Check the outputs, and the options if you sent some."),
    Code(409, "broadcast_conflict", "This session cannot be broadcast now",
         "The session is being broadcast already, in which case that broadcast has to stop first, "
         "or it is not routed through the media server and so cannot be broadcast."),
    Code(409, "broadcast_not_running", "The broadcast has ended",
         "This broadcast is no longer running, so nothing about it can be changed."),
    Code(404, "broadcast_not_found", "No such broadcast",
         "There is no broadcast with this id. Check the id; the broadcast may have ended."),
    Code(400, "captions_refused", "Captions refused",
         "OpenTok refuses to caption this session. Check the language and the other options; the "
         "session has to be routed through the media server."),
    Code(409, "captions_running", "Captions are already running",
         "The session is being captioned already, by captions whose id this server does not know: "
         "another program has started them, or OpenTok's answer to their start was lost. Stop them "
         "where they were started, or try again once they have ended, which is four hours after "
         "their start at the latest."),
    Code(404, "captions_not_found", "No such captions",
         "There are no captions with this id. Check the id; they may have ended."),
    Code(400, "render_refused", "This page cannot be shown",
         "OpenTok refuses to compose this. Check that it can reach the url, and check the options "
         "if you sent some."),
    Code(404, "render_not_found", "No such render",
         "There is no render with this id. Check the id; it may have ended."),
    Code(400, "call_refused", "Call refused",
         "OpenTok refuses to call this, or to play these digits. Check the uri and the options."),
    Code(409, "call_conflict", "Phones cannot join this session",
         "Only a session that is routed through the media server can be joined by phones."),
    Code(400, "audio_connector_refused", "Audio connection refused",
         "OpenTok refuses to connect this. Check the uri and the options; the session has to be "
         "routed through the media server."),
    Code(404, "call_not_found", "No such call",
         "There is no call with this id. Check the id."),
    Code(404, "audio_connector_not_found", "No such audio connection",
         "There is no audio connection with this id. Check the id; it may have ended."),

    # Who is in a session
    Code(404, "connection_not_found", "No such connection",
         "There is no connection with this id in the session. It may have ended."),
    Code(400, "layout_classes_refused", "Layout classes refused",
         "OpenTok refuses these layout classes. Check the ids of the streams; some may have "
         "ended."),
    Code(400, "signal_refused", "Signal refused",
         "OpenTok refuses this signal. A type has 128 bytes at most, the data 8 kB."),

    # /api/v1/
    Code(400, "cursor_invalid", "Invalid cursor",
         "This server has not issued this cursor. Send the `nextCursor` or `previousCursor` of an "
         "earlier answer unchanged, with the same filters, or leave it out to start over."),
    Code(400, "idempotency_key_invalid", "Invalid Idempotency-Key",
         "An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces. Use a new UUID "
         "for each new request."),
    Code(400, "idempotency_without_key", "Idempotency-Key requires an API key",
         "Answers are kept for API keys only. Send one, or leave the Idempotency-Key out."),
    Code(422, "idempotency_key_reused", "Idempotency-Key was used for another request",
         "This Idempotency-Key came with another request in the last 24 hours. Send exactly "
         "that request again, or this one with a new key."),
    Code(409, "idempotency_in_progress", "The first request is in progress",
         "The first request with this Idempotency-Key has not been answered yet. Send it again "
         "after Retry-After, with the same key.", wait=2),

    # OpenTok's callbacks
    Code(401, "callbacks_closed", "Callbacks not accepted",
         "This server accepts no callbacks: its operator has to set CALLBACK_SECRET to the "
         "signature secret with which OpenTok signs them.",
         challenge='Bearer realm="callbacks"', counts_as="refused"),
    Code(401, "callback_refused", "Callback refused",
         "Only callbacks that OpenTok signed for this server are accepted. Check that "
         "CALLBACK_SECRET is the signature secret of this project's callbacks; the server's "
         "log says more.",
         challenge='Bearer realm="callbacks", error="invalid_token"', counts_as="refused"),
    Code(400, "callback_invalid", "Unrecognised callback content",
         "The signature is valid, but the content is nothing that OpenTok documents."),

    # Phones
    Code(401, "voice_refused", "Webhook refused",
         "Only webhooks that Vonage's Voice API signed are accepted. Check that "
         "VOICE_SIGNATURE_SECRET is the account's signature secret; the server's log says more.",
         challenge='Bearer realm="voice", error="invalid_token"', counts_as="refused"),
    Code(503, "sip_not_configured", "Phone calls not configured",
         "This server cannot call phones: its operator has to set {missing}."),

    # What the server needs, and the server itself
    Code(503, "opentok_unavailable", "OpenTok is out of reach",
         "The video service cannot be reached at the moment. Please try again shortly.", wait=5),
    Code(503, "opentok_rate_limited", "OpenTok is busy",
         "The video service is receiving too many requests. Please try again shortly."),
    Code(504, "opentok_timeout", "OpenTok is too slow",
         "The video service did not answer in time. Please try again shortly."),
    Code(502, "opentok_refused_credentials", "OpenTok refuses this server's credentials",
         "The video service refuses this server's credentials. The server's operator should "
         "check them, and its clock: `manage.py doctor` does."),
    Code(502, "opentok_failed", "OpenTok failed",
         "The video service answered with an error. Please try again shortly."),
    Code(502, "storage_failed", "The storage of recordings failed",
         "The storage in which recordings are kept did not answer as expected. Please try again "
         "shortly."),
    Code(503, "database_unavailable", "Database unavailable",
         "The server cannot use its database at the moment. Please try again shortly; /readyz says "
         "what is wrong.", wait=5),
    Code(500, "server_error", "Internal server error",
         "Something went wrong on our side. Please try again in a moment."),
)
# fmt: on

CODES = {each.code: each for each in _TABLE}


class Problem(APIException):
    """An error of the table. `words` fill the braces of its advice.

    `reason` is for the log alone. `wait` overrides the table's. `members` are added to the problem,
    for programs.
    """

    def __init__(
        self,
        code: str,
        *,
        reason: str = "",
        wait: int | None = None,
        members: dict[str, str] | None = None,
        **words: object,
    ) -> None:
        known = CODES[code]
        super().__init__(known.advice.format(**words), code)
        self.status_code = known.status
        self.code = code
        self.title = known.meaning
        self.reason = reason
        self.members = members or {}
        self.wait = wait or known.wait
        self.auth_header = known.challenge
        self.counts_as = known.counts_as

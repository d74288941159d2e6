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
    Code(400, "bad_request", "Not understood",
         "This request could not be understood. Perhaps ALLOWED_HOSTS does not name its Host, "
         "or it has more than 1000 fields.", counts_as="other"),
    Code(400, "address_not_text", "The address is not text",
         "The address of this request is not text: percent-encode it as UTF-8.", counts_as="other"),
    Code(400, "address_ambiguous", "The address may mean two rooms",
         "The server was not told how this address was sent, and so cannot tell a slash from "
         "%2F. Its operator should take a WSGI server that gives RAW_URI or REQUEST_URI.",
         counts_as="other"),
    Code(403, "permission_denied", "Not allowed",
         "You may not do this here. Ask whoever runs this server.", counts_as="other"),
    # Of the admin, whose forms alone are checked.
    Code(403, "csrf_failed", "The form was not accepted",
         "This form did not come from a page of this server, or was open for too long. Open "
         "the page again and send it once more.", counts_as="other"),
    Code(403, "sso_refused", "No staff account",
         "No staff account here has the e-mail address that you logged in with, or it is not "
         "verified there. Ask whoever runs this server.", counts_as="other"),
    Code(502, "sso_failed", "The log-in service failed",
         "The service that you log in with did not answer as it should. Please try again, or log "
         "in with your password.", counts_as="other"),
    Code(404, "not_found", "Nothing at this address",
         "There is nothing at this address. The page at / lists the endpoints for apps, and "
         "/api/docs/ those of the API.",
         counts_as="other"),
    Code(431, "headers_too_large", "The headers are too large",
         f"The headers of a request may have {settings.MAX_HEADER_BYTES} bytes at most.",
         counts_as="other"),

    # Any body
    Code(411, "length_required", "The length is missing",
         "Send the body in one piece, with a Content-Length.", counts_as="other"),
    Code(413, "body_too_large", "The body is too large",
         f"A request body may have {settings.MAX_BODY_BYTES} bytes at most.", counts_as="other"),
    Code(415, "encoding_unsupported", "The encoding is not supported",
         "Send the body as it is, or with the Content-Encoding gzip or deflate.",
         counts_as="other"),
    Code(400, "body_not_decoded", "The body cannot be unpacked",
         "The body is not what its Content-Encoding says. Send it as it is.", counts_as="other"),
    Code(408, "body_not_received", "The body did not arrive",
         "The body did not arrive in time. Send the request again, in one piece.",
         counts_as="other"),

    # Raised by Django REST framework, whose own sentence goes out as `detail`
    Code(400, "invalid", "A value is wrong", "`detail` names the field and says how."),
    Code(400, "parse_error", "The body cannot be read",
         "`detail` says where. Send JSON or a form."),
    Code(405, "method_not_allowed", "Not with this method", "Use one of those in `Allow`."),
    Code(415, "unsupported_media_type", "Not in this format",
         "Send `application/json` in UTF-8, or a form as `application/x-www-form-urlencoded`."),

    # Keys and limits
    Code(401, "key_required", "An API key is needed",
         "Send an API key that has `{capability}`: `Authorization: Bearer otr_…`. Keys are made in "
         "the admin or by `manage.py apikey create`; without one, clients may do what "
         "ANONYMOUS_ACCESS names.", challenge=ASK_FOR_KEY, counts_as="other"),
    Code(401, "key_invalid", "There is no such key",
         "There is no such API key. It has to be sent as it was shown when it was made: "
         "`Authorization: Bearer otr_…`.", challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(401, "key_expired", "The key has expired",
         "This API key has expired. Ask for another one.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(401, "key_revoked", "The key was revoked",
         "This API key was revoked. Ask for another one.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(401, "client_token_required", "A client token is needed",
         "Send a client token of this session whose role may do it, or an API key that has "
         "`{capability}`: `Authorization: Bearer …`. Without either, clients may do what "
         "ANONYMOUS_ACCESS names.",
         challenge=ASK_FOR_KEY, counts_as="other"),
    Code(401, "client_token_invalid", "This client token is not good",
         "This client token has expired, is another project's, or was not signed with this "
         "server's OpenTok credentials. Get a new one from /room/<name>.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(403, "client_token_insufficient", "This client token may not do that",
         "A client token of this role does not allow `{capability}` here. Send an API key that has "
         "it.", counts_as="other"),
    Code(403, "session_not_covered", "This client token is for another session",
         "A client token counts for its own session only. Send one of this session."),
    Code(403, "capability_missing", "This key may not do that",
         "This API key does not have `{capability}`, and ANONYMOUS_ACCESS does not name it. "
         "Send a key that has it.", counts_as="other"),
    Code(403, "room_not_covered", "This key is for other rooms",
         "This API key is only for rooms whose name starts with “{prefix}”. Send a key that is "
         "for this room."),
    Code(401, "metrics_closed", "The metrics are closed",
         "Send this server's METRICS_TOKEN, if it has one, or an API key that has `manage`: "
         "`Authorization: Bearer …`.", challenge=ASK_FOR_KEY, counts_as="other"),
    Code(429, "rate_limited", "Too many requests",
         "Too many requests. Please try again in {seconds}."),

    # Rooms
    Code(400, "room_name_invalid", "Not a room's name",
         "A room's name has 1 to 200 characters, not only spaces, and no control characters."),
    Code(404, "room_unknown", "No such room",
         "There is no room of this name. New rooms are made only for API keys with `join` "
         "(ROOM_CREATION)."),
    Code(404, "room_not_found", "No such room",
         "There is no room of this name. Check how it is spelled: case counts."),
    Code(409, "room_exists", "There is such a room already",
         "There is a room of this name already. Choose another name, or change that room."),
    Code(403, "room_closed", "This room is closed",
         "This room is closed. Ask whoever invited you when it opens."),
    Code(403, "room_not_open_yet", "This room is not open yet",
         "This room opens on {moment}. Please come back then."),
    Code(403, "room_over", "This room is over",
         "This room closed on {moment}. Ask whoever invited you for another one."),
    Code(403, "room_full", "This room is full",
         "As many people are in this room as it takes. Please try again when somebody has left.",
         wait=30),
    Code(403, "banned", "This person may not join",
         "This person was banned from the room. Ask a moderator of the room to lift that."),
    Code(409, "identity_missing", "Nothing to know them by",
         "Their token says nothing that they would be known by again. Remove them, and close the "
         "room or turn on its waiting room; or give tokens `data` with an `identity`."),
    Code(409, "no_meeting", "Nobody is in this room",
         "Nobody is in this room, so that no meeting ends. Ban for good, or wait until "
         "somebody has joined."),
    Code(409, "bans_full", "Too many bans",
         "This room has 1,000 bans. Lift some that are not needed any more."),
    Code(404, "ban_not_found", "No such ban",
         "This room has no such ban. It may have been lifted."),
    Code(404, "meeting_not_found", "No such meeting", "There is no meeting with this id."),
    Code(403, "access_code_required", "This room has an access code",
         "This room has an access code. Send it as `?code=…` or in the header `X-Access-Code`."),
    Code(403, "access_code_wrong", "Wrong access code",
         "This is not the access code of this room. Check it and try again."),
    Code(403, "consent_required", "Consent to recording is needed",
         "What happens in this room may be recorded. Ask the person whether they agree, and then "
         "send the header `X-Recording-Consent: yes`."),
    Code(401, "invitation_invalid", "This invitation is not good",
         "This invitation has expired, was revoked, or is for joining another room. Ask for a new "
         "one.",
         challenge=KEY_IS_WRONG, counts_as="refused"),
    Code(403, "admission_required", "This room has a waiting room",
         "A moderator lets people into this room. Ask at POST /waiting/<name>, and send the ticket "
         "of the answer in the header `X-Ticket`."),
    Code(403, "admission_pending", "Waiting to be let in",
         "A moderator of this room has to let you in. Please wait, and ask again after "
         "Retry-After.", wait=10),
    Code(403, "admission_refused", "Not let in",
         "A moderator of this room did not let you in."),
    Code(409, "admission_not_required", "No need to wait",
         "You can join this room without being let in. Ask at /room/<name>."),
    Code(503, "waiting_room_full", "The waiting room is full",
         "Too many people wait to be let into this room. Please try again later.", wait=30),
    Code(404, "guest_not_found", "No such guest",
         "No such guest waits for this room, or was let in."),

    # Webhooks
    Code(400, "webhook_url_refused", "No address to send events to",
         "A webhook's URL starts with https://, names no user, and leads to no address inside this "
         "server's network. To try a receiver there, start the server with "
         "WEBHOOK_ALLOW_PRIVATE=on."),
    Code(404, "webhook_not_found", "No such webhook",
         "There is no webhook with this id. It may have been deleted."),

    # Recordings; those of a state that cannot be watched are in archives/pages.py
    Code(400, "session_invalid", "No such session",
         "sessionId is not a session of this server's OpenTok project. Get one from "
         "/room/<name>."),
    Code(400, "session_not_named", "Which session?",
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
         "This recording is not running any more, so nothing about it can be changed."),
    Code(404, "archive_not_found", "No such recording",
         "There is no recording with this id. Check the id; the recording may have been "
         "deleted."),
    Code(410, "archive_deleted", "This recording was deleted",
         "Somebody deleted it, and its file is gone for good."),
    Code(404, "share_invalid", "This link leads nowhere",
         "This is no link that was made here. Copy it again: all of it, to the last character."),
    Code(410, "share_ended", "This link has ended",
         "Its time is over, or it was revoked. Ask the person who sent it for a new one."),
    Code(404, "archive_not_stored", "This recording is not in the storage",
         "Its file should be in the storage that is set up for this service, which has {found} of "
         "it. Ask whoever runs this service."),
    Code(409, "archive_held", "This recording is on hold",
         "It was put on hold, so that its file stays. Have whoever did that end the hold first."),
    Code(409, "archive_not_holdable", "This recording cannot be put on hold",
         "A hold keeps the file of a recording. This one has none: it is {status}."),
    Code(409, "archive_not_deletable", "This recording cannot be deleted now",
         "A recording can be deleted while its file is available, or was uploaded."),
    Code(400, "layout_refused", "This layout is refused",
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
         "This broadcast is not running any more, so nothing about it can be changed."),
    Code(404, "broadcast_not_found", "No such broadcast",
         "There is no broadcast with this id. Check the id; the broadcast may have ended."),
    Code(400, "captions_refused", "These captions are refused",
         "OpenTok refuses to caption this session. Check the language and the other options; the "
         "session has to be routed through the media server."),
    Code(409, "captions_running", "There are captions already",
         "The session is being captioned already, by captions whose id this server was not told: "
         "another program has started them, or OpenTok's answer to their start got lost. Stop them "
         "where they were started, or try again once they have ended, which is four hours after "
         "their start at the latest."),
    Code(404, "captions_not_found", "No such captions",
         "There are no captions with this id. Check the id; they may have ended."),
    Code(400, "render_refused", "This page cannot be shown",
         "OpenTok refuses to compose this. Check that it can reach the url, and check the options "
         "if you sent some."),
    Code(404, "render_not_found", "No such render",
         "There is no render with this id. Check the id; it may have ended."),
    Code(400, "call_refused", "This call is refused",
         "OpenTok refuses to call this, or to play these digits. Check the uri and the options."),
    Code(409, "call_conflict", "Phones cannot join this session",
         "Only a session that is routed through the media server can be joined by phones."),
    Code(400, "audio_connector_refused", "This audio connection is refused",
         "OpenTok refuses to connect this. Check the uri and the options; the session has to be "
         "routed through the media server."),
    Code(404, "call_not_found", "No such call",
         "There is no call with this id. Check the id."),
    Code(404, "audio_connector_not_found", "No such audio connection",
         "There is no audio connection with this id. Check the id; it may have ended."),

    # Who is in a session
    Code(404, "connection_not_found", "No such connection",
         "There is no connection with this id in the session. It may have ended."),
    Code(400, "layout_classes_refused", "These layout classes are refused",
         "OpenTok refuses these layout classes. Check the ids of the streams; some may have "
         "ended."),
    Code(400, "signal_refused", "This signal is refused",
         "OpenTok refuses this signal. A type has 128 bytes at most, the data 8 kB."),

    # /api/v1/
    Code(400, "cursor_invalid", "Not a cursor",
         "This cursor was not given out here. Take `nextCursor` or `previousCursor` of an "
         "earlier answer as it is, with the same filters, or leave it out to start over."),
    Code(400, "idempotency_key_invalid", "Not an idempotency key",
         "An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces. A new UUID "
         "for each thing to be done is a good one."),
    Code(400, "idempotency_without_key", "An Idempotency-Key needs an API key",
         "Answers are kept for API keys only. Send one, or leave the Idempotency-Key out."),
    Code(422, "idempotency_key_reused", "The idempotency key is another request's",
         "This Idempotency-Key came with another request in the last 24 hours. Send exactly "
         "that request again, or this one with a new key."),
    Code(409, "idempotency_in_progress", "The first request is under way",
         "The first request with this Idempotency-Key has not been answered yet. Send it again "
         "after Retry-After, with the same key.", wait=2),

    # OpenTok's callbacks
    Code(401, "callbacks_closed", "No callbacks are taken here",
         "This server takes no callbacks: its operator has to set CALLBACK_SECRET to the "
         "signature secret that OpenTok signs them with.",
         challenge='Bearer realm="callbacks"', counts_as="refused"),
    Code(401, "callback_refused", "This callback is refused",
         "Only callbacks that OpenTok signed for this server are taken. Check that "
         "CALLBACK_SECRET is the signature secret of this project's callbacks; the server's "
         "log says more.",
         challenge='Bearer realm="callbacks", error="invalid_token"', counts_as="refused"),
    Code(400, "callback_invalid", "This callback makes no sense",
         "It is signed rightly, but tells of nothing that OpenTok documents."),

    # Phones
    Code(401, "voice_refused", "This webhook is refused",
         "Only webhooks that Vonage's Voice API signed are taken. Check that "
         "VOICE_SIGNATURE_SECRET is the account's signature secret; the server's log says more.",
         challenge='Bearer realm="voice", error="invalid_token"', counts_as="refused"),
    Code(503, "sip_not_configured", "This server makes no calls",
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
         "The storage in which recordings are kept did not answer as it should. Please try again "
         "shortly."),
    Code(503, "database_unavailable", "The database cannot be used",
         "The server cannot use its database at the moment. Please try again shortly; /readyz says "
         "what is wrong.", wait=5),
    Code(500, "server_error", "A mistake of ours",
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

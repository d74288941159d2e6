"""What can go wrong at OpenTok, in our words: each error knows its HTTP status and stable code.

`reason` is for our log and may quote OpenTok; `detail` is for the caller and never does. Neither
holds a secret or a token.
"""

from rest_framework.exceptions import APIException


class VideoError(APIException):
    """Base of all errors that this door raises."""

    title: str | None = None
    wait: int | None = None
    # Whether it speaks of OpenTok as a whole, and leaves open if OpenTok did what it was asked.
    is_outage = False

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason

    @property
    def outcome(self) -> str:
        """What the call that ended with this error counts as in the metrics."""
        return self.default_code


class OpenTokUnavailable(VideoError):
    """OpenTok cannot be reached, or is too busy for us."""

    status_code = 503
    default_code = "opentok_unavailable"
    title = "OpenTok is out of reach"
    default_detail = "The video service cannot be reached at the moment. Please try again shortly."
    wait = 5
    is_outage = True


class OpenTokNotAsked(OpenTokUnavailable):
    """Nothing was sent, because too many wait for OpenTok already or because it keeps failing."""

    is_outage = False
    outcome = "not_asked"

    def __init__(self, reason: str, *, wait: int) -> None:
        super().__init__(reason)
        self.wait = wait


class OpenTokRateLimited(OpenTokUnavailable):
    """OpenTok asks for fewer calls (429). `wait` is its Retry-After, in seconds."""

    default_code = "opentok_rate_limited"
    title = "OpenTok is busy"
    default_detail = "The video service is receiving too many requests. Please try again shortly."
    is_outage = False

    def __init__(self, wait: int) -> None:
        super().__init__(f"429, retry after {wait} s")
        self.wait = wait


class OpenTokTimeout(VideoError):
    status_code = 504
    default_code = "opentok_timeout"
    title = "OpenTok is too slow"
    default_detail = "The video service did not answer in time. Please try again shortly."
    is_outage = True


class OpenTokRefusedUs(VideoError):
    """401 or 403: our key and secret, or our clock, are wrong. Nothing the caller can mend."""

    status_code = 502
    default_code = "opentok_refused_credentials"
    title = "OpenTok refuses this server's credentials"
    default_detail = (
        "The video service refuses this server's credentials. Whoever runs the server should check "
        "its API key and secret, and its clock."
    )


class OpenTokFailed(VideoError):
    """A 5xx, a redirect, or an answer that is not what OpenTok documents."""

    status_code = 502
    default_code = "opentok_failed"
    title = "OpenTok failed"
    default_detail = "The video service answered with an error. Please try again shortly."
    is_outage = True


class SessionInvalid(VideoError):
    status_code = 400
    default_code = "session_invalid"
    title = "No such session"
    default_detail = (
        "sessionId is not a session of this server's OpenTok project. Get one from /room/<name>."
    )


class ArchiveRefused(VideoError):
    status_code = 400
    default_code = "archive_refused"
    title = "This cannot be recorded"
    default_detail = (
        "OpenTok refuses to record this. Check that sessionId comes from /room/<name>, and check "
        "the options if you sent some."
    )


class NobodyConnected(VideoError):
    status_code = 409
    default_code = "nobody_connected"
    title = "Nobody is connected"
    default_detail = (
        "Nobody is connected to the session yet. Join it first, then start the recording."
    )


class ArchiveConflict(VideoError):
    status_code = 409
    default_code = "archive_conflict"
    title = "This session cannot be recorded now"
    default_detail = (
        "The session is being recorded already, in which case that recording has to stop first, or "
        "it is not routed through the media server and so cannot be recorded."
    )


class ArchiveNotRunning(VideoError):
    status_code = 409
    default_code = "archive_not_running"
    title = "The recording has ended"
    default_detail = "This recording is not running any more, so nothing about it can be changed."


class ArchiveNotFound(VideoError):
    status_code = 404
    default_code = "archive_not_found"
    title = "No such recording"
    default_detail = (
        "There is no recording with this id. Check the id; the recording may have been deleted."
    )


class ArchiveNotDeletable(VideoError):
    status_code = 409
    default_code = "archive_not_deletable"
    title = "This recording cannot be deleted now"
    default_detail = "A recording can be deleted while its file is available, or was uploaded."


class LayoutRefused(VideoError):
    status_code = 400
    default_code = "layout_refused"
    title = "This layout is refused"
    default_detail = (
        "OpenTok refuses this layout. Only recordings with the outputMode composed have one."
    )


class StreamsNotManual(VideoError):
    status_code = 409
    default_code = "streams_not_manual"
    title = "The streams are chosen by OpenTok"
    default_detail = "Streams are added and removed only if it was started with streamMode manual."


class StreamNotFound(VideoError):
    status_code = 404
    default_code = "stream_not_found"
    title = "No such stream"
    default_detail = (
        "There is no stream with this id in the session that is being recorded. It may have ended."
    )


class CallbacksClosed(VideoError):
    status_code = 401
    counts_as = "refused"
    default_code = "callbacks_closed"
    title = "No callbacks are taken here"
    default_detail = (
        "This server takes no callbacks: whoever runs it has to set CALLBACK_SECRET to the "
        "signature secret that OpenTok signs them with."
    )
    auth_header = 'Bearer realm="callbacks"'


class CallbackRefused(VideoError):
    status_code = 401
    counts_as = "refused"
    default_code = "callback_refused"
    title = "This callback is refused"
    default_detail = (
        "Only callbacks that OpenTok signed for this server are taken. Check that CALLBACK_SECRET "
        "is the signature secret of this project's callbacks; the server's log says more."
    )
    auth_header = 'Bearer realm="callbacks", error="invalid_token"'


class CallbackInvalid(VideoError):
    status_code = 400
    default_code = "callback_invalid"
    title = "This callback makes no sense"
    default_detail = "It is signed rightly, but tells of nothing that OpenTok documents."

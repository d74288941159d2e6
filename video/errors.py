"""Errors of calls to OpenTok.

`reason` is for the log and may quote OpenTok; `detail` is for the client and does not. Neither
holds a secret or a token.
"""

from web.errors import Problem

# Failures of OpenTok as a whole, after which it is unknown whether the call had an effect.
OUTAGES = {"opentok_unavailable", "opentok_timeout", "opentok_failed"}
# Any call may raise these.
ANY_CALL = {*OUTAGES, "opentok_rate_limited", "opentok_refused_credentials"}


class VideoError(Problem):
    """All errors that video/ raises. `outcome` is for the metrics."""

    def __init__(self, code: str, reason: str = "", *, wait: int | None = None) -> None:
        super().__init__(code, reason=reason, wait=wait)
        self.is_outage = code in OUTAGES
        self.outcome = code


class OpenTokNotAsked(VideoError):
    """The call was not made: too many callers wait for OpenTok already, or it keeps failing."""

    def __init__(self, reason: str, *, wait: int) -> None:
        super().__init__("opentok_unavailable", reason, wait=wait)
        self.is_outage = False
        self.outcome = "not_asked"

"""What can go wrong at OpenTok.

`reason` is for our log and may quote OpenTok; `detail` is for the caller and never does. Neither
holds a secret or a token.
"""

from web.errors import Problem

# What speaks of OpenTok as a whole, and leaves open if OpenTok did what it was asked.
OUTAGES = {"opentok_unavailable", "opentok_timeout", "opentok_failed"}
# What any call may end with.
ANY_CALL = {*OUTAGES, "opentok_rate_limited", "opentok_refused_credentials"}


class VideoError(Problem):
    """Everything that the door raises about OpenTok. `outcome` is for the metrics."""

    def __init__(self, code: str, reason: str = "", *, wait: int | None = None) -> None:
        super().__init__(code, reason=reason, wait=wait)
        self.is_outage = code in OUTAGES
        self.outcome = code


class OpenTokNotAsked(VideoError):
    """Nothing was sent, because too many wait for OpenTok already or because it keeps failing."""

    def __init__(self, reason: str, *, wait: int) -> None:
        super().__init__("opentok_unavailable", reason, wait=wait)
        self.is_outage = False
        self.outcome = "not_asked"

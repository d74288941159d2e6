"""Whether OpenTok accepts this server's calls, and why not: for `manage.py doctor`."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from requests import Response

from video import accounts, answers, calls
from video.errors import VideoError

# OpenTok refuses signatures from its future, and those older than three minutes.
MOST_SECONDS_APART = 30


@dataclass(frozen=True)
class Trouble:
    problem: str
    remedy: str


@dataclass(frozen=True)
class Checkup:
    """What one call showed; None where nothing is wrong."""

    accepted: bool
    credentials: Trouble | None
    clock: Trouble | None


def check() -> Checkup:
    """Make one small signed call. VideoError if OpenTok neither accepts nor refuses it."""
    response = calls.ping()
    refusal = ""
    try:
        answers.read(response, {})
    except VideoError as error:
        if error.code != "opentok_refused_credentials":
            raise
        refusal = error.reason
    about_time = any(words in refusal.lower() for words in ("issued time", "expired token"))
    return Checkup(
        accepted=not refusal,
        credentials=_credentials(refusal) if refusal and not about_time else None,
        clock=_clock(_seconds_ahead(response), refusal if about_time else ""),
    )


def _credentials(refusal: str) -> Trouble:
    """Judged by OpenTok's messages, as the real service was seen to send them."""
    account = accounts.current()
    name, key, project = (
        ("VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY", f"application {account.project_id}")
        if account.is_vonage
        else ("TOKBOX_API_KEY", "TOKBOX_SECRET", f"project {account.project_id}")
    )
    if "issuer not found" in refusal.lower():
        return Trouble(
            f"OpenTok at {account.api_url} knows no {project}.",
            f"Check {name} against the page of your project, and that it is one of OpenTok's if "
            "you set TOKBOX_*, and one of Vonage's if you set VONAGE_*.",
        )
    if "signature" in refusal.lower():
        return Trouble(
            f"{key} does not belong to {project}.",
            f"Copy {key} anew from the page of your project.",
        )
    return Trouble(
        f"OpenTok refuses the credentials of {project}: {refusal}.",
        "See whether the project is active.",
    )


def _clock(seconds_ahead: float, refusal: str) -> Trouble | None:
    remedy = "Have the machine set its clock from the network (NTP)."
    if abs(seconds_ahead) > MOST_SECONDS_APART:
        direction = "ahead of" if seconds_ahead > 0 else "behind"
        problem = f"This machine's clock is {abs(seconds_ahead):.0f} s {direction} OpenTok's."
        return Trouble(problem, remedy)
    if refusal:
        return Trouble(f"OpenTok refuses the time in this machine's calls: {refusal}.", remedy)
    return None


def _seconds_ahead(response: Response) -> float:
    """How far this machine's clock is ahead of OpenTok's; 0 if the answer bears no date."""
    try:
        theirs = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return 0
    return time.time() - theirs

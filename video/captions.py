"""Live captions. A session has them once at a time."""

from video import answers, ids, rest, sessions
from video.answers import Remote
from video.errors import VideoError


def start_captions(
    session_id: str,
    *,
    token: str,
    language_code: str = "en-US",
    max_duration: int | None = None,
    partial_captions: bool | None = None,
    status_callback_url: str | None = None,
) -> str:
    """Their id. `token` is a moderator's.

    Errors: captions_refused, captions_running, nobody_connected.
    """
    body = rest.given(
        sessionId=sessions.checked(session_id),
        token=token,
        languageCode=language_code,
        maxDuration=max_duration,
        partialCaptions=partial_captions,
        statusCallbackUrl=status_callback_url,
    )
    answer = rest.ask(
        "start_captions",
        "POST",
        "captions",
        body,
        refusals={400: "captions_refused", 404: "nobody_connected", 409: "captions_running"},
    )
    return str(answers.with_ids(answer, "captionsId")["captionsId"]).lower()


def stop_captions(captions_id: str) -> None:
    """Error: captions_not_found, also for those that have ended."""
    captions_id = ids.captions_id(captions_id)
    rest.ask(
        "stop_captions",
        "POST",
        f"captions/{captions_id}/stop",
        refusals={404: "captions_not_found"},
    )


def get_captions(captions_id: str) -> Remote:
    """Their `captionId`, `sessionId`, `status` and more."""
    captions_id = ids.captions_id(captions_id)
    answer = rest.ask(
        "get_captions",
        "GET",
        f"captions/{captions_id}",
        refusals={404: "captions_not_found"},
    )
    match answer:
        case {"captionId": str(found), "sessionId": str(), "status": str()} if (
            found.lower() == captions_id
        ):
            return dict(answer)
    raise VideoError("opentok_failed", "no captions in the answer, or others")

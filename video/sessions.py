"""The sessions of the configured project."""

import opentok

from video import accounts, calls, ids
from video.errors import VideoError


def owns(session_id: str) -> bool:
    """Whether a session is the configured project's. If its id does not tell, it is."""
    return ids.project_of(session_id) in {None, accounts.current().project_id}


def create_session(*, e2ee: bool = False) -> str:
    """The id of a new routed session."""
    answer = calls.call(
        "create_session",
        lambda sdk: sdk.create_session(media_mode=opentok.MediaModes.routed, e2ee=e2ee),
        refusals={},
    )
    match answer:
        case [{"session_id": str(session_id)}, *_] if ids.SESSION_ID.fullmatch(session_id):
            if owns(session_id):
                return session_id
            raise VideoError("opentok_failed", "a new session of another project")
    raise VideoError("opentok_failed", "no session id in the answer")


def checked(session_id: str) -> str:
    """`session_id` if it may be one of the project's. Error: session_invalid."""
    ids.check_session_id(session_id)
    if not owns(session_id):
        raise VideoError("session_invalid", "a session of another project")
    return session_id

"""What is wrong with a recording, beyond what OpenTok itself says (video/errors.py)."""

from rest_framework.exceptions import APIException

from archives.states import Status


class ArchiveDeleted(APIException):
    status_code = 410
    default_code = "archive_deleted"
    title = "This recording was deleted"
    default_detail = "Somebody deleted it, and its file is gone for good."


class ArchiveNotViewable(APIException):
    """Where a browser gets a page about the recording's state, and a JSON client this."""

    title = "Nothing to view"

    def __init__(self, detail: str, *, status: str, status_code: int) -> None:
        # OpenTok may tell of a state that nobody knows: `page_for` takes that for a stopped one.
        known = status if status in Status.values else Status.STOPPED
        super().__init__(detail, code=f"archive_{known}")
        # 409 where a page would be a 200: this is no success for a program.
        self.status_code = 409 if status_code == 200 else status_code


class SessionNotNamed(APIException):
    status_code = 400
    default_code = "session_not_named"
    title = "Which session?"
    default_detail = (
        "This API key is only for rooms whose name starts with “{prefix}”. Name the session of "
        "such a room, as in /archive?sessionId=…."
    )

    def __init__(self, prefix: str) -> None:
        super().__init__(self.default_detail.format(prefix=prefix))

"""What is wrong with a recording, beyond what OpenTok itself says (video/errors.py)."""

from rest_framework.exceptions import APIException


class ArchiveDeleted(APIException):
    status_code = 410
    default_code = "archive_deleted"
    title = "This recording was deleted"
    default_detail = (
        "Somebody deleted this recording, and its file is gone for good. Whoever keeps the "
        "recordings may have a copy."
    )


class ArchiveNotViewable(APIException):
    """Where a browser gets a page about the recording's state, and a JSON client this."""

    title = "Nothing to view"

    def __init__(self, *, status: str, detail: str, status_code: int) -> None:
        super().__init__(detail, code=f"archive_{status}")
        self.status_code = status_code

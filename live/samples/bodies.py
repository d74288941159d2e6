from typing import Any

from rest_framework.request import Request

from live.samples.serializers import SessionSerializer
from rooms.coverage import check_client_covers_session
from video.errors import ANY_CALL

# The errors of an operation that reads a body about a session.
AT_A_SESSION = {"invalid", "session_invalid", "room_not_covered", *ANY_CALL}


def read_about_session(serializer: type[SessionSerializer], request: Request) -> dict[str, Any]:
    """The fields of a body about a session, which the client's key or token has to cover.

    Errors: invalid, room_not_covered, session_not_covered.
    """
    body = serializer.read(request.data)
    check_client_covers_session(request, body["session_id"])
    return body

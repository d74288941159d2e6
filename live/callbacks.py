"""The endpoint for OpenTok's callbacks."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archives.models import Archive
from audit.actors import CALLBACK, acting_as
from live.enforcement import enforce, keep_out
from live.models import Activity
from live.operations import failure_logged
from live.recording import record_meeting
from meetings import news
from rooms import moderating
from rooms.guests import Guest
from rooms.models import Room
from video import callbacks, ids
from video.answers import Remote
from web.rows import has_row


class CallbackView(APIView):
    """video/callbacks.py verifies the sender."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()  # all come from OpenTok's few addresses; what is refused counts

    def post(self, request: Request) -> Response:
        signature = request.headers.get("Authorization", "")
        if told := callbacks.read(request.body, authorization=signature):
            with acting_as(CALLBACK):
                _apply(*told)
        return Response()


def _apply(kind: str, remote: Remote) -> None:
    if kind == "archive":
        Archive.objects.apply_callback(remote)
    elif kind == "session":
        _apply_to_session(remote)
    else:
        Activity.objects.apply_callback(kind, remote)


def _apply_to_session(told: Remote) -> None:
    """Note who came or left. After a departure, end overdue activities, and those of an empty
    session.
    """
    session_id = told.get("sessionId")
    if not (isinstance(session_id, str) and ids.SESSION_ID.fullmatch(session_id)):
        return
    Guest.objects.apply_callback(session_id, told)
    arrived = news.apply_callback(told, name_of=Room.objects.name_of_session)
    # Also for a repeated callback: the first one may have failed half way.
    is_arrival = told["event"] == "connectionCreated"
    if (arrived or is_arrival) and (room := Room.objects.get_by_session(session_id)):
        if room.closed and is_arrival:
            keep_out(room, news.client_id(told.get("connection")))
        with failure_logged("end a mute"):
            moderating.end_due_mute(room)
        enforce(room)
        record_meeting(room)
    is_departure = told["event"] == "connectionDestroyed"
    if is_departure and has_row(Activity, session_id=session_id, ended_at=None):
        Activity.objects.end_overdue(session_id=session_id)
        Activity.objects.end_in_empty_session(session_id)

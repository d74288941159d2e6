"""Why somebody does not get into a room, or at it, in sentences for whoever wanted to."""

from datetime import datetime

from django.utils import timezone
from rest_framework.exceptions import APIException


class RoomUnknown(APIException):
    status_code = 404
    default_code = "room_unknown"
    title = "No such room"
    default_detail = (
        "There is no room of this name. New rooms are made only for API keys with `join` "
        "(ROOM_CREATION)."
    )


class RoomNotFound(APIException):
    status_code = 404
    default_code = "room_not_found"
    title = "No such room"
    default_detail = "There is no room of this name. Check how it is spelled: case counts."


class RoomExists(APIException):
    status_code = 409
    default_code = "room_exists"
    title = "There is such a room already"
    default_detail = (
        "There is a room of this name already. Choose another name, or change that room."
    )


class RoomRefused(APIException):
    """Base of what a room's policy says to those whom it keeps out."""

    status_code = 403


class RoomShut(RoomRefused):
    """Nobody gets in at the moment; `state` is what staff call it."""

    state: str


class RoomClosed(RoomShut):
    default_code = "room_closed"
    title = "This room is closed"
    default_detail = "This room is closed. Ask whoever invited you when it opens."
    state = "closed"


class RoomNotOpenYet(RoomShut):
    default_code = "room_not_open_yet"
    title = "This room is not open yet"
    default_detail = "This room opens on {moment}. Please come back then."
    state = "not open yet"

    def __init__(self, opens_at: datetime, *, now: datetime) -> None:
        super().__init__(self.default_detail.format(moment=_spoken(opens_at)))
        self.wait = int((opens_at - now).total_seconds()) + 1


class RoomOver(RoomShut):
    default_code = "room_over"
    title = "This room is over"
    default_detail = "This room closed on {moment}. Ask whoever invited you for another one."
    state = "over"

    def __init__(self, closes_at: datetime) -> None:
        super().__init__(self.default_detail.format(moment=_spoken(closes_at)))


class AccessCodeRequired(RoomRefused):
    default_code = "access_code_required"
    title = "This room has an access code"
    default_detail = (
        "This room has an access code. Send it as `?code=…` or in the header `X-Access-Code`."
    )


class AccessCodeWrong(RoomRefused):
    default_code = "access_code_wrong"
    title = "Wrong access code"
    default_detail = "This is not the access code of this room. Check it and try again."


def _spoken(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%B %Y at %H:%M %Z}"

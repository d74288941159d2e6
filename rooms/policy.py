"""Who gets into which room."""

from django.conf import settings
from rest_framework.exceptions import APIException

from access.capabilities import Capability
from access.models import ApiKey


class RoomUnknown(APIException):
    status_code = 404
    default_code = "room_unknown"
    title = "No such room"
    default_detail = (
        "There is no room of this name. New rooms are made only for API keys with `join` "
        "(ROOM_CREATION)."
    )


def refuse_to_make_rooms(key: ApiKey | None) -> None:
    """Raise RoomUnknown if an unknown name makes no room for whoever has this key, or none."""
    if settings.ROOM_CREATION == "keys" and not (key and key.may(Capability.JOIN)):
        raise RoomUnknown()

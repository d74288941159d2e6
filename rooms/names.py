"""What may be a room's name: anything that a person would call a room."""

import unicodedata

from rest_framework.exceptions import APIException

MAX_LENGTH = 200


class RoomNameInvalid(APIException):
    status_code = 400
    default_code = "room_name_invalid"
    title = "Not a room's name"
    default_detail = (
        f"A room's name has 1 to {MAX_LENGTH} characters, not only spaces, and no control "
        "characters."
    )


def clean_name(name: str) -> str:
    """`name` in Unicode NFC, so that "Zürich" is one room however a keyboard composes it.

    Nothing is trimmed or folded. RoomNameInvalid for a name that no room can have.
    """
    name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= MAX_LENGTH or not name.strip():
        raise RoomNameInvalid()
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise RoomNameInvalid()
    return name

"""Names of rooms, which are almost any text."""

import unicodedata

from web.errors import Problem

MAX_LENGTH = 200
# A longer text is too long when composed as well, since composing joins at most four characters.
LONGEST = 4 * MAX_LENGTH


def composed(text: str) -> str:
    """`text` in Unicode NFC, unless it is too long for a name: the time to compose it is quadratic
    in the number of consecutive accents.
    """
    return unicodedata.normalize("NFC", text) if len(text) <= LONGEST else text


def clean_name(name: str) -> str:
    """`name` in Unicode NFC, so that "Zürich" is one room on all keyboards. It is not stripped or
    folded. Error: room_name_invalid.
    """
    name = composed(name)
    if not 1 <= len(name) <= MAX_LENGTH or not name.strip():
        raise Problem("room_name_invalid")
    if has_control_characters(name):
        raise Problem("room_name_invalid")
    return name


def has_control_characters(text: str) -> bool:
    """Whether it has control characters, or surrogates, which UTF-8 cannot encode."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)

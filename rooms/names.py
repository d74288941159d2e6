"""What may be a room's name: anything that a person would call a room."""

import unicodedata

from web.errors import Problem

MAX_LENGTH = 200
# What is longer is too long composed as well, which makes one character of at most four.
LONGEST = 4 * MAX_LENGTH


def composed(text: str) -> str:
    """`text` in Unicode NFC, unless it is too long for a name.

    Composing takes a time that grows with the square of how many accents follow one another.
    """
    return unicodedata.normalize("NFC", text) if len(text) <= LONGEST else text


def clean_name(name: str) -> str:
    """`name` in Unicode NFC, so that "Zürich" is one room however a keyboard composes it.

    Nothing is trimmed or folded. Error: room_name_invalid.
    """
    name = composed(name)
    if not 1 <= len(name) <= MAX_LENGTH or not name.strip():
        raise Problem("room_name_invalid")
    if has_control_characters(name):
        raise Problem("room_name_invalid")
    return name


def has_control_characters(text: str) -> bool:
    """Whether it has some, or surrogates, which no UTF-8 has."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)

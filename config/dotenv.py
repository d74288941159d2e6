"""Read a `.env` file, in the syntax that Docker Compose, python-dotenv and shells share.

    NAME=value                # a comment, because white space comes before it
    export NAME = pass#word   # nothing is expanded: a $ is a $
    NAME='as it is written'
    NAME="with \\n, \\t, \\" and \\\\; over several lines if need be"

django-environ keeps comments and reads one line at a time.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# As PowerShell and Notepad write them.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
NOTHING = re.compile(r"[^\S\n]*(#[^\n]*)?(\n|\Z)")
NAME = re.compile(r"[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][A-Za-z0-9_.-]*)[^\S\n]*=")
QUOTED = r"""[^\S\n]*(?:'(?P<plain>[^']*)'|"(?P<escaped>(?:[^"\\]|\\.)*)")"""
BARE = r"(?P<bare>(?:(?!\s\#)[^\n])*)"
VALUE = re.compile(f"(?:{QUOTED}|{BARE}){NOTHING.pattern}", re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
QUOTES = ("'", '"')
LONE_QUOTE = (
    "has a quote at its beginning or end that is not one of a pair around all of it. Take it away, "
    "or put the other kind of quotes around the whole value."
)
TYPOGRAPHIC = set("“”„‟‘’‚‛«»")
TYPOGRAPHIC_QUOTE = "has a typographic quote at its beginning or end. Write \" or ' in its place."


@dataclass(frozen=True)
class Value:
    text: str
    line: int


class Wrong(Exception):
    """Its text has the number and the name of the line, but not the value, which may be secret."""


def read(path: Path) -> dict[str, Value]:
    """The variables of a file; empty if there is none. Raises Wrong."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Wrong(f"{path.name} cannot be read: {error.strerror}.") from None
    try:
        text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeError:
        raise Wrong(f"{path.name} is no text in UTF-8. Save it as UTF-8.") from None
    return dict(_values(text, file=path.name))


def _decoded(content: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding)
    # Latin-1 is harmless in comments. os.environ uses surrogateescape for values as well.
    return content.decode("utf-8", "surrogateescape")


def _values(text: str, *, file: str) -> Iterator[tuple[str, Value]]:
    place = 0
    while place < len(text):
        if nothing := NOTHING.match(text, place):
            place = nothing.end()
            continue
        line = text.count("\n", 0, place) + 1
        if not (name := NAME.match(text, place)):
            raise Wrong(
                f"Line {line} of {file} is no NAME=value. Put a value of several lines into double "
                "quotes, or write \\n for the line breaks of a key."
            )
        try:
            value, place = _value(text, name.end())
        except ValueError as error:
            raise Wrong(f"Line {line} of {file}: {name[1]} {error}") from None
        yield name[1], Value(value, line)


def _value(text: str, place: int) -> tuple[str, int]:
    """A value, and the start of the next line."""
    found = VALUE.match(text, place)
    bare = ((found and found["bare"]) or "").strip()
    if not found:
        raise ValueError(LONE_QUOTE)
    if wrong := wrong_quote(bare):
        raise ValueError(wrong)
    value = ESCAPE.sub(_unescaped, found["escaped"] or "") or found["plain"] or bare
    if "\0" in value:
        raise ValueError("holds a NUL. Save the file as UTF-8.")
    return value, found.end()


def wrong_quote(value: str) -> str | None:
    """The error about an unpaired quote at the beginning or the end, or None."""
    ends = {value[:1], value[-1:]}
    if ends & TYPOGRAPHIC:
        return TYPOGRAPHIC_QUOTE
    return LONE_QUOTE if ends & set(QUOTES) else None


def _unescaped(escape: re.Match[str]) -> str:
    return ESCAPED.get(escape[1], escape[0])

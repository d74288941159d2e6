"""A room's name in a path: the way in, and the way out. What comes in: web/paths.py."""

from urllib.parse import quote, unquote

from django.urls import reverse


class NameConverter:
    """One segment of a path, which is one name."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return unquote(value)

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


class SpelledNameConverter(NameConverter):
    """The same, where nothing follows a name: its slashes may be written as they are."""

    regex = "[^/]+(?:/[^/]+)*"


def path_to(view: str, name: str) -> str:
    """The path of the room of this name at the view whose URL has this name."""
    # `reverse` takes what `to_url` returns for decoded, and encodes each `%` again.
    return reverse(view, kwargs={"name": name}).replace("%25", "%")

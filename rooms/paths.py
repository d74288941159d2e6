"""Names of rooms in paths: converters for the URL resolver, and reversing. See web/paths.py."""

from urllib.parse import quote, unquote

from django.urls import reverse


class NameConverter:
    """A name in one segment of a path."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return unquote(value)

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


class SpelledNameConverter(NameConverter):
    """The same at the end of a path, where the slashes of a name need not be encoded."""

    regex = "[^/]+(?:/[^/]+)*"


def path_to(view: str, name: str) -> str:
    """The path of a room at the view with this URL name."""
    # `reverse` encodes each `%` of what `to_url` returns again.
    return reverse(view, kwargs={"name": name}).replace("%25", "%")

"""A room's name in a path: the way in, and the way out.

A name may have slashes, and `%2F` is one that ends no segment. So config/request.py splits a path
at its slashes first and decodes each segment then, once; a `/` or `%` that a segment has itself
stays `%2F` or `%25` for the URL resolver, until a converter reads the name.
"""

from urllib.parse import quote, unquote

from django.urls import reverse


def segment(text: str) -> str:
    """A decoded segment as the URL resolver sees it."""
    return text.replace("%", "%25").replace("/", "%2F")


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

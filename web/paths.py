"""Segments of a path, between the slashes that were sent as slashes.

A room's name may have slashes of its own, sent as `%2F`. So web/request.py splits a path before it
decodes it, and a `/` or `%` inside a segment stays `%2F` or `%25` for the URL resolver, until a
converter in rooms/paths.py reads the name.
"""


def segment(text: str) -> str:
    """A decoded segment as the URL resolver sees it."""
    return text.replace("%", "%25").replace("/", "%2F")

"""Segments of a path.

The name of a room may contain slashes, sent as `%2F`. So web/request.py splits a path before it
decodes it, and for the URL resolver a `/` or `%` inside a segment stays `%2F` or `%25`, until a
converter in rooms/paths.py decodes the name.
"""


def segment(text: str) -> str:
    """A decoded segment as the URL resolver sees it."""
    return text.replace("%", "%25").replace("/", "%2F")

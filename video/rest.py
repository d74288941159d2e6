"""Calls written out by hand, through the transport under the SDK, and judged in the same way.

The SDK has no call for some of what OpenTok can do, reports some failures as None, and sends some
fields under names that OpenTok does not know.
"""

import json
from typing import Any
from urllib.parse import urlencode

import opentok

from video import answers, calls, sessions
from video.answers import Refusals, Remote
from video.errors import VideoError


def ask(
    operation: str, method: str, path: str, body: Remote | None = None, *, refusals: Refusals
) -> Any:
    """The JSON of a successful answer, or the error that its status means.

    `path` is what comes after the project's, and has ids that video/ids.py has checked, and no
    others. What only reads is asked again, once, if OpenTok fails.
    """
    make = calls.read if method == "GET" else calls.call
    return make(operation, written(method, path, body), refusals=refusals)


def written(method: str, path: str, body: Remote | None = None) -> calls.Ask:
    """The same as what video/calls.py makes calls of."""

    def send(sdk: opentok.Client) -> None:
        calls.TRANSPORT.call(
            method,
            f"{sdk.endpoints.api_url}/v2/project/{sdk.api_key}/{path}",
            headers=sdk.get_json_headers(),
            data=None if body is None else json.dumps(body),
        )

    return send


def page(path: str, **query: Any) -> str:
    """`path` with those parts of a query that are given."""
    return f"{path}?{urlencode(given(**query))}"


def given(**fields: Any) -> Remote:
    """These fields without those that are None, which OpenTok has a default for."""
    return {name: value for name, value in fields.items() if value is not None}


def in_session(session_id: str, path: str) -> str:
    """The path of something in a session of ours. Error: session_invalid."""
    return f"session/{sessions.checked(session_id)}/{path}"


def list_in_session(operation: str, session_id: str, kind: str) -> list[Any]:
    """The connections or the streams of a session; none if nobody is there, which is a 404."""
    refusals = {400: "session_invalid", 404: "nobody_connected"}
    try:
        answer = ask(operation, "GET", in_session(session_id, kind), refusals=refusals)
    except VideoError as error:
        if error.code == "nobody_connected":
            return []
        raise
    return answers.listed(answer)

"""Calls without the SDK, by the same transport and the same rules.

The SDK lacks some operations, reports some failures as None, and sends some fields under names that
OpenTok does not know.
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

    `path` follows the project's, and contains only ids that video/ids.py has checked. A GET is
    repeated once if OpenTok fails.
    """
    make = calls.read if method == "GET" else calls.call
    return make(operation, written(method, path, body), refusals=refusals)


def written(method: str, path: str, body: Remote | None = None) -> calls.Ask:
    """The call as a function of the SDK's client, for video/calls.py."""

    def send(sdk: opentok.Client) -> None:
        calls.TRANSPORT.call(
            method,
            f"{sdk.endpoints.api_url}/v2/project/{sdk.api_key}/{path}",
            headers=sdk.get_json_headers(),
            data=None if body is None else json.dumps(body),
        )

    return send


def page(path: str, **query: Any) -> str:
    """`path` with the query fields that are not None."""
    return f"{path}?{urlencode(given(**query))}"


def given(**fields: Any) -> Remote:
    """The fields that are not None; OpenTok has defaults for the others."""
    return {name: value for name, value in fields.items() if value is not None}


def in_session(session_id: str, path: str) -> str:
    """A path below a session of this project. Error: session_invalid."""
    return f"session/{sessions.checked(session_id)}/{path}"


def list_in_session(operation: str, session_id: str, kind: str) -> list[Any]:
    """The connections or the streams of a session; none for an empty session, which is a 404."""
    refusals = {400: "session_invalid", 404: "nobody_connected"}
    try:
        answer = ask(operation, "GET", in_session(session_id, kind), refusals=refusals)
    except VideoError as error:
        if error.code == "nobody_connected":
            return []
        raise
    return answers.listed(answer)

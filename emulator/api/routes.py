"""All paths of the OpenTok side, and who answers them."""

from __future__ import annotations

import re

from emulator.api import (
    archives,
    audio_connectors,
    broadcasts,
    calls,
    captions,
    connections,
    moderation,
    registrations,
    renders,
    sessions,
    signals,
    streams,
)
from emulator.api.call import Handler
from emulator.messages import ApiError, Request

PROJECT = "/v2/project/{project}"
SESSION = PROJECT + "/session/{session}"
CONNECTION = SESSION + "/connection/{connection}"
STREAM = SESSION + "/stream/{stream}"

ROUTES: dict[str, dict[str, Handler]] = {
    "/session/create": {"POST": sessions.create},
    PROJECT + "/archive": {"POST": archives.start, "GET": archives.list_all},
    PROJECT + "/archive/{archive}": {"GET": archives.get, "DELETE": archives.delete},
    PROJECT + "/archive/{archive}/stop": {"POST": archives.stop},
    PROJECT + "/archive/{archive}/layout": {"PUT": archives.set_layout},
    PROJECT + "/archive/{archive}/streams": {"PATCH": archives.change_streams},
    PROJECT + "/broadcast": {"POST": broadcasts.start, "GET": broadcasts.list_all},
    PROJECT + "/broadcast/{run}": {"GET": broadcasts.get},
    PROJECT + "/broadcast/{run}/stop": {"POST": broadcasts.stop},
    PROJECT + "/broadcast/{run}/layout": {"PUT": broadcasts.set_layout},
    PROJECT + "/broadcast/{run}/streams": {"PATCH": broadcasts.change_streams},
    PROJECT + "/captions": {"POST": captions.start},
    PROJECT + "/captions/{run}": {"GET": captions.get},
    PROJECT + "/captions/{run}/stop": {"POST": captions.stop},
    PROJECT + "/render": {"POST": renders.start, "GET": renders.list_all},
    PROJECT + "/render/{run}": {"GET": renders.get, "DELETE": renders.stop},
    PROJECT + "/dial": {"POST": calls.dial},
    # The PHP SDK's name for it.
    PROJECT + "/call": {"POST": calls.dial},
    PROJECT + "/connect": {"POST": audio_connectors.connect},
    PROJECT + "/connect/{run}/stop": {"POST": audio_connectors.stop},
    PROJECT + "/callback": {"POST": registrations.register, "GET": registrations.list_all},
    PROJECT + "/callback/{callback}": {"DELETE": registrations.remove},
    SESSION + "/connection": {"GET": connections.list_all},
    CONNECTION: {"DELETE": connections.disconnect},
    SESSION + "/stream": {"GET": streams.list_all, "PUT": streams.set_layout_classes},
    STREAM: {"GET": streams.get},
    STREAM + "/mute": {"POST": moderation.mute_stream},
    SESSION + "/mute": {"POST": moderation.mute_all},
    SESSION + "/signal": {"POST": signals.send},
    CONNECTION + "/signal": {"POST": signals.send},
    SESSION + "/play-dtmf": {"POST": calls.play_dtmf},
    CONNECTION + "/play-dtmf": {"POST": calls.play_dtmf},
}
PATTERNS = [
    (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handlers)
    for path, handlers in ROUTES.items()
]


def route(request: Request) -> tuple[Handler, dict[str, str]]:
    """Who answers it, and the ids in its path. Raises ApiError."""
    # Some SDKs end paths with a slash.
    path = request.path.removesuffix("/")
    for pattern, handlers in PATTERNS:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        if request.method not in handlers:
            # inference: what a wrong method gets is not documented.
            raise ApiError(405, 405, "Method not allowed")
        return handlers[request.method], match.groupdict()
    raise ApiError(404, 404, "Not found")

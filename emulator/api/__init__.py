"""The OpenTok side over REST: a module for each resource, and one table of routes.

Paths, statuses and bodies: Vonage Video OpenAPI, and recorded answers of the real service where
the two differ.
"""

from __future__ import annotations

from emulator.api.call import Call
from emulator.api.routes import route
from emulator.auth import Keys, check_path_id
from emulator.callbacks import Callbacks
from emulator.downloads import Links
from emulator.messages import ApiError, Request, Response
from emulator.world import World


class Api:
    """Answers requests, each one in one piece under the world's lock."""

    def __init__(self, keys: Keys, world: World, links: Links, callbacks: Callbacks) -> None:
        self.keys = keys
        self.world = world
        self.links = links
        self.callbacks = callbacks

    def answer(self, request: Request) -> Response:
        try:
            handler, ids = route(request)
            project = self.keys.authenticate(request.headers)
            if "project" in ids:
                check_path_id(project, ids["project"])
            with self.world.turn(request):
                call = Call(
                    request, project, ids, self.keys, self.world, self.links, self.callbacks
                )
                return handler(call)
        except ApiError as error:
            answers_xml = request.path == "/session/create" and not request.takes_json
            return error.xml_response() if answers_xml else error.response()

"""The OpenTok side: sessions and archives over REST.

Paths, statuses and bodies: Vonage Video OpenAPI, and recorded answers of the real service where
the two differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulator.answers import archive_object, session_created
from emulator.archive_options import check_layout, read_fields, read_options, read_paging
from emulator.archives import DELETABLE, Archive
from emulator.auth import Keys, Project, check_path_id
from emulator.downloads import Links
from emulator.messages import (
    ApiError,
    Request,
    Response,
    empty_response,
    invalid,
    json_response,
    not_found,
)
from emulator.session_form import read_session_form
from emulator.session_ids import SessionId
from emulator.world import World

NO_CLIENTS = "Not found. No clients are actively connected to the OpenTok session."
NO_ARCHIVE = "Not found. You passed in an invalid archive ID."
STOPPABLE_ONLY = (
    "You can only stop an archive that has one of the following statuses: "
    "started OR paused OR stopped"
)
DELETABLE_ONLY = (
    "You can only delete an archive that has one of the following statuses: "
    "available OR uploaded OR deleted"
)

Handler = Callable[["Api", Request, Project, dict[str, str]], Response]


class Api:
    """Answers requests, each one in one piece under the world's lock."""

    def __init__(self, keys: Keys, world: World, links: Links) -> None:
        self.keys = keys
        self.world = world
        self.links = links

    def answer(self, request: Request) -> Response:
        try:
            handler, ids = route(request)
            project = self.keys.authenticate(request.headers)
            if "project" in ids:
                check_path_id(project, ids["project"])
            with self.world.turn(request):
                return handler(self, request, project, ids)
        except ApiError as error:
            return error.response()

    def create_session(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        form = read_session_form(request.body)
        session_id = self.world.create_session(
            project, location=form.location, relayed=form.is_relayed, automatic=form.automatic
        )
        return json_response(200, session_created(session_id, project, self.world.now))

    def start_archive(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        fields = read_fields(request)
        session = self._session(fields.text("sessionId"), project)
        options = read_options(fields)
        if session.is_relayed:
            raise ApiError(409, -1, "The session is relayed; only routed sessions can be archived")
        if not self.world.presence(session.text).connected:
            raise not_found(NO_CLIENTS)
        # inference: no tag counts as a tag like any other.
        if options.tag in {a.options.tag for a in self.world.live_archives(session.text)}:
            raise ApiError(409, 15001, "session is already composed with code 409")
        archive = self.world.start(project, session, options)
        return json_response(200, archive_object(archive, url=None, is_new=True))

    def list_archives(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        offset, count, session_id = read_paging(request)
        found = [
            archive
            for archive in self.world.archives.values()
            if archive.project == project
            and archive.status != "deleted"
            and session_id in (None, archive.session_id)
        ]
        # Automatic archives can be noticed late, and so not be in order; the sort keeps the order
        # of those started in one millisecond.
        found.reverse()
        found.sort(key=lambda archive: archive.created_at, reverse=True)
        items = [self._view(archive, request) for archive in found[offset : offset + count]]
        return json_response(200, {"count": len(found), "items": items})

    def get_archive(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        archive = self._archive(project, ids)
        if archive.status == "deleted":
            # inference: whether the real service still knows a deleted one is not documented.
            raise not_found(NO_ARCHIVE)
        return json_response(200, self._view(archive, request))

    def stop_archive(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        archive = self._archive(project, ids)
        if not archive.is_live and archive.status != "stopped":
            raise ApiError(409, 15002, STOPPABLE_ONLY)
        # Stopping an automatic archive has no effect, and stopping twice has none the second time.
        if archive.is_live and not archive.is_automatic:
            self.world.stop(archive)
        return json_response(200, self._view(archive, request))

    def delete_archive(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        archive = self._archive(project, ids)
        if archive.status not in DELETABLE:
            raise ApiError(409, 15004, DELETABLE_ONLY)
        if archive.status != "deleted":
            archive.delete(self.world.now)
        return empty_response(204)

    def set_layout(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        fields = read_fields(request)
        archive = self._live_archive(project, ids)
        if not archive.options.is_composed:
            raise invalid("The layout is only for archives whose outputMode is composed")
        check_layout(fields)
        return json_response(200, self._view(archive, request))

    def change_streams(self, request: Request, project: Project, ids: dict[str, str]) -> Response:
        fields = read_fields(request)
        archive = self._live_archive(project, ids)
        if not archive.options.is_manual:
            # inference: the OpenAPI says 400 here, but the official SDKs expect a 405.
            raise ApiError(405, -1, "The archive's streamMode is not manual")
        if fields.has("addStream") == fields.has("removeStream"):
            raise invalid("Either addStream or removeStream is needed")
        stream_id = fields.text("addStream") or fields.text("removeStream")
        if stream_id not in self.world.session(archive.session_id).streams | archive.streams:
            raise not_found("Not found. There is no such stream.")
        if fields.has("removeStream"):
            archive.streams.pop(stream_id, None)
        else:
            archive.streams[stream_id] = {
                "hasAudio": fields.flag("hasAudio", default=True),
                "hasVideo": fields.flag("hasVideo", default=True),
            }
        return empty_response(204)

    def _session(self, text: str, project: Project) -> SessionId:
        """Raises ApiError unless it is a session of this project."""
        try:
            session = self.world.session_ids.read(text)
        except ValueError:
            raise invalid("Invalid session ID") from None
        if session.project_id != project.id:
            # inference: what is said of another project's session is not documented.
            raise invalid("Invalid session ID")
        if not session.is_known:
            raise not_found("Not found. The session does not exist.")
        return session

    def _archive(self, project: Project, ids: dict[str, str]) -> Archive:
        # inference: whether the real service finds an id in upper case is not documented.
        archive = self.world.archives.get(ids["archive"])
        if archive is None or archive.project != project:
            raise not_found(NO_ARCHIVE)
        return archive

    def _live_archive(self, project: Project, ids: dict[str, str]) -> Archive:
        archive = self._archive(project, ids)
        if not archive.is_live:
            # inference: what is said of one that is over is not documented.
            raise not_found(NO_ARCHIVE)
        return archive

    def _view(self, archive: Archive, request: Request) -> dict[str, Any]:
        url = None
        if archive.status == "available":
            url = self.links.make(archive.file_key, request.base_url, self.world.now)
        return archive_object(archive, url=url)


ARCHIVES = r"/v2/project/(?P<project>[^/]+)/archive"
ARCHIVE = ARCHIVES + r"/(?P<archive>[^/]+)"
ROUTES: list[tuple[re.Pattern[str], Mapping[str, Handler]]] = [
    (re.compile(r"/session/create"), {"POST": Api.create_session}),
    (re.compile(ARCHIVES), {"POST": Api.start_archive, "GET": Api.list_archives}),
    (re.compile(ARCHIVE), {"GET": Api.get_archive, "DELETE": Api.delete_archive}),
    (re.compile(ARCHIVE + "/stop"), {"POST": Api.stop_archive}),
    (re.compile(ARCHIVE + "/layout"), {"PUT": Api.set_layout}),
    (re.compile(ARCHIVE + "/streams"), {"PATCH": Api.change_streams}),
]


def route(request: Request) -> tuple[Handler, dict[str, str]]:
    """Who answers it, and the ids in its path. Raises ApiError."""
    for pattern, handlers in ROUTES:
        match = pattern.fullmatch(request.path)
        if match is None:
            continue
        if request.method not in handlers:
            # inference: what a wrong method gets is not documented.
            raise ApiError(405, 405, "Method not allowed")
        return handlers[request.method], match.groupdict()
    raise ApiError(404, 404, "Not found")

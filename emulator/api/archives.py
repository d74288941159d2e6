"""Archives: start, stop, look, list, delete, layout and streams."""

from __future__ import annotations

from typing import Any

from emulator.answers import archive_object
from emulator.api import manual_streams
from emulator.api.call import NO_CLIENTS, Call
from emulator.archive_options import check_layout, read_options
from emulator.archives import DELETABLE, Archive
from emulator.fields import read_fields, read_paging
from emulator.messages import (
    ApiError,
    Response,
    empty_response,
    invalid,
    json_response,
    not_found,
)

NO_ARCHIVE = "Not found. You passed in an invalid archive ID."
STOPPABLE_ONLY = (
    "You can only stop an archive that has one of the following statuses: "
    "started OR paused OR stopped"
)
DELETABLE_ONLY = (
    "You can only delete an archive that has one of the following statuses: "
    "available OR uploaded OR deleted"
)


def start(call: Call) -> Response:
    fields = read_fields(call.request)
    session = call.session(fields.text("sessionId"))
    options = read_options(fields)
    if session.is_relayed:
        raise ApiError(409, -1, "The session is relayed; only routed sessions can be archived")
    if not call.world.presence(session.text).connected:
        raise not_found(NO_CLIENTS)
    # inference: no tag counts as a tag like any other.
    if options.tag in {a.options.tag for a in call.world.live_archives(session.text)}:
        raise ApiError(409, 15001, "session is already composed with code 409")
    archive = call.world.start(call.project, session, options)
    return json_response(200, archive_object(archive, url=None, is_new=True))


def list_all(call: Call) -> Response:
    offset, count, session_id = read_paging(call.request)
    found = [
        archive
        for archive in call.world.archives.values()
        if archive.project == call.project
        and archive.status != "deleted"
        and session_id in (None, archive.session_id)
    ]
    # Automatic archives can be noticed late, and so not be in order; the sort keeps the order
    # of those started in one millisecond.
    found.reverse()
    found.sort(key=lambda archive: archive.created_at, reverse=True)
    items = [view(call, archive) for archive in found[offset : offset + count]]
    return json_response(200, {"count": len(found), "items": items})


def get(call: Call) -> Response:
    archive = archive_of(call)
    if archive.status == "deleted":
        # inference: whether the real service still knows a deleted one is not documented.
        raise not_found(NO_ARCHIVE)
    return json_response(200, view(call, archive))


def stop(call: Call) -> Response:
    archive = archive_of(call)
    if not archive.is_live and archive.status != "stopped":
        raise ApiError(409, 15002, STOPPABLE_ONLY)
    # Stopping an automatic archive has no effect, and stopping twice has none the second time.
    if archive.is_live and not archive.is_automatic:
        call.world.stop(archive)
    return json_response(200, view(call, archive))


def delete(call: Call) -> Response:
    archive = archive_of(call)
    if archive.status not in DELETABLE:
        raise ApiError(409, 15004, DELETABLE_ONLY)
    if archive.status != "deleted":
        archive.delete(call.world.now)
    return empty_response(204)


def set_layout(call: Call) -> Response:
    fields = read_fields(call.request)
    archive = live_archive_of(call)
    if not archive.options.is_composed:
        raise invalid("The layout is only for archives whose outputMode is composed")
    check_layout(fields)
    return json_response(200, view(call, archive))


def change_streams(call: Call) -> Response:
    archive = live_archive_of(call)
    return manual_streams.change(call, archive, is_manual=archive.options.is_manual)


def archive_of(call: Call) -> Archive:
    # inference: whether the real service finds an id in upper case is not documented.
    archive = call.world.archives.get(call.ids["archive"])
    if archive is None or archive.project != call.project:
        raise not_found(NO_ARCHIVE)
    return archive


def live_archive_of(call: Call) -> Archive:
    archive = archive_of(call)
    if not archive.is_live:
        # inference: what is said of one that is over is not documented.
        raise not_found(NO_ARCHIVE)
    return archive


def view(call: Call, archive: Archive) -> dict[str, Any]:
    links = call.links.of_archive(archive, call.request.base_url, call.world.now)
    return archive_object(archive, **links)

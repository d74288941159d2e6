"""Stops everything in a room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from archives.models import Archive
from audit.models import Entry
from live.models import Activity
from rooms.guests import Guest
from rooms.models import Room
from video import archives, connections, moderation
from video.errors import VideoError
from web.errors import Problem

# Errors for what has ended by itself after it was listed.
OVER = {"connection_not_found", "archive_not_running", "archive_not_found", "archive_deleted"}

Part = tuple[str, str, Callable[[], object]]


def stop_all(room: Room, *, is_retried: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Stop the recordings and activities of a room's session, and then disconnect all clients.
    Guests of the waiting room have to be admitted again. If it is retried every few seconds, it is
    only in the audit log if something has ended.

    Returns what `ended` and what `failed`, each with `kind` and `id`, failures with the `code` and
    the `detail` of the error. A failure does not stop the rest.
    """
    report: dict[str, list[dict[str, Any]]] = {"ended": [], "failed": []}
    session_id = room.session_id
    for kind, parts_of in (
        ("recording", _recordings),
        ("activity", _activities),
        ("connection", _connections),
    ):
        try:
            parts = list(parts_of(session_id))
        except VideoError as error:
            report["failed"].append(_failure(kind, None, error))
            continue
        for part, part_id, stop in parts:
            try:
                stop()
            except Problem as error:
                if error.code not in OVER:
                    report["failed"].append(_failure(part, part_id, error))
            else:
                report["ended"].append({"kind": part, "id": part_id})
    Guest.objects.end_joined(room)
    counts = {name: len(parts) for name, parts in report.items()}
    if report["ended"] or not is_retried:
        Entry.objects.note("everything.stopped", room, **counts)
    return report


def summary(report: dict[str, list[dict[str, Any]]]) -> str:
    """A sentence about the report of stop_all."""
    kinds = [str(part["kind"]).replace("_", " ") for part in report["ended"]]
    people = kinds.count("connection")
    whom = "1 person" if people == 1 else f"{people} people" if people else "nobody"
    others = ", ".join(kind for kind in kinds if kind != "connection")
    return f"Disconnected {whom}. Stopped: {others}." if others else f"Disconnected {whom}."


def _recordings(session_id: str) -> Iterable[Part]:
    for remote in archives.list_archives(session_id=session_id):
        if remote["status"] in archives.RUNNING:
            archive_id = str(remote["id"])
            yield "recording", archive_id, partial(Archive.objects.stop, archive_id)


def _activities(session_id: str) -> Iterable[Part]:
    for activity in Activity.objects.running(session_id):
        yield activity.kind, str(activity.pk), partial(Activity.objects.stop, activity)


def _connections(session_id: str) -> Iterable[Part]:
    for remote in connections.list_connections(session_id):
        connection_id = str(remote["connectionId"])
        yield "connection", connection_id, partial(moderation.disconnect, session_id, connection_id)


def _failure(kind: str, part_id: str | None, error: Problem) -> dict[str, Any]:
    return {"kind": kind, "id": part_id, "code": error.code, "detail": str(error.detail)}

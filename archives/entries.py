"""Entries about recordings in the audit log, and their events for webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from audit.models import Entry
from video.archives import RUNNING
from webhooks import events

if TYPE_CHECKING:
    from archives.models import Archive


def record_states(archives: Iterable[Archive]) -> None:
    """Record events for webhooks about recordings whose status is new."""
    for archive in archives:
        event = f"recording.{archive.status}"
        if archive.status != archive.known_status and event in events.EVENTS:
            events.record(event, room=archive.made_in, recording=_about(archive))


def _about(archive: Archive) -> dict[str, Any]:
    return {
        "id": str(archive.pk),
        "status": archive.status,
        "sessionId": archive.session_id,
        "name": archive.name,
        "reason": archive.reason,
        "duration": archive.duration,
        "size": archive.size,
        "createdAt": archive.created_at,
    }


def note_act(what: str, archive: Archive, **details: Any) -> None:
    """Note in the audit log what was done at OpenTok."""
    Entry.objects.note(what, archive, room=archive.made_in, **details)


def record_told(archives: Iterable[Archive]) -> None:
    """Record in the audit log the new states that callbacks have reported."""
    for archive in archives:
        # Started and paused alternate as people stop and start publishing.
        runs_on = {archive.status, archive.known_status} <= RUNNING
        if archive.status != archive.known_status and not runs_on:
            what = f"recording.{archive.status}"
            Entry.objects.record(what, archive, room=archive.made_in, reason=archive.reason)

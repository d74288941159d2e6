"""Deletes the files of recordings once they are as old as a rule says: ARCHIVE_DAYS, or the room's
own days. A hold is stronger than both.
"""

import logging
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from archives import storage
from archives.models import Archive
from archives.states import Status
from archives.stored import not_being_deleted
from audit.actors import SERVER, acting_as
from rooms.models import Room
from video import sessions
from web.errors import Problem

# For one round, in seconds: each recording takes a call to OpenTok, or two.
ROUND_SECONDS = 60
MOST = 5000

logger = logging.getLogger(__name__)

# The creation and the id of the last recording that this process has tried.
_last_tried: tuple[datetime, UUID] | None = None


def due(at: datetime) -> QuerySet[Archive]:
    """The recordings that a rule deletes by then, the oldest first."""
    old = Q(pk__in=[])
    if settings.ARCHIVE_DAYS:
        is_old = Q(created_at__lt=at - timedelta(days=settings.ARCHIVE_DAYS))
        old |= is_old & Q(recording_days=None, room__recording_days=None)
    for days in _chosen(Room):
        old |= Q(room__recording_days=days, created_at__lt=at - timedelta(days=days))
    for days in _chosen(Archive):
        old |= Q(room=None, recording_days=days, created_at__lt=at - timedelta(days=days))
    return Archive.objects.filter(_has_file() & old, held_at=None).order_by("created_at", "id")


def _has_file() -> Q:
    """The condition that there is a file that a rule may delete. Without ARCHIVE_STORAGE_DELETE
    files in the storage stay, and with them their recordings.
    """
    has_file = Q(status__in=[Status.AVAILABLE, Status.UPLOADED])
    if not storage.is_set():
        return has_file
    if settings.ARCHIVE_STORAGE_DELETE:
        return has_file | Q(status=Status.EXPIRED, stored_at__isnull=False)
    return Q(status=Status.AVAILABLE, stored_at=None)


def _chosen(model: type[Room | Archive]) -> QuerySet[Any, Any]:
    """The distinct days of rooms, or of deleted rooms' recordings. There are few: SQLite takes no
    condition of a thousand parts.
    """
    # Not exclude(), for which SQLite would not use the index.
    rows = model._default_manager.order_by().filter(recording_days__isnull=False)
    return rows.values_list("recording_days", flat=True).distinct()


def delete_due() -> None:
    """Delete as many as there is time for. The next round continues after the last one, so that
    recordings that cannot be deleted do not block the others.
    """
    global _last_tried
    until = monotonic() + ROUND_SECONDS
    for archive in _next_due():
        if monotonic() > until:
            return
        _last_tried = (archive.created_at, archive.pk)
        has_file = archive.has_copy or sessions.owns(archive.session_id)
        if has_file and _is_left(archive):
            _delete(str(archive.pk))


def _next_due() -> list[Archive]:
    """The recordings after the last one that was tried, and then the first ones."""
    rows = due(timezone.now()).only("created_at", "session_id", "stored_at", "status")
    if _last_tried is None:
        return list(rows[:MOST])
    at, pk = _last_tried
    is_later = Q(created_at__gt=at) | Q(created_at=at, pk__gt=pk)
    later = list(rows.filter(is_later)[:MOST])
    return later + list(rows.exclude(is_later)[: MOST - len(later)])


def _is_left(archive: Archive) -> bool:
    """Whether no other process has deleted it since the rows were read, or is doing so."""
    as_read = Archive.objects.filter(not_being_deleted(), pk=archive.pk, status=archive.status)
    return as_read.exists()


def _delete(archive_id: str) -> None:
    try:
        with acting_as(SERVER):
            Archive.objects.remove(archive_id)
    except Problem as error:
        logger.warning("Could not delete an old recording: %s %s", error.code, error.reason)

"""Deletes the files of recordings once they are as old as a rule says: ARCHIVE_DAYS, or the room's
own days. A hold is stronger than both.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from archives.models import Archive
from archives.states import Status
from audit.actors import SERVER, acting_as
from rooms.models import Room
from web.errors import Problem

# In a round: each takes a call to OpenTok, or two.
MOST = 100

logger = logging.getLogger(__name__)


def due(*, within: timedelta = timedelta()) -> QuerySet[Archive]:
    """Those that a rule deletes by then, the oldest first."""
    then = timezone.now() + within
    own = Room.objects.filter(recording_days__isnull=False).values_list("pk", "recording_days")
    old = Q(pk__in=[])
    if settings.ARCHIVE_DAYS:
        old = Q(created_at__lt=then - timedelta(days=settings.ARCHIVE_DAYS))
        old &= Q(room=None) | Q(room__recording_days=None)
    for room, days in own:
        old |= Q(room=room, created_at__lt=then - timedelta(days=days or 0))
    has_file = Q(status__in=[Status.AVAILABLE, Status.UPLOADED])
    has_file |= Q(status=Status.EXPIRED, stored_at__isnull=False)
    return Archive.objects.filter(has_file & old, held_at=None).order_by("created_at", "id")


def delete_due() -> None:
    for archive in due()[:MOST]:
        if archive.is_deletable:
            _delete(archive)


def _delete(archive: Archive) -> None:
    try:
        with acting_as(SERVER):
            Archive.objects.remove(str(archive.pk))
    except Problem as error:
        logger.warning("Could not delete an old recording: %s %s", error.code, error.reason)
